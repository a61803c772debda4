from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import inside
import pytest
from outside import (
    STARTING_S,
    children,
    environment,
    init_pid,
    is_alive,
    marked,
    wait_until,
    wait_until_gone,
)

from lab.errors import (
    InstrumentError,
)
from lab.kernel.sandbox.sandbox import open_sandbox

pytestmark = pytest.mark.kernel


def test_closing_ends_processes_that_left_their_session_and_ignore_signals(marker: str) -> None:
    with open_sandbox() as sandbox:
        sandbox.call(inside.start_daemon)
        pid = init_pid(sandbox)
        (daemon,) = filter(is_alive, children(pid))
        assert {daemon, pid, sandbox.supervisor_pid} <= marked(marker)
    assert not any(map(is_alive, (daemon, pid)))
    assert not Path(f"/proc/{sandbox.supervisor_pid}").exists()


def test_the_supervisors_death_ends_everything_inside(marker: str) -> None:
    with open_sandbox() as sandbox:
        sandbox.call(inside.start_daemon)
        # Whoever started the daemon may not have ended yet.
        wait_until(lambda: len(marked(marker)) == 3)
        os.kill(sandbox.supervisor_pid, signal.SIGKILL)
        wait_until_gone(marker)
        with pytest.raises(InstrumentError, match="died"):
            sandbox.call(abs, -1)


def test_the_death_of_init_makes_the_next_call_raise(marker: str) -> None:
    with open_sandbox() as sandbox:
        sandbox.call(inside.start_daemon)
        os.kill(init_pid(sandbox), signal.SIGKILL)
        wait_until_gone(marker)
        with pytest.raises(InstrumentError, match="died"):
            sandbox.call(abs, -1)


def test_the_death_of_init_ends_a_call_under_way(marker: str) -> None:
    with open_sandbox() as sandbox:
        pid = init_pid(sandbox)
        pending = sandbox.submit(inside.block)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(InstrumentError, match="died"):
            pending.result()


PARENT = """
import sys
sys.path[:] = sys.argv[1:]
import inside
from lab.kernel.sandbox.sandbox import open_sandbox
with open_sandbox() as sandbox:
    sandbox.call(inside.start_daemon)
    print("up", flush=True)
    sandbox.call(inside.block)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_the_parents_death_ends_everything(marker: str, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, *sys.path], stdout=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == b"up\n"
        # The parent, the supervisor, init and the daemon; not what forked that.
        wait_until(lambda: len(marked(marker)) == 4, STARTING_S)
        process.send_signal(number)
        assert process.wait() == -number
        wait_until_gone(marker)
