"""What is left to read in a unix socket is what the program finds there itself."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from ptraced import Traced, python

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_ptrace")]


def left(done: Traced) -> list[int]:
    return [queue.unread_bytes for queue in done.trace.queues]


READING = """
import fcntl, os, socket, sys, termios
near, far = socket.socketpair(socket.AF_UNIX, socket.SocketKind[sys.argv[1]])
told = []
def look():
    asked = fcntl.ioctl(far, termios.FIONREAD, bytes(4))
    told.append(int.from_bytes(asked, sys.byteorder))
for size in (5, 37, 7):
    near.send(bytes(size))
os.read(far.fileno(), 16)
look()
far.recv(16)
look()
far.recvmsg(64)
look()
print([f"inode {os.fstat(far.fileno()).st_ino}", told])
"""


@pytest.mark.parametrize(
    ("kind", "unread"),
    [
        ("SOCK_STREAM", [33, 17]),
        ("SOCK_SEQPACKET", [44, 7]),
        ("SOCK_DGRAM", [37, 7]),
    ],
)
def test_each_read_is_followed_by_what_it_left(
    traced: Callable[..., Traced], kind: str, unread: list[int]
) -> None:
    done = traced(*python(READING, kind))
    name, told = done.said
    assert told == [*unread, 0]
    assert left(done) == told
    assert {(q.socket, q.type, q.step) for q in done.trace.queues} == {(name, kind, "the step")}
    reads = [call for call in done.trace.syscalls if call.socket == name and call.result]
    reads = [call for call in reads if call.name in ("read", "recvfrom", "recvmsg")]
    for call, queue in zip(reads, done.trace.queues, strict=True):
        assert call.exit_ns is not None
        assert (call.tid, call.exit_ns <= queue.time_ns) == (queue.tid, True)


ACCEPTING = """
import os, socket
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0waiting")
listener.listen(2)
client = socket.socket(socket.AF_UNIX)
client.connect("\\0waiting")
client.send(b"sent before it was accepted")
server, _ = listener.accept()
second = socket.socket(socket.AF_UNIX)
second.connect("\\0waiting")
empty, _ = listener.accept()
try:
    os.read(listener.fileno(), 1)
except OSError as error:
    print([f"inode {os.fstat(server.fileno()).st_ino}", error.errno])
"""


def test_an_accepted_socket_may_have_something_to_read(traced: Callable[..., Traced]) -> None:
    done = traced(*python(ACCEPTING))
    name, refused = done.said
    assert refused == errno.EINVAL  # a socket that listens has no bytes to read
    (queue,) = done.trace.queues
    assert (queue.socket, queue.unread_bytes) == (name, len("sent before it was accepted"))


NOT_UNIX = """
import os, socket
listener = socket.create_server(("127.0.0.1", 4242))
client = socket.create_connection(("127.0.0.1", 4242))
server, _ = listener.accept()
client.send(b"of TCP")
server.recv(2)
near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
near.bind(("127.0.0.1", 0))
for _ in range(2):
    near.sendto(b"of UDP", near.getsockname())
near.recv(100)
reader, writer = os.pipe()
os.write(writer, b"of a pipe")
os.read(reader, 2)
"""


def test_only_unix_sockets_are_asked(traced: Callable[..., Traced]) -> None:
    done = traced(*python(NOT_UNIX))
    assert done.trace.queues == ()
    assert any(state.new == "ESTABLISHED" for state in done.trace.states)


EMPTY = """
import socket
near, far = socket.socketpair()
for _ in range(3):
    near.send(b"asked and told")
    far.recv(100)
"""


def test_a_queue_that_stays_empty_is_not_noted(traced: Callable[..., Traced]) -> None:
    done = traced(*python(EMPTY))
    assert len(done.calls("recvfrom")) == 3
    assert left(done) == []


INHERITED = """
import os, socket
near, far = socket.socketpair()
near.send(b"for two")
pid = os.fork()
if pid == 0:
    far.recv(3)
    os._exit(0)
os.waitpid(pid, 0)
far.recv(100)
print([os.getpid(), pid])
"""


def test_processes_share_a_sockets_queue(traced: Callable[..., Traced]) -> None:
    done = traced(*python(INHERITED))
    parent, child = done.said
    assert [(queue.tid, queue.unread_bytes) for queue in done.trace.queues] == [
        (child, 4),
        (parent, 0),
    ]
