"""What the tests of the ring reader do in a sandbox."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

from ring_programs import RING

from lab.kernel.system import libc
from lab.kernel.trace.bpf.call_reader import CallReader
from lab.kernel.trace.bpf.followed import FollowedNamespace, own_pid_namespace
from lab.kernel.trace.rings.ring_reader import RingReader
from lab.kernel.trace.rings.ring_records import RingRecord, parse_ring_records

MANY = 24576

PAIR = """
ring = Ring()
a, b = socket.socketpair()
files = at(struct.pack("<i", a.fileno()))
assert libc.syscall(427, ring.fd, 2, ctypes.c_void_p(files), 1) == 0
ring.do(SEND, a.fileno(), at(b"hello"), 5, tag=1)
ring.do(RECV, b.fileno(), at(bytes(3)), 3)
ring.do(RECV, 99, at(bytes(3)), 3)
ring.do(CLOSE, a.fileno())
"""
MANY_REQUESTS = f"""
ring = Ring()
a, b = socket.socketpair()
for _ in range({MANY}):
    ring.do(RECV, 99, 0, 0)
"""


def why_not() -> str:
    """Why this kernel makes no ring; "" if it does."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    ring = call(425, 1, ctypes.create_string_buffer(120))
    if ring < 0:
        return f"io_uring_setup: {os.strerror(ctypes.get_errno())}"
    os.close(ring)
    return ""


def of_a_program() -> tuple[list[RingRecord], int]:
    """What is seen of a program, and how much was lost."""
    return _seen(PAIR)


def of_many() -> tuple[list[RingRecord], int]:
    """What is seen of one that does more than the buffer takes."""
    return _seen(MANY_REQUESTS)


def of_another_namespace() -> tuple[list[RingRecord], int]:
    """What is seen of one in a pid namespace that is not the one followed."""
    followed = FollowedNamespace()
    reader = RingReader(followed)
    followed.follow(own_pid_namespace() + 1)
    _run(PAIR)
    return list(parse_ring_records(reader.take())), reader.lost


def of_a_namespace_beneath() -> tuple[list[RingRecord], int]:
    """What is seen of one in a pid namespace made inside the one followed."""
    followed = FollowedNamespace()
    reader, calls = RingReader(followed), CallReader(followed)
    followed.follow(own_pid_namespace())
    child = os.fork()
    if not child:
        libc.unshare(libc.CLONE_NEWPID, "make a pid namespace")
        _run(PAIR)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    calls.close()
    return list(parse_ring_records(reader.take())), reader.lost


def _seen(program: str) -> tuple[list[RingRecord], int]:
    followed = FollowedNamespace()
    reader = RingReader(followed)
    followed.follow(own_pid_namespace())
    _run(program)
    return list(parse_ring_records(reader.take())), reader.lost


def _run(program: str) -> None:
    subprocess.run([sys.executable, "-IS", "-c", RING + program], check=True, timeout=60)
