from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

pytestmark = pytest.mark.programs

SHOW = """
import sys
from lab.report.terminal import progress
progress.PATIENCE_S = 0.0 if sys.argv[1] == "slow" else 60.0
with progress.working("tcp over IPv4"):
    if sys.argv[1] == "slow":
        sys.stdin.readline()
print("over")
"""


def on_a_terminal(pace: str, *, waits: bool) -> bytes:
    """What standard error shows on a terminal; the program goes on once the sign is seen."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SHOW, pace],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=child,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(child)
    assert process.stdin is not None
    shown = b""
    try:
        while piece := os.read(parent, 65536):
            shown += piece
            if waits and b"tcp over IPv4" in shown:
                process.stdin.write(b"\n")
                process.stdin.flush()
                waits = False
    except OSError:
        pass  # EIO: nobody has the terminal open any more
    os.close(parent)
    out, _ = process.communicate()
    assert (out, process.returncode) == (b"over\n", 0)
    return shown


def test_what_takes_its_time_says_what_is_done() -> None:
    assert b"tcp over IPv4" in on_a_terminal("slow", waits=True)


def test_what_is_soon_over_shows_nothing() -> None:
    assert on_a_terminal("fast", waits=False) == b""


def test_without_a_terminal_nothing_is_shown() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, "slow"], input=b"\n", capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"over\n", b"")


COUNT = """
import threading
from lab.report.terminal.progress import counting
with counting("grading", 3) as tell:
    print(threading.active_count())
    tell(1, "ann\\x1b[2J")
    print(threading.active_count())
"""


def test_a_bar_has_no_thread_before_something_is_told() -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", COUNT],
        stdout=subprocess.PIPE,
        stderr=child,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(child)
    shown = b""
    try:
        while piece := os.read(parent, 65536):
            shown += piece
    except OSError:
        pass  # EIO, as above
    os.close(parent)
    out, _ = process.communicate()
    assert out == b"1\n2\n"
    assert b"grading" in shown and b"1/3" in shown
    assert b"ann\\x1b[2J" in shown and b"ann\x1b[2J" not in shown


def test_without_a_terminal_there_is_no_bar() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"1\n1\n", b"")
