"""`wirelab play`, at a terminal and without one."""

from __future__ import annotations

import os
import subprocess

import pytest
from outside import DEADLINE_S, command, environment
from recorded import FOLDER

pytestmark = pytest.mark.programs


def test_without_a_terminal_that_is_said() -> None:
    done = subprocess.run(
        command("play", FOLDER / "traced-tcp4"),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(),
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a terminal" in done.stderr


def test_at_a_terminal_it_is_shown_and_ends_by_q() -> None:
    near, far = os.openpty()
    process = subprocess.Popen(
        command("play", FOLDER / "traced-tcp4"),
        stdin=far,
        stdout=far,
        stderr=far,
        env=environment(TERM="xterm", COLUMNS="80", LINES="24"),
        start_new_session=True,
    )
    os.close(far)
    seen = b""
    try:
        while b"event 1 of" not in seen:
            seen += os.read(near, 1 << 16)
        os.write(near, b"q")
        drained(near)
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()
        os.close(near)


def drained(descriptor: int) -> None:
    """Read until the other side has closed: it writes as it ends."""
    try:
        while os.read(descriptor, 1 << 16):
            pass
    except OSError:
        return
