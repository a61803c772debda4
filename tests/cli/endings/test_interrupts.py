"""Ctrl-C at any moment of a run."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from outside import (
    REPOSITORY,
    STARTING_S,
    command,
    environment,
    marked,
    wait_until,
    wait_until_gone,
)

pytestmark = pytest.mark.kernel

INTERRUPTED = 128 + signal.SIGINT


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """A shell's `pytest &` ignores the signal, and so would every program that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(folder: Path, when: Callable[[int], object], marker: str) -> tuple[int, str]:
    """Status and stderr of a run that gets Ctrl-C once `when(pid)` is true."""
    process = subprocess.Popen(
        command("run", "tcp", "--scenarios", "scenarios"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: process.poll() is not None or when(process.pid), STARTING_S)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=5)
    wait_until_gone(marker)
    return process.returncode, stderr


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_ctrl_c_during_a_run_ends_everything(
    other_scenarios: Path, marker: str, processes: int
) -> None:
    """In the opening of the sandbox, in the building, and while a program hangs."""
    demo = other_scenarios / "scenarios" / "demos" / "inet_stream_client.py"
    demo.write_text("import select; select.select([], [], [])\n")
    status, stderr = interrupted(
        other_scenarios, lambda _: len(marked(marker)) >= processes, marker
    )
    assert status == INTERRUPTED
    assert stderr == "wirelab: interrupted\n"


@pytest.mark.parametrize("delay_ms", [0, 30, 60, 90, 120, 160])
def test_ctrl_c_at_any_moment_gives_no_traceback(
    tmp_path: Path, marker: str, delay_ms: int
) -> None:
    process = subprocess.Popen(
        command("run", "tcp"), cwd=tmp_path, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    pidfd = os.pidfd_open(process.pid)
    # Before the command line is there, it is Python that is interrupted, and says so.
    wait_until(lambda: len(marked(marker)) >= 2 or process.poll() is not None, STARTING_S)
    select.select([pidfd], [], [], delay_ms / 1000)
    os.close(pidfd)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=5)
    wait_until_gone(marker)
    if stderr:
        assert stderr == "wirelab: interrupted\n"
        assert process.returncode == INTERRUPTED
    else:  # all was done: it ended, or was about to
        assert process.returncode in (0, -signal.SIGINT)  # the interpreter was ending
        assert (tmp_path / "runs" / "tcp" / "latest" / "report.json").is_file()


@pytest.mark.parametrize("delay_ms", range(0, 60, 4))
def test_ctrl_c_while_python_starts_gives_no_traceback(
    tmp_path: Path, marker: str, delay_ms: int
) -> None:
    if subprocess.run(["env", "--block-signal=INT", "true"], check=False).returncode != 0:
        pytest.skip("this env(1) cannot block a signal")
    process = subprocess.Popen(
        [REPOSITORY / "wirelab", "run", "tcp"], cwd=tmp_path, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    pidfd = os.pidfd_open(process.pid)
    select.select([pidfd], [], [], delay_ms / 1000)
    os.close(pidfd)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=STARTING_S)
    wait_until_gone(marker)
    # The shell dies of the signal, without a word.
    assert (process.returncode, stderr) in (
        (-signal.SIGINT, ""),
        (INTERRUPTED, "wirelab: interrupted\n"),
    )
