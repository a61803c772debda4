"""What a system call's arguments and what they point to hold, as far as descriptors go.

Numbers are those of little-endian machines of 64 bits: x86_64 and aarch64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from lab.records import Memory, Syscall

SOL_SOCKET, SCM_RIGHTS, SCM_CREDENTIALS = 1, 1, 2
_CONTROL_HEADER = struct.Struct("<Qii")
"""struct cmsghdr, cmsg(3)."""
_POLLFD_BYTES = 8
"""struct pollfd, poll(2)."""


def descriptor_of(argument: int) -> int:
    """An argument as the kernel takes it for a descriptor: a signed int of 32 bits."""
    number = argument & 0xFFFFFFFF
    return number - 2**32 if number >= 2**31 else number


def pointer_argument(call: Syscall, argument: int, part: str = "") -> Memory | None:
    """What an argument of the call points to, where it was read."""
    for memory in call.memory:
        if memory.argument == argument and memory.part == part:
            return memory
    return None


def numbers_in(data: bytes) -> tuple[int, ...]:
    """An array of int."""
    count = len(data) // 4
    return struct.unpack(f"<{count}i", data[: count * 4])


def two_descriptors(call: Syscall, argument: int) -> tuple[int, ...]:
    """The pair that the kernel wrote (pipe(2), socketpair(2)); none where it was not read."""
    memory = pointer_argument(call, argument)
    return numbers_in(memory.data[:8]) if memory and len(memory.data) >= 8 else ()


def control_messages(control: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Level, type and data of each control message, as far as these bytes go. Source: cmsg(3)."""
    at, header = 0, _CONTROL_HEADER.size
    while at + header <= len(control):
        length, level, kind = _CONTROL_HEADER.unpack_from(control, at)
        if length < header:
            return
        yield level, kind, control[at + header : at + length]
        at += (length + 7) & ~7


def passed_descriptors(control: bytes) -> tuple[int, ...]:
    """The descriptors in control messages SCM_RIGHTS. Source: unix(7)."""
    return tuple(
        number
        for level, kind, data in control_messages(control)
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS)
        for number in numbers_in(data)
    )


def polled_descriptors(data: bytes) -> Iterator[int]:
    """The descriptors of an array of struct pollfd. Source: poll(2)."""
    return (numbers_in(data[at : at + 4])[0] for at in range(0, len(data) - 7, _POLLFD_BYTES))
