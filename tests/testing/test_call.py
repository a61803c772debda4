from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.testing.function import CALLER, END_OF_PATH, MARK

pytestmark = pytest.mark.programs

FUNCTIONS = """
import asyncio, sys
from beside import NAME

def add(one, other): return one + other
def name(): print("x"); return NAME
async def later(): await asyncio.sleep(0); return sys.path[1]
def fails(): assert 1 == 2, "no"
def leaves(): sys.exit(3)
def loops():
    while True: pass
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n", "utf-8")
    path = tmp_path / "test_x.py"
    path.write_text(FUNCTIONS, "utf-8")
    return path


def call(file: Path, name: str, *words: str, cpu_s: str = "0") -> tuple[int, dict[str, str]]:
    command = [
        sys.executable,
        str(CALLER),
        MARK,
        cpu_s,
        str(file),
        name,
        "/first",
        *sys.path[1:],
        END_OF_PATH,
        *words,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    told: dict[str, str] = json.loads(done.stdout.rpartition(MARK)[2])
    return done.returncode, told


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("add", ["value 3", "value 4"], 7),
        ("add", ["text a", "text value 4"], "avalue 4"),
        ("name", [], "beside"),
        ("later", [], "/first"),
    ],
)
def test_a_function_is_called_with_its_arguments(
    file: Path, name: str, words: list[str], value: object
) -> None:
    assert call(file, name, *words) == (0, {"kind": "returned", "text": repr(value)})


def test_what_it_raises_is_told(file: Path) -> None:
    status, told = call(file, "fails")
    assert (status, told["kind"]) == (1, "raised")
    assert "AssertionError: no" in told["text"]
    assert (told["said"], told["has_met"]) == ("AssertionError: no", True)
    said = "it called sys.exit(3)"
    leaves = {"kind": "raised", "text": said, "said": said, "has_met": False}
    assert call(file, "leaves") == (1, leaves)


def test_a_function_that_goes_round_for_ever_is_ended(file: Path) -> None:
    status, told = call(file, "loops", cpu_s="1.5")
    assert (status, told["has_met"]) == (1, False)
    assert told["said"] == "TakesTooLong: more than 1.5 s of the processor's time"
    assert "while True" in told["text"]
