"""Descriptors and control messages in a system call's arguments and in what they point to.

Layouts are those of little-endian machines of 64 bits: x86_64 and aarch64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from lab.records import Memory, Syscall
from lab.syscalls.table import MSG_LEN_BYTES

SOL_SOCKET, SCM_RIGHTS, SCM_CREDENTIALS = 1, 1, 2
_CONTROL_HEADER = struct.Struct("<Qii")
"""struct cmsghdr, cmsg(3)."""
_POLLFD_BYTES = 8
"""struct pollfd, poll(2)."""


def descriptor_of(argument: int) -> int:
    """The argument as a descriptor: a signed int of 32 bits, as the kernel reads it."""
    number = argument & 0xFFFFFFFF
    return number - 2**32 if number >= 2**31 else number


def pointer_argument(call: Syscall, argument: int, part: str = "") -> Memory | None:
    """What an argument of the call points to, or None if it was not read."""
    for memory in call.memory:
        if memory.argument == argument and memory.part == part:
            return memory
    return None


def numbers_in(data: bytes) -> tuple[int, ...]:
    """The numbers in an array of int."""
    count = len(data) // 4
    return struct.unpack(f"<{count}i", data[: count * 4])


def two_descriptors(call: Syscall, argument: int) -> tuple[int, ...]:
    """The pair that pipe(2) or socketpair(2) wrote, or () if it was not read."""
    memory = pointer_argument(call, argument)
    return numbers_in(memory.data[:8]) if memory and len(memory.data) >= 8 else ()


def message_lengths(call: Syscall) -> tuple[int, ...] | None:
    """How many bytes each message has that sendmmsg(2) or recvmmsg(2) moved, of those it returned.

    None where there are more than were read.
    """
    if call.result is None or call.result < 0:
        return None
    count = call.result
    memory = pointer_argument(call, 1)
    # Older recordings have the first bytes of the struct mmsghdr[] itself.
    length = count * MSG_LEN_BYTES
    if memory is None or memory.length != length or len(memory.data) < length:
        return () if count == 0 else None
    return struct.unpack(f"<{count}I", memory.data)


def control_messages(control: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Level, type and data of each control message in these bytes. Source: cmsg(3)."""
    at, header = 0, _CONTROL_HEADER.size
    while at + header <= len(control):
        length, level, kind = _CONTROL_HEADER.unpack_from(control, at)
        if length < header:
            return
        yield level, kind, control[at + header : at + length]
        at += (length + 7) & ~7


def passed_descriptors(control: bytes) -> tuple[int, ...]:
    """The descriptors in SCM_RIGHTS control messages. Source: unix(7)."""
    return tuple(
        number
        for level, kind, data in control_messages(control)
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS)
        for number in numbers_in(data)
    )


def polled_descriptors(data: bytes) -> Iterator[int]:
    """The descriptors in an array of struct pollfd. Source: poll(2)."""
    return (numbers_in(data[at : at + 4])[0] for at in range(0, len(data) - 7, _POLLFD_BYTES))
