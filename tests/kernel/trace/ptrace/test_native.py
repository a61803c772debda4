"""Both loops record the same of the same programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ptraced import python, run_by_each

from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.trace.ptrace.tracer import PtraceTracer
from lab.model.topology import two_hosts
from lab.records import Syscall, Trace

kernel = pytest.mark.kernel

HEAD = """
import ctypes, errno, os, select, signal, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def client(family=socket.AF_INET, kind=socket.SOCK_STREAM, at="127.0.0.1", port=5000):
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((at, port))
    return made
"""

PROGRAMS = {
    "tcp": """
for family, at in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    listener = client(family, at=at, port=4242)
    listener.listen(3)
    for port in range(5000, 5004):
        near = client(family, at=at, port=port)
        near.connect((at, 4242))
        far, _ = listener.accept()
        near.send(b"x" * 300)
        far.recv(1000)
        if port % 2 == 0:
            near.shutdown(socket.SHUT_WR)
            far.recv(8)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        near.getpeername(), far.getsockname()
        far.close()
        near.recv(10)
        near.close()
    listener.close()
""",
    "failures": """
made = client(port=4243)
for call in (lambda: made.recv(5), lambda: made.send(b"y"), lambda: made.listen(-1),
             lambda: made.connect(("127.0.0.1", 9)), lambda: os.read(777, 3),
             lambda: os.close(-1), lambda: os.close(3000), lambda: os.write(1022, b"z")):
    try:
        call()
    except OSError:
        pass
room = ctypes.c_uint32(4)
name = ctypes.create_string_buffer(64)
libc.getsockname(made.fileno(), name, ctypes.byref(room))   # cut short
libc.getsockname(made.fileno(), name, None)
libc.getsockname(made.fileno(), ctypes.c_void_p(8), ctypes.byref(ctypes.c_uint32(16)))
libc.send(made.fileno(), ctypes.c_void_p(8), ctypes.c_size_t(100), 0)
libc.setsockopt(made.fileno(), 1, 2, None, 4)
libc.bind(made.fileno(), ctypes.c_void_p(-8 & (2**64 - 1)), 16)
""",
    "udp": """
near, far = client(kind=socket.SOCK_DGRAM), client(kind=socket.SOCK_DGRAM, port=5001)
for size in range(5):
    near.sendto(bytes(size * 50), ("127.0.0.1", 5001))
    far.recvfrom(90)
near.connect(("127.0.0.1", 5001))
near.sendmsg([b"a", b"bc"], [(socket.IPPROTO_IP, socket.IP_TTL, struct.pack("i", 3))])
far.recvmsg(50, 50)
os.writev(near.fileno(), [b"1", b"23"])
os.readv(far.fileno(), [bytearray(1), bytearray(9)])
""",
    "unix": """
near, far = socket.socketpair()
near.send(b"12345")
far.recv(2)
os.read(far.fileno(), 1)
far.recvmsg(9)
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0both-loops")
listener.listen()
other = socket.socket(socket.AF_UNIX)
other.connect("\\0both-loops")
other.send(b"first")
taken, _ = listener.accept()
taken.recv(3)
taken.close()
""",
    "descriptors": """
listener = client(port=4242)
listener.listen()
near = client()
near.connect(("127.0.0.1", 4242))
far, _ = listener.accept()
again = os.dup2(near.fileno(), 50)
os.write(50, b"by another name")
far.recv(100)
os.dup2(far.fileno(), 50)
os.write(50, b"from the other end")
near.recv(100)
os.dup2(near.fileno(), 1500)
os.write(1500, b"far up")
far.recv(100)
os.closerange(40, 60)
os.close(1500)
reader, writer = os.pipe()
os.write(writer, b"pipe")
os.read(reader, 10)
os.dup2(reader, near.fileno())
poll = select.poll()
poll.register(far, select.POLLIN)
poll.poll(0)
with select.epoll() as epoll:
    epoll.register(far, select.EPOLLIN)
    epoll.poll(0)
""",
    "interrupted": """
listener = client(port=4242)
listener.listen()
near = client()
near.connect(("127.0.0.1", 4242))
far, _ = listener.accept()
def answer(*_):
    near.send(b"in a handler")
def ignore(*_):
    pass
for handler in (answer, ignore):
    signal.signal(signal.SIGALRM, handler)
    signal.siginterrupt(signal.SIGALRM, handler is answer)
    for read in (lambda: far.recv(100), lambda: os.read(far.fileno(), 100)):
        if handler is ignore and os.fork() == 0:  # the call is made again, and waits for this
            time.sleep(0.2)
            near.send(b"from a child")
            os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        read()
        handler is ignore and os.wait()
signal.setitimer(signal.ITIMER_REAL, 0.02)
select.select([], [], [], 0.05)
near.send(b"after")
far.recv(100)
""",
    "processes": """
listener = client(port=4242)
listener.listen()
for port in (5000, 5001):
    near = client(port=port)
    near.connect(("127.0.0.1", 4242))
    far, _ = listener.accept()
    if os.fork() == 0:
        near.close()
        far.send(b"from a child")
        os._exit(0)
    os.wait()
    near.recv(100)
    far.close()
done = []
def work():
    near.send(b"from a thread")
    done.append(1)
thread = threading.Thread(target=work)
thread.start()
thread.join()
os.execv("/bin/true", ["/bin/true"])
""",
    "killed": """
listener = client(port=4242)
listener.listen()
near = client()
near.connect(("127.0.0.1", 4242))
far, _ = listener.accept()
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.setitimer(signal.ITIMER_REAL, 0.05)
far.recv(10)
""",
}

NOTHING_OF_THE_PROGRAMS = {"futex", "select", "pselect6", "clock_nanosleep"}


class Seen:
    """A trace in words that are the same in every run of a program."""

    def __init__(self, trace: Trace) -> None:
        self._numbers: dict[Any, int] = {}
        self.calls = [self._call(call) for call in trace.syscalls if self._is_own(call)]
        self.states = [
            (_last_entered(trace, s.tid, s.time_ns), self._number(s.tid), self._number(s.socket),
             s.new, s.local_address, s.local_port, s.remote_address, s.remote_port)
            for s in trace.states
        ]  # fmt: skip
        self.queues = [(self._number(q.socket), q.type, q.unread_bytes) for q in trace.queues]
        self.closings = [
            (c.state, c.local_address, c.local_port, c.remote_address, c.remote_port,
             c.receive_queue, c.send_queue, c.info is None, self._number(c.socket))
            for c in trace.closings
        ]  # fmt: skip
        self.tasks = [(t.kind, self._number(t.pid), self._number(t.tid)) for t in trace.tasks]

    def _is_own(self, call: Syscall) -> bool:
        return bool(call.socket) or call.name in ("close", "dup2", "pipe2", "socket")

    def _number(self, what: Any) -> int:
        return self._numbers.setdefault(what, len(self._numbers))

    def _call(self, call: Syscall) -> tuple[Any, ...]:
        ended = call.exit_ns is not None and call.exit_ns > call.entry_ns
        found = call.socket and self._number(call.socket)
        small = tuple(word if word < 1 << 20 else "address" for word in call.arguments)
        reads = [(m.argument, m.part, m.at_exit, m.data, m.length) for m in call.memory]
        if call.name == "epoll_ctl":
            reads = []
        return self._number(call.tid), call.name, small, call.result, ended, found, reads


def _last_entered(trace: Trace, tid: int, time_ns: int) -> str:
    """The call that a task had entered last at a time."""
    entered = [c.name for c in trace.syscalls if c.tid == tid and c.entry_ns < time_ns]
    return entered[-1] if entered else ""


@kernel
@pytest.mark.parametrize("name", PROGRAMS)
def test_both_loops_record_the_same(sandbox: Sandbox, compiled: Path, name: str) -> None:
    if reason := PtraceTracer.why_not():
        pytest.skip(reason)
    command = python(HEAD + PROGRAMS[name])
    traces = sandbox.call(run_by_each, two_hosts(), [None, compiled], command)
    by_python, by_c = map(Seen, traces)
    assert len(by_python.calls) > 5
    for what in ("calls", "states", "queues", "closings", "tasks"):
        assert getattr(by_c, what) == getattr(by_python, what), what
