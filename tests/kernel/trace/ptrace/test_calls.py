from __future__ import annotations

import errno
import signal
from collections.abc import Callable

import pytest
from ptraced import (
    Traced,
    python,
    results,
)

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_ptrace")]


BLOCKED = """
import socket
listener = socket.create_server(("127.0.0.1", 4242))
print("listening", flush=True)
listener.accept()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_call_in_which_its_program_dies_has_no_result(
    traced: Callable[..., Traced], number: int
) -> None:
    done = traced(*python(BLOCKED), kill_after="listening\n", kill_with=number)
    assert done.status == -number
    # It may have been killed before it got so far.
    for call in done.calls("accept4"):
        assert (call.exit_ns, call.result) == (None, None)
    assert results(done.calls("listen")) == [0]
    assert [event.kind for event in done.trace.tasks] == ["start", "exec", "exit"]


SLEEPING = """
import os, signal, socket, sys
def until_asleep(pid):
    while open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "S":
        pass
near, far = socket.socketpair()
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.siginterrupt(signal.SIGUSR1, sys.argv[1] == "interrupted")
pid = os.fork()
if pid == 0:
    assert far.recv(10) == b"done"
    os._exit(0)
until_asleep(pid)
if sys.argv[1] == "stopped":
    os.kill(pid, signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
    os.kill(pid, signal.SIGCONT)
    assert os.WIFCONTINUED(os.waitpid(pid, os.WCONTINUED)[1])
else:
    os.kill(pid, signal.SIGUSR1)
    if sys.argv[1] == "interrupted":
        until_asleep(pid)
near.send(b"done")
assert os.waitpid(pid, 0)[1] == 0
print(pid)
"""


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("interrupted", [-errno.EINTR, 4]),  # Python makes the call again by itself
        ("restarted", [4]),
        ("stopped", [4]),
    ],
)
def test_an_interrupted_call_is_as_often_there_as_the_program_made_it(
    traced: Callable[..., Traced], how: str, expected: list[int]
) -> None:
    done = traced(*python(SLEEPING, how))
    assert done.status == 0
    reads = [call for call in done.calls("recvfrom") if call.pid == done.said]
    assert results(reads) == expected
    assert all(call.exit_ns is not None and call.entry_ns < call.exit_ns for call in reads)
