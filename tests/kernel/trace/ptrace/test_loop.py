from __future__ import annotations

from collections.abc import Callable

import pytest
from ptraced import (
    Traced,
    python,
    results,
)

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_ptrace")]


FORKING = """
import os, socket
near, far = socket.socketpair()
told = [os.getpid(), near.fileno(), far.fileno()]
for number in range(3):
    pid = os.fork()
    if pid == 0:
        far.send(b"x" * (number + 1))
        os._exit(133)
    os.waitpid(pid, 0)
    told.append((pid, len(near.recv(10))))
print(told)
"""


def test_each_forked_process_is_followed(traced: Callable[..., Traced]) -> None:
    done = traced(*python(FORKING))
    assert isinstance(done.said, list)
    parent, _, far, *children = done.said
    assert [(c.pid, c.tid, c.arguments[0], c.result) for c in done.calls("sendto")] == [
        (pid, pid, far, length) for pid, length in children
    ]
    assert results(done.calls("recvfrom")) == [1, 2, 3]
    events = [(e.kind, e.pid, e.tid, e.parent_tid, e.shares_files) for e in done.trace.tasks]
    assert events == [
        ("start", parent, parent, 0, False),
        ("exec", parent, parent, 0, False),
        *(
            event
            for pid, _ in children
            for event in (("start", pid, pid, parent, False), ("exit", pid, pid, 0, False))
        ),
        ("exit", parent, parent, 0, False),
    ]
    assert {event.step for event in done.trace.tasks} == {"the step"}


THREADS = """
import os, socket, threading
told = {}
def work(number):
    near, far = socket.socketpair()
    for _ in range(50):
        near.send(b"y" * number)
        far.recv(100)
    told[threading.get_native_id()] = (number, near.fileno())
threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((os.getpid(), told))
"""


def test_each_thread_is_followed_and_shares_its_descriptors(traced: Callable[..., Traced]) -> None:
    done = traced(*python(THREADS))
    assert isinstance(done.said, tuple)
    pid, told = done.said
    for tid, (number, descriptor) in told.items():
        mine = [call for call in done.trace.syscalls if call.tid == tid]
        assert {call.pid for call in mine} == {pid}
        sent = [call for call in mine if call.name == "sendto"]
        assert [(c.arguments[0], c.result) for c in sent] == [(descriptor, number)] * 50
        assert len({call.socket for call in sent}) == 1
        assert results([call for call in mine if call.name == "recvfrom"]) == [number] * 50
    starts = {
        e.tid: (e.pid, e.parent_tid, e.shares_files)
        for e in done.trace.tasks[1:]
        if e.kind == "start"
    }
    assert starts == dict.fromkeys(told, (pid, pid, True))


EXEC_IN_A_THREAD = """
import os, sys, threading
code = "import os, socket; print((os.getpid(), [s.fileno() for s in socket.socketpair()]))"
argv = [sys.executable, "-IS", "-c", code]
threading.Thread(target=os.execv, args=(sys.executable, argv)).start()
threading.Event().wait()
"""


def test_a_thread_that_becomes_another_program_is_its_process(
    traced: Callable[..., Traced],
) -> None:
    done = traced(*python(EXEC_IN_A_THREAD))
    assert isinstance(done.said, tuple)
    pid, descriptors = done.said
    (made,) = done.calls("socketpair")
    assert (made.pid, made.tid) == (pid, pid)
    (pair,) = made.memory
    assert list(memoryview(pair.data).cast("i")) == descriptors
    execs = [event for event in done.trace.tasks if event.kind == "exec"]
    assert [(event.pid, event.tid) for event in execs] == [(pid, pid)] * 2
    assert done.trace.tasks[-1].kind == "exit"
