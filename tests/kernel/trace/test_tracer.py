from __future__ import annotations

import os
import signal

import pytest

from lab.kernel.trace.tracer import killing_signal


@pytest.mark.programs
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_signal_that_killed_a_child_is_found_before_it_is_reaped(
    number: signal.Signals,
) -> None:
    child = os.posix_spawn("/bin/cat", ["cat", "/dev/zero"], {}, file_actions=QUIET)
    os.kill(child, number)
    assert killing_signal(child) is number
    assert os.waitpid(child, 0) == (child, number)


@pytest.mark.programs
def test_a_child_that_exits_was_not_killed() -> None:
    child = os.posix_spawn("/bin/cat", ["cat", "/nothing"], {}, file_actions=QUIET)
    assert killing_signal(child) is None
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_what_is_no_child_is_an_error() -> None:
    with pytest.raises(ChildProcessError):
        killing_signal(os.getpid())


QUIET = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (1, 2)]
