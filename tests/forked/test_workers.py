from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

REPOSITORY = Path(__file__).resolve().parents[2]
BEGIN = """
import os, pathlib, sys, threading, time
from lab.batch import Batch
from lab.forked.workers import Workers

folder = pathlib.Path(sys.argv[1])
"""


def script(folder: Path, text: str) -> list[str]:
    return [sys.executable, "-c", BEGIN + text, str(folder)]


def said(folder: Path, text: str) -> list[str]:
    done = subprocess.run(
        script(folder, text), cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def test_each_thing_is_done_in_a_process_of_its_own(tmp_path: Path) -> None:
    lines = said(
        tmp_path,
        """
def do(number):
    (folder / str(number)).write_text(str(os.getpid()))
workers = Workers(do)
assert [why for _, why in Batch(workers, range(20), 4).ended()] == [""] * 20
workers.close()
print(len({path.read_text() for path in folder.iterdir()} - {str(os.getpid())}))
""",
    )
    assert lines == ["20"]


def test_what_fails_or_dies_touches_no_other_and_is_said(tmp_path: Path) -> None:
    lines = said(
        tmp_path,
        """
def do(number):
    if number == 1:
        raise KeyError("one")
    if number == 2:
        os.kill(os.getpid(), 9)
    if number == 3:
        os._exit(0)
workers = Workers(do)
print(*(why for _, why in sorted(Batch(workers, range(5), 2).ended())), sep="|")
workers.close()
""",
    )
    assert lines == ["|KeyError: 'one'|its process was killed|its process was killed|"]


def test_when_who_asked_is_killed_the_workers_end_and_what_is_left_is_cleared(
    tmp_path: Path,
) -> None:
    # Each process of it holds the pipe open: at its end all have ended.
    with subprocess.Popen(
        script(
            tmp_path,
            """
def do(number):
    os.write(1, b"begun\\n")
    time.sleep(3600)
workers = Workers(do, lambda: (folder / "cleared").touch())
print(*Batch(workers, range(2), 2).ended())
""",
        ),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        begun = [running.stdout.readline() for _ in range(2)]
        running.kill()
        assert running.stdout.read() == ""
    assert begun == ["begun\n"] * 2
    assert (tmp_path / "cleared").exists()
