"""The pointer arguments of a stopped task's system call, read from its memory.

The task must not run meanwhile. lab.syscalls.table says what is where.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence

from lab.records import MEMORY_LIMIT_BYTES
from lab.syscalls.table import (
    BARE,
    CALLS,
    MMSGHDR_BYTES,
    MOST_MESSAGES,
    MSG_LEN_AT,
    MSG_LEN_BYTES,
    Layout,
    Pointer,
    Size,
)

Read = tuple[int, str, bool, bytes, int]
"""The fields of a lab.records.Memory, in their order."""
Before = dict[int, tuple[int, ...]]
"""The sizes that limit what the kernel writes, as they were before the call, by argument: after
it they say how much the kernel would have written."""

MOST_IOVECS = 1024  # IOV_MAX, beyond which the kernel refuses the call

_U32 = struct.Struct("=I")
_IOVEC = struct.Struct("=QQ")
_MSGHDR = struct.Struct("=QI4xQQQQ")  # name, namelen, iov, iovlen, control, controllen
INT_LENGTHS = ("addrlen", "optlen")
"""Arguments that are 32 bits wide: the upper half of their register means nothing."""


class ProcessMemory:
    """One process's memory, open for reading until it calls execve(2)."""

    __slots__ = ("_descriptor", "_tid")

    def __init__(self, tid: int) -> None:
        self._tid = tid
        self._descriptor = -1

    def read(self, address: int, length: int) -> bytes:
        """The bytes at the address, fewer if not all of them can be read."""
        try:
            return os.pread(self.fileno(), length, address)
        except (OSError, OverflowError):
            return b""

    def fileno(self) -> int:
        """The descriptor to read it from. Raises OSError."""
        if self._descriptor < 0:
            self._descriptor = os.open(f"/proc/{self._tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        return self._descriptor

    def close(self) -> None:
        """Close it; the next read opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


Length = Callable[[ProcessMemory, Sequence[int], int], int]
"""A function of the process's memory, the call's arguments and its result: a length in bytes."""


class CallPointers:
    """The pointer arguments of one system call, and how to read what they point to."""

    __slots__ = ("_before", "_entry", "_exit", "all", "has_entry", "has_exit", "needs_before")

    def __init__(self, name: str) -> None:
        shape = CALLS.get(name, BARE)
        pairs = [(pointer, _length_of(pointer, shape.arguments)) for pointer in shape.pointers]
        self._entry = tuple(pair for pair in pairs if not pair[0].at_exit)
        self._exit = tuple(pair for pair in pairs if pair[0].at_exit)
        self._before = tuple(p for p, _ in self._exit if _is_sized_before(p))
        self.has_entry, self.has_exit = bool(self._entry), bool(self._exit)
        self.needs_before = bool(self._before)
        self.all = tuple(pointer for pointer, _ in pairs)

    def read_before(self, memory: ProcessMemory, arguments: Sequence[int]) -> Before:
        """The sizes that the call will overwrite and that are needed at its exit."""
        before: Before = {}
        for pointer in self._before:
            place = pointer.argument
            if not arguments[place]:
                continue
            if pointer.layout is Layout.MSGHDR:
                before[place] = _unpacked(_MSGHDR, memory.read(arguments[place], _MSGHDR.size))
            else:
                before[place] = _unpacked(_U32, memory.read(arguments[pointer.number], 4))
        return before

    def read_at_entry(self, memory: ProcessMemory, arguments: Sequence[int]) -> list[Read]:
        """What the pointers point to that the kernel reads."""
        reads: list[Read] = []
        for pointer, length_of in self._entry:
            if arguments[pointer.argument]:
                _read(memory, pointer, length_of, arguments, 0, (), reads)
        return reads

    def read_at_exit(
        self, memory: ProcessMemory, arguments: Sequence[int], result: int, before: Before
    ) -> list[Read]:
        """What the pointers point to that the kernel filled, in a call that succeeded."""
        reads: list[Read] = []
        for pointer, length_of in self._exit:
            place = pointer.argument
            if arguments[place]:
                sizes = before.get(place, ())
                _read(memory, pointer, length_of, arguments, result, sizes, reads)
        return reads


def _is_sized_before(pointer: Pointer) -> bool:
    return pointer.size is Size.VALUE_RESULT or pointer.layout is Layout.MSGHDR


def _length_of(pointer: Pointer, arguments: Sequence[str]) -> Length | None:
    """The function for the length of plain bytes, or None for another layout."""
    number, after = pointer.number, pointer.argument + 1
    if pointer.layout is not Layout.BYTES:
        return None
    match pointer.size:
        case Size.ARGUMENT:
            mask = 0xFFFFFFFF if arguments[number] in INT_LENGTHS else 0xFFFFFFFFFFFFFFFF
            return lambda _, values, __: values[number] & mask
        case Size.RESULT:
            return lambda _, __, result: result * number
        case Size.ITEMS:
            return lambda _, values, __: values[after] * number
        case Size.VALUE_RESULT:
            return lambda memory, values, _: _u32_at(memory, values[number])
        case Size.FIXED:
            return lambda *_: number


def _read(
    memory: ProcessMemory,
    pointer: Pointer,
    length_of: Length | None,
    arguments: Sequence[int],
    result: int,
    before: tuple[int, ...],
    reads: list[Read],
) -> None:
    """Append what one pointer points to to the reads."""
    place = pointer.argument
    address = arguments[place]
    if length_of is not None:
        length = wanted = length_of(memory, arguments, result)
        if wanted > MEMORY_LIMIT_BYTES:
            wanted = MEMORY_LIMIT_BYTES
        if before and before[0] < wanted:
            wanted = before[0]
        if wanted > 0 and (data := memory.read(address, wanted)):
            reads.append((place, "", pointer.at_exit, data, length))
    elif pointer.layout is Layout.MSGHDR:
        reads += _message(memory, pointer, address, result, before)
    elif pointer.layout is Layout.MMSGHDR:
        data = _message_lengths(memory, address, min(result, MOST_MESSAGES))
        _keep(reads, place, "", pointer.at_exit, data, result * MSG_LEN_BYTES)
    else:
        data, length = _gathered(memory, address, arguments[place + 1])
        _keep(reads, place, "", pointer.at_exit, data, result if pointer.at_exit else length)


def _keep(
    reads: list[Read], argument: int, part: str, at_exit: bool, data: bytes, length: int
) -> None:
    """Append a read, cut to its length and to MEMORY_LIMIT_BYTES, unless it is empty."""
    if data and length > 0:
        reads.append((argument, part, at_exit, data[: min(length, MEMORY_LIMIT_BYTES)], length))


def _u32_at(memory: ProcessMemory, address: int) -> int:
    """A u32 in the memory, or 0 if it cannot be read."""
    return (_unpacked(_U32, memory.read(address, _U32.size)) or (0,))[0]


def _unpacked(layout: struct.Struct, data: bytes) -> tuple[int, ...]:
    return layout.unpack(data) if len(data) == layout.size else ()


def _gathered(memory: ProcessMemory, address: int, count: int) -> tuple[bytes, int]:
    """The first bytes of the buffers of a struct iovec[], and the sum of their lengths."""
    array = memory.read(address, _IOVEC.size * min(count, MOST_IOVECS))
    array = array[: len(array) - len(array) % _IOVEC.size]
    data, length, is_whole = b"", 0, True
    for start, size in _IOVEC.iter_unpack(array):
        length += size
        wanted = min(size, MEMORY_LIMIT_BYTES - len(data))
        if wanted and is_whole:
            part = memory.read(start, wanted)
            is_whole = len(part) == wanted
            data += part
    return data, length


def _message_lengths(memory: ProcessMemory, address: int, count: int) -> bytes:
    """The msg_len of each of so many struct mmsghdr."""
    headers = memory.read(address, count * MMSGHDR_BYTES)
    places = range(MSG_LEN_AT, len(headers) - MSG_LEN_BYTES + 1, MMSGHDR_BYTES)
    return b"".join(headers[at : at + MSG_LEN_BYTES] for at in places)


def _message(
    memory: ProcessMemory, pointer: Pointer, address: int, result: int, before: tuple[int, ...]
) -> list[Read]:
    """The parts of a struct msghdr; at an exit, with the sizes that the kernel has written."""
    header = _unpacked(_MSGHDR, memory.read(address, _MSGHDR.size))
    reads: list[Read] = []
    if not header:
        return reads
    name, name_length, vector, count, control, control_length = header
    room = min(name_length, before[1]) if before else name_length
    place, at_exit = pointer.argument, pointer.at_exit
    if name:
        found = memory.read(name, min(room, MEMORY_LIMIT_BYTES))
        _keep(reads, place, "name", at_exit, found, name_length)
    data, length = _gathered(memory, vector, count)
    _keep(reads, place, "data", at_exit, data, result if at_exit else length)
    if control:
        found = memory.read(control, min(control_length, MEMORY_LIMIT_BYTES))
        _keep(reads, place, "control", at_exit, found, control_length)
    return reads
