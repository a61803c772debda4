"""A program that makes every system call of the table, and prints what its pointers point to.

Its one argument is the calls' numbers, in JSON. Each call goes straight to the kernel, with
memory of its own, so that nothing else is between the two writes to descriptor -1 which mark
the beginning and the end. Output: JSON, for each call its number, its result and its memory as
(argument, part, at_exit, hexadecimal, length).
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import sys

NUMBERS = json.loads(sys.argv[1])
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
LIMIT = 128

made: list[tuple[int, int, list[tuple[int, str, bool, str, int]]]] = []
held: list[object] = []


def buffer(data: bytes) -> int:
    """The address of a copy that stays."""
    kept = ctypes.create_string_buffer(data, len(data))
    held.append(kept)
    return ctypes.addressof(kept)


def call(name: str, *arguments: int) -> int:
    if name not in NUMBERS:
        return -1
    result: int = LIBC.syscall(
        ctypes.c_long(NUMBERS[name]), *(ctypes.c_ulong(a & (1 << 64) - 1) for a in arguments)
    )
    made.append((NUMBERS[name], result, []))
    return result


def shows(argument: int, at: int, length: int, at_exit: bool = False, part: str = "") -> None:
    """The last call's argument points there, and that is now as it was when it was read."""
    kept = ctypes.string_at(at, min(length, LIMIT))
    made[-1][2].append((argument, part, at_exit, kept.hex(), length))


def shows_bytes(
    argument: int, data: bytes, length: int, at_exit: bool = False, part: str = ""
) -> None:
    """The same with its bytes, where they are not to be found at one address any more."""
    made[-1][2].append((argument, part, at_exit, data[:LIMIT].hex(), length))


def vectors(*sizes_or_data: bytes) -> tuple[int, int]:
    """The address of a struct iovec[] of copies of these, and how many it has."""
    packed = b"".join(struct.pack("=QQ", buffer(data), len(data)) for data in sizes_or_data)
    return buffer(packed), len(sizes_or_data)


def message(name: bytes, data: tuple[bytes, ...], control: bytes) -> int:
    at, count = vectors(*data)
    parts = (buffer(name) if name else 0, len(name), at, count)
    return buffer(struct.pack("=QI4xQQQQI4x", *parts, buffer(control), len(control), 0))


ADDRESS_BYTES = 16


def ipv4(port: int) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, b"\x7f\0\0\1")


def told(name: str, argument: int, *arguments: int, room: int = ADDRESS_BYTES) -> int:
    """A call whose pointer and pointer to a length are these two arguments."""
    at, length = buffer(bytes(64)), buffer(struct.pack("=I", room))
    result = call(name, *arguments[:argument], at, length, *arguments[argument:])
    if name in NUMBERS and result >= 0:
        (length_now,) = struct.unpack("=I", ctypes.string_at(length, 4))
        shows_bytes(argument, ctypes.string_at(at, min(room, length_now)), length_now, at_exit=True)
    return result


def tcp() -> None:
    listener = call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    address = buffer(ipv4(0))
    one = buffer(struct.pack("=i", 1))
    call("setsockopt", listener, socket.SOL_SOCKET, socket.SO_REUSEADDR, one, 4)
    shows(3, one, 4)
    call("bind", listener, address, ADDRESS_BYTES)
    shows(1, address, ADDRESS_BYTES)
    call("listen", listener, 5)
    told("getsockname", 1, listener)
    own = struct.unpack_from("!H", bytes.fromhex(made[-1][2][0][3]), 2)[0]
    there = buffer(ipv4(own))
    clients = []
    for _ in range(3):
        clients.append(call("socket", socket.AF_INET, socket.SOCK_STREAM, 0))
        # Only the lower 32 bits are the kernel's: nobody's are above them.
        call("connect", clients[-1], there, 0xABCD << 32 | ADDRESS_BYTES)
        shows(1, there, ADDRESS_BYTES)
    accepted = told("accept", 1, listener)
    told("accept4", 1, listener, socket.SOCK_CLOEXEC, room=4)
    call("accept4", listener, 0, 0, 0)
    told("getpeername", 1, accepted)
    told("getsockopt", 3, accepted, socket.SOL_SOCKET, socket.SO_TYPE, room=4)
    hello = buffer(b"hello, over there")
    call("sendto", clients[0], hello, 17, 0, 0, 0)
    shows(1, hello, 17)
    into = buffer(bytes(300))
    call("recvfrom", accepted, into, 300, 0, 0, 0)
    shows(1, into, 17, at_exit=True)
    call("shutdown", clients[0], socket.SHUT_WR)
    call("read", accepted, into, 300)
    shows(1, into, 0, at_exit=True)
    call("close", clients[0])


def bound() -> tuple[int, bytes]:
    """A UDP socket and its address."""
    end = call("socket", socket.AF_INET, socket.SOCK_DGRAM, 0)
    address = buffer(ipv4(0))
    call("bind", end, address, ADDRESS_BYTES)
    shows(1, address, ADDRESS_BYTES)
    told("getsockname", 1, end)
    return end, bytes.fromhex(made[-1][2][0][3])


def udp() -> None:
    (near, here), (far, there) = bound(), bound()
    to = buffer(there)
    for text in (b"a datagram", b"one that is cut short"):
        sent = buffer(text)
        call("sendto", near, sent, len(text), 0, to, ADDRESS_BYTES)
        shows(1, sent, len(text))
        shows(4, to, ADDRESS_BYTES)
    into, sender, length = buffer(bytes(200)), buffer(bytes(16)), buffer(struct.pack("=I", 16))
    call("recvfrom", far, into, 200, 0, sender, length)
    shows(1, into, 10, at_exit=True)
    shows(4, sender, 16, at_exit=True)
    call("recvfrom", far, into, 4, socket.MSG_TRUNC, 0, 0)
    shows_bytes(1, b"one ", 21, at_exit=True)
    data = (b"x" * 100, b"", b"y" * 100, b"z")
    call("sendmsg", near, message(there, data, b""), 0)
    shows_bytes(1, there, 16, part="name")
    shows_bytes(1, b"".join(data), 201, part="data")
    shows_bytes(1, b"", 0, part="control")
    call("recvmsg", far, message(bytes(32), (bytes(50), bytes(500)), bytes(64)), 0)
    shows_bytes(1, here, 16, at_exit=True, part="name")
    shows_bytes(1, b"".join(data), 201, at_exit=True, part="data")
    shows_bytes(1, b"", 0, at_exit=True, part="control")
    several(near, far, there)


def several(near: int, far: int, there: bytes) -> None:
    """Two messages at once, each of which the kernel gives its length behind its header."""

    def headers(*messages: int) -> int:
        return buffer(b"".join(ctypes.string_at(each, 56) + bytes(8) for each in messages))

    texts = (b"the first", b"the second one")
    sent = headers(*(message(there, (text,), b"") for text in texts))
    # Only the lower 32 bits of vlen are the kernel's.
    call("sendmmsg", near, sent, 0xABCD << 32 | 2, 0)
    shows_bytes(1, struct.pack("=2I", 9, 14), 8, at_exit=True)
    got = headers(*(message(bytes(16), (bytes(50),), b"") for _ in range(3)))
    call("recvmmsg", far, got, 3, socket.MSG_DONTWAIT, 0)
    shows_bytes(1, struct.pack("=2I", 9, 14), 8, at_exit=True)
    lengths = [struct.unpack_from("=I", ctypes.string_at(got, 128), at)[0] for at in (56, 120)]
    assert lengths == [9, 14], lengths
    call("recvmmsg", far, got, 3, socket.MSG_DONTWAIT, 0)


def unix() -> None:
    pair = buffer(bytes(8))
    call("socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0, pair)
    shows(3, pair, 8, at_exit=True)
    near, far = struct.unpack("=ii", ctypes.string_at(pair, 8))
    rights = struct.pack("=QIIi4x", 20, socket.SOL_SOCKET, socket.SCM_RIGHTS, 1)
    call("sendmsg", near, message(b"", (b"with a descriptor",), rights), 0)
    shows_bytes(1, b"with a descriptor", 17, part="data")
    shows_bytes(1, rights, 24, part="control")
    control = bytes(64)
    got = message(b"", (bytes(4), bytes(4), bytes(100)), control)
    call("recvmsg", far, got, socket.MSG_PEEK)
    shows_bytes(1, b"with a descriptor", 17, at_exit=True, part="data")
    (at,) = struct.unpack_from("=Q", ctypes.string_at(got, 56), 32)
    (length,) = struct.unpack_from("=Q", ctypes.string_at(got, 56), 40)
    shows(1, at, length, at_exit=True, part="control")
    held.append(control)


def pipes() -> None:
    ends = buffer(bytes(8))
    call("pipe", ends)
    shows(0, ends, 8, at_exit=True)
    call("pipe2", ends, os.O_CLOEXEC)
    shows(0, ends, 8, at_exit=True)
    out, into = struct.unpack("=ii", ctypes.string_at(ends, 8))
    long = buffer(bytes(range(256)) * 4)
    call("write", into, long, 1024)
    shows(1, long, 1024)
    space = buffer(bytes(1024))
    call("read", out, space, 1024)
    shows(1, space, 1024, at_exit=True)
    data = tuple(bytes([65 + number]) * 10 for number in range(8))
    call("writev", into, *vectors(*data))
    shows_bytes(1, b"".join(data), 80)
    call("readv", out, *vectors(*(bytes(7) for _ in range(9))))
    shows_bytes(1, b"".join(data)[:56], 63, at_exit=True)
    call("pwritev2", into, *vectors(b"of no", b" position"), -1, 0, 0)
    shows_bytes(1, b"of no position", 14)
    call("preadv2", out, *vectors(bytes(24), bytes(24)), -1, 0, 0)
    shows_bytes(1, b"".join(data)[63:] + b"of no position", 31, at_exit=True)
    call("writev", into, *vectors(b"a" * 128, b"b" * 500))
    shows_bytes(1, b"a" * 128, 628)
    call("splice", out, 0, into, 0, 0, 0)
    call("sendfile", into, out, 0, 0)


def waiting() -> None:
    near, far = call("dup", 0), call("dup", 1)
    fds = buffer(struct.pack("=ihhihh", near, 0, 0, far, 4, 0))
    for name, more in (("poll", (0,)), ("ppoll", (buffer(bytes(16)), 0, 8))):
        # Only the lower 32 bits of nfds are the kernel's.
        if call(name, fds, 0xABCD << 32 | 2, *more) >= 0:
            shows(0, fds, 16, at_exit=True)
    call("select", 0, 0, 0, 0, buffer(bytes(16)))
    call("pselect6", 0, 0, 0, 0, buffer(bytes(16)), 0)
    call("epoll_create", 1)
    watch = call("epoll_create1", 0)
    event = buffer(struct.pack("=IQ", 4, 0x1122334455667788).ljust(16, b"\xee"))
    call("epoll_ctl", watch, 1, far, event)
    shows(3, event, 16)
    events = buffer(bytes(64))
    none = buffer(bytes(16))
    for name, more in (
        ("epoll_wait", (0,)),
        ("epoll_pwait", (0, 0, 8)),
        ("epoll_pwait2", (none, 0, 8)),
    ):
        if call(name, watch, events, 4, *more) >= 0:
            shows(1, events, 16, at_exit=True)


def descriptors() -> None:
    one = call("dup", 1)
    call("dup2", one, 200)
    call("dup3", one, 201, os.O_CLOEXEC)
    call("fcntl", one, 1, 0)
    call("close_range", 200, 201, 0)


def hiding() -> None:
    call("io_uring_setup", 0, buffer(bytes(120)))
    call("io_uring_enter", -1, 0, 0, 0, 0, 0)
    files = buffer(struct.pack("=2i", -1, 7))
    call("io_uring_register", -1, 2, files, 0xABCD << 32 | 2)
    shows(2, files, 8)
    call("io_submit", 0, 0, 0)
    call("pidfd_getfd", -1, 0, 0)


def failing() -> None:
    """In calls that fail, what they were given is there and nothing that they would have given."""
    given = buffer(b"to nobody")
    call("write", -1, given, 9)
    shows(1, given, 9)
    call("read", -1, given, 9)
    call("recvfrom", -1, given, 9, 0, given, given)
    call("socketpair", socket.AF_INET, socket.SOCK_STREAM, 0, given)


def unreadable() -> None:
    """What cannot be read is not there; of several buffers, those before it are."""
    nowhere = 1
    call("write", -1, nowhere, 9)
    call("write", -1, 0, 9)
    call("bind", -1, buffer(b"abc"), 0)
    shows_bytes(1, b"", 0)
    call("writev", -1, nowhere, 2)
    packed = struct.pack("=6Q", buffer(b"first"), 5, nowhere, 7, buffer(b"third"), 5)
    call("writev", -1, buffer(packed), 3)
    shows_bytes(1, b"first", 17)
    call("sendmsg", -1, nowhere, 0)


def bring_up_loopback() -> None:
    """A new network namespace's is down. Source: netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("=16sh22x", b"lo", 0x1)
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS, IFF_UP


def main() -> None:
    bring_up_loopback()
    call("write", -1, buffer(b"begin"), 5)
    shows_bytes(1, b"begin", 5)
    for part in (tcp, udp, unix, pipes, waiting, descriptors, hiding, failing, unreadable):
        part()
    call("write", -1, buffer(b"end"), 3)
    shows_bytes(1, b"end", 3)
    print(json.dumps(made))


main()
