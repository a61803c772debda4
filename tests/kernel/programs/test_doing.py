"""What a program is said to do that does not come to what is awaited."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.kernel.programs.doing import what_it_does

pytestmark = pytest.mark.programs

IMPORTS = "import os, signal, socket, threading, time\n"
WAITS = {
    "time.sleep(60)": r"it waits in (clock_)?nanosleep\(2\)",
    "signal.pause()": r"it waits in (pause|rt_sigsuspend|ppoll)\(2\)",
    "here, there = socket.socketpair(); here.recv(1)": (
        r"it waits in recvfrom\(2\) on descriptor \d+, a socket"
    ),
    "here, there = os.pipe(); os.read(here, 1)": r"it waits in read\(2\) on descriptor \d+, a pipe",
    "os.read(0, 1)": r"it waits in read\(2\) on descriptor 0, its standard input",
    "pid = os.fork()\nif pid: os.waitpid(pid, 0)\nelse: time.sleep(60)": (
        r"it waits in wait4\(2\) and waits in (clock_)?nanosleep\(2\)"
    ),
    "os.kill(os.getpid(), signal.SIGSTOP)": "it is stopped",
}  # fmt: skip


@contextmanager
def running(code: str) -> Iterator[int]:
    command = [sys.executable, "-IS", "-c", IMPORTS + code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, 9)


def comes_to(pid: int, wanted: str) -> str:
    """What it is said to do, once that is what is wanted; or at last."""
    deadline = time.monotonic() + 20
    while not re.fullmatch(wanted, said := what_it_does(pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return said


@pytest.mark.parametrize(("code", "wanted"), WAITS.items(), ids=[*map(str, range(len(WAITS)))])
def test_it_is_said_in_which_call_it_waits(code: str, wanted: str) -> None:
    with running(code) as pid:
        assert re.fullmatch(wanted, comes_to(pid, wanted))


def test_one_that_loops_is_at_work_whichever_of_its_tasks_does() -> None:
    wanted = r"it is at work, and has taken \d+\.\d s of the processor's time"
    for code in (
        "while True: pass",
        "pid = os.fork()\nif pid: os.waitpid(pid, 0)\nwhile True: pass",
        "threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start(); time.sleep(60)",
    ):
        with running(code) as pid:
            assert re.fullmatch(wanted, comes_to(pid, wanted))


def test_of_one_that_has_ended_nothing_is_said() -> None:
    with running("pass") as pid:
        assert comes_to(pid, "") == ""
