"""Programs that use sockets by what is no call on them: that is named, and breaks no claim.

What they do by rings of io_uring(7) is seen by root's tracer alone (test_rings.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from ad_hoc_run import CONVERSE, AdHocRun, python

pytestmark = pytest.mark.kernel

UNDECIDED_STATUS = 4

SEND_BY_RING = """
import ctypes, mmap, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
parameters = ctypes.create_string_buffer(120)
ring = libc.syscall(425, 8, parameters)
assert ring >= 0, ctypes.get_errno()
of_queue = struct.unpack_from("<8I", parameters, 40)
tail, mask, array = of_queue[1], of_queue[2], of_queue[6]
queue = mmap.mmap(ring, array + 8 * 4)
entries = mmap.mmap(ring, 8 * 64, offset=0x10000000)
s = socket.create_connection(("{server}", {port}))
data = ctypes.create_string_buffer(b"by ring", 7)
SEND = 26
entries[:64] = struct.pack("<BBHiQQIIQ24x", SEND, 0, 0, s.fileno(), 0,
                           ctypes.addressof(data), 7, 0, 1)
queue[array:array + 4] = struct.pack("<I", 0)
queue[tail:tail + 4] = struct.pack("<I", 1)
assert libc.syscall(426, ring, 1, 1, 1, None, 0) == 1
s.shutdown(socket.SHUT_WR)
print(s.recv(100), s.recv(100))
"""
"""By io_uring_setup(2), a mapping of its submission queue, and io_uring_enter(2)."""

TAKE_AND_SEND = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
out, into = os.pipe()
child = os.fork()
if not child:
    s = socket.create_connection(("{server}", {port}))
    os.write(into, bytes([s.fileno()]))
    print(s.recv(100), s.recv(100), flush=True)
    os._exit(0)
number = os.read(out, 1)[0]
taken = libc.syscall(438, os.pidfd_open(child), number, 0)
assert taken >= 0, ctypes.get_errno()
s = socket.socket(fileno=taken)
s.sendall(b"by another")
s.shutdown(socket.SHUT_WR)
os.waitpid(child, 0)
"""
"""By pidfd_getfd(2), of a child: Yama lets a parent."""

I386_CALL = """
import ctypes, mmap, socket
MAP_32BIT = 0x40
below = mmap.mmap(-1, 8192, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT,
                  mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
# long call(number, fd, count, buffer): ebx, ecx, edx are fd, buffer, count
code = "53 89 f8 89 f3 cd 80 5b c3"
below[:9] = bytes.fromhex(code)
below[4096:4104] = b"by int80"
at = ctypes.addressof(ctypes.c_char.from_buffer(below))
call = ctypes.CFUNCTYPE(*[ctypes.c_int] * 5)(at)
"""

SEND_BY_I386_TABLE = (
    I386_CALL
    + """
s = socket.create_connection(("{server}", {port}))
print(call(4, s.fileno(), 8, at + 4096))
s.shutdown(socket.SHUT_WR)
print(s.recv(100), s.recv(100))
"""
)
"""By the instruction int 0x80, as programs of 32 bits do: 4 is their write(2)."""

TAKE_TWO = """
import socket
listener = socket.create_server(("", {port}))
for peer in [listener.accept()[0] for _ in range(2)]:
    print(peer.recv(100))
    peer.close()
"""
COPY_BY_I386_TABLE = (
    I386_CALL
    + """
first, second = (socket.create_connection(("{server}", {port})) for _ in range(2))
print(call(63, second.fileno(), 0, first.fileno()))
first.sendall(b"elsewhere")
first.close()
"""
)
"""63 is their dup2(2): what is sent on the first's descriptor goes through the second."""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="no i386 table")
def test_what_is_sent_by_a_call_of_32_bits_is_undecided_and_named(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(CONVERSE), python(SEND_BY_I386_TABLE), trace="auto")
    if run.wrote["client"].startswith("-38") or "SIGSEGV" in run.done.stdout:
        pytest.skip("this kernel has no calls of 32 bits (CONFIG_IA32_EMULATION)")
    assert run.wrote["client"] == "8\nb'BY INT80' b''\n"
    assert run.verdicts["ad-hoc-stream-bytes"] == "UNDECIDED"
    assert "BROKEN" not in run.verdicts.values()
    assert run.done.returncode == UNDECIDED_STATUS
    text = " ".join(run.done.stdout.split())
    assert "client called write(2) by the i386 table, whose calls are not followed" in text


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="no i386 table")
@pytest.mark.parametrize("trace", ["auto", "ptrace"])
def test_a_descriptor_that_a_call_of_32_bits_moved_breaks_nothing(
    ad_hoc: Callable[..., AdHocRun], trace: str
) -> None:
    run = ad_hoc(python(TAKE_TWO), python(COPY_BY_I386_TABLE), trace=trace)
    if run.wrote["client"].startswith("-38") or "SIGSEGV" in run.done.stdout:
        pytest.skip("this kernel has no calls of 32 bits (CONFIG_IA32_EMULATION)")
    assert run.wrote["server"] == "b''\nb'elsewhere'\n"
    assert "BROKEN" not in run.verdicts.values()
    text = " ".join(run.done.stdout.split())
    if run.verdicts["ad-hoc-stream-bytes"] == "UNDECIDED":
        assert "client called dup2(2) by the i386 table, whose calls are not followed" in text


def test_what_is_sent_by_a_ring_is_undecided_and_named(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(CONVERSE), python(SEND_BY_RING), trace="ptrace")
    if "AssertionError" in run.done.stdout:
        pytest.skip("io_uring is disabled here (kernel.io_uring_disabled)")
    assert run.wrote["client"] == "b'BY RING' b''\n"
    assert run.verdicts["ad-hoc-stream-bytes"] == "UNDECIDED"
    assert run.done.returncode == UNDECIDED_STATUS
    text = " ".join(run.done.stdout.split())
    assert "client called io_uring_setup(2), and what the ring of io_uring(7) does" in text


def test_a_socket_taken_from_another_process_breaks_nothing(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(CONVERSE), python(TAKE_AND_SEND), trace="auto")
    if "AssertionError" in run.done.stdout:
        pytest.skip("no descriptor may be taken from another process here")
    assert run.wrote["client"] == "b'BY ANOTHER' b''\n"
    assert run.verdicts["ad-hoc-stream-bytes"] in ("HOLDS", "UNDECIDED")
    assert "BROKEN" not in run.verdicts.values()
