"""What a traced call's pointers point to is what the program gave and got."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import pytest
from ptraced import Traced, python

from lab.records import MEMORY_LIMIT_BYTES, Memory

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_ptrace")]


MESSAGES = """
import array, os, socket
near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1]))]
near.sendmsg([b"head ", b"", b"b" * 200], rights)
data, control, *_ = far.recvmsg(1000, 100)
os.writev(near.fileno(), [b"one", b"two"])
os.readv(far.fileno(), [bytearray(2), bytearray(10)])
print(len(data))
"""


def test_messages_are_read_from_all_their_parts(traced: Callable[..., Traced]) -> None:
    done = traced(*python(MESSAGES))
    whole = b"head " + b"b" * 200
    for name in ("sendmsg", "recvmsg"):
        (call,) = done.calls(name)
        parts = {memory.part: memory for memory in call.memory}
        assert parts["data"] == Memory(1, "data", name == "recvmsg", whole[:128], len(whole))
        assert parts["control"].length >= 20 and len(parts["control"].data) >= 20
    for name in ("writev", "readv"):
        (call,) = done.calls(name)
        assert call.memory == (Memory(1, "", name == "readv", b"onetwo", 6),)


ADDRESSES = """
import ctypes, socket
sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent.bind(("127.0.0.1", 4243))
sent.sendto(b"z" * 300, ("127.0.0.1", 4243))
sent.recvfrom(1000)
sent.connect(("127.0.0.1", 4243))
ctypes.CDLL(None).send(sent.fileno(), 1, 10, 0)
print(sent.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))
"""


def test_pointers_are_followed_as_far_as_there_is_memory(traced: Callable[..., Traced]) -> None:
    done = traced(*python(ADDRESSES))
    address = (
        socket.AF_INET.to_bytes(2, "little") + (4243).to_bytes(2, "big") + b"\x7f\0\0\1" + bytes(8)
    )
    text = b"z" * MEMORY_LIMIT_BYTES
    (bind,) = done.calls("bind")
    assert bind.memory == (Memory(1, "", False, address, 16),)
    sent, bad = done.calls("sendto")
    assert sent.memory == (Memory(1, "", False, text, 300), Memory(4, "", False, address, 16))
    (read,) = done.calls("recvfrom")
    assert read.memory == (Memory(1, "", True, text, 300), Memory(4, "", True, address, 16))
    assert (bad.memory, bad.result) == ((), -errno.EFAULT)
    (option,) = done.calls("getsockopt")[-1:]
    assert [memory.data for memory in option.memory] == [socket.SOCK_DGRAM.to_bytes(4, "little")]
