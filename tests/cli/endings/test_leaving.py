"""How the command's own process ends: at once, and with nothing left out that matters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

FULL = Path("/dev/full")  # every write to it fails: full(4)


def ended(before: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, called by a program that does that before."""
    code = f"import atexit, sys, threading\n{before}\nfrom lab.__main__ import main\nmain()\n"
    silence, writing = os.pipe()
    try:
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            stdin=silence, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(silence)
        os.close(writing)


@pytest.mark.parametrize("daemon", ["", "threading.Thread(target=input, daemon=True).start()\n"])
def test_the_interpreter_is_not_taken_apart(daemon: str) -> None:
    class_of_it = "class Last:\n    def __del__(self): print('taken apart')\nlast = Last()\n"
    done = ended(f"{class_of_it}{daemon}", "--version")
    assert done.returncode == 0
    assert "taken apart" not in done.stdout


@pytest.mark.parametrize(
    ("words", "status"),
    [(("--version",), 0), (("list", "--no-such-option"), 2), (("run", "no"), 2)],
)
def test_what_is_to_run_at_exit_runs_once_and_the_status_is_kept(
    words: tuple[str, ...], status: int
) -> None:
    done = ended("atexit.register(print, 'at exit')", *words)
    assert done.returncode == status
    assert done.stdout.splitlines()[-1] == "at exit"
    assert done.stdout.count("at exit") == 1


def test_another_thread_is_waited_for() -> None:
    thread = "def last(): threading.main_thread().join(); print('the last word')\n"
    done = ended(f"{thread}threading.Thread(target=last).start()", "--version")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "the last word"


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("run", "--help"), ("list",)])
@pytest.mark.parametrize("is_buffered", [True, False])
def test_output_that_nothing_takes_is_a_line_and_a_status(
    words: tuple[str, ...], is_buffered: bool
) -> None:
    options = [] if is_buffered else ["-u"]
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, *options, "-m", "lab", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={},
        )
    said = "wirelab: cannot write to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, said)
