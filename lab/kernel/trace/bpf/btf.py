"""What this kernel's structures, enumerations and tracepoints are, by its own type information.

The bytes of /sys/kernel/btf/vmlinux in; offsets, names and numbers out. Types have numbers in the
order in which they stand and different lengths, so that they are passed one by one up to the one
wanted; those of the network stack stand in the first third.
Source: Documentation/bpf/btf.rst.
"""

from __future__ import annotations

import array
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from lab.errors import KernelRefused
from lab.frozen import frozen

PATH = "/sys/kernel/btf/vmlinux"

_HEADER = struct.Struct("=HBBIIIII")
_MAGIC = 0xEB9F
_POINTER, _STRUCT, _UNION, _ENUM, _TYPEDEF, _FUNCTION_PROTOTYPE = 2, 4, 5, 6, 8, 13
_WORDS_OF_TYPE = 3
_WORDS_BEHIND = {1: 1, 3: 3, 14: 1, 17: 1}
"""By a type's kind: INT, ARRAY, VAR, DECL_TAG."""
_WORDS_OF_EACH = {_STRUCT: 3, _UNION: 3, 6: 2, 13: 2, 15: 3, 19: 3}
"""The same for each of its members: ENUM, FUNC_PROTO, DATASEC, ENUM64."""
_WORDS = [
    (_WORDS_OF_TYPE + _WORDS_BEHIND.get(kind, 0), _WORDS_OF_EACH.get(kind, 0)) for kind in range(32)
]
"""By a type's kind: the words of one without members, and of each member."""
_WORDS_AT_ONCE = 1 << 14


_READING = threading.Lock()


def kernel_btf() -> Btf:
    """What is known of this machine's kernel: read once, for all threads.

    Raises KernelRefused.
    """
    with _READING:
        return _kernel_btf()


@cache
def _kernel_btf() -> Btf:
    try:
        return Btf(Path(PATH).read_bytes())
    except OSError as error:
        raise KernelRefused(f"read {PATH}: {error.strerror}") from None


@frozen
class Tracepoint:
    """A tracepoint to which a BPF program can be attached."""

    number: int
    """Of its type."""
    arguments: int
    """How many it has."""


class Btf:
    """The kernel's types."""

    def __init__(self, data: bytes) -> None:
        """Raises KernelRefused if it is no type information of this machine's byte order."""
        if len(data) < _HEADER.size or _HEADER.unpack_from(data)[0] != _MAGIC:
            raise KernelRefused(f"{PATH} is no BTF")
        _, _, _, header, types, types_bytes, names, names_bytes = _HEADER.unpack_from(data)
        view = memoryview(data)
        self._words = array.array("I")
        assert self._words.itemsize == 4, sys.platform
        self._words.frombytes(view[header + types : header + types + types_bytes])
        self._names = bytes(view[header + names : header + names + names_bytes])
        self._places = [0]
        """By a type's number, where it begins; 0 is void."""
        self._names_passed = array.array("I", [0])
        """By a type's number, where its name is: to be searched as bytes, at once."""
        self._end = 0
        self._passing = threading.Lock()

    def offset(self, structure: str, member: str) -> int:
        """How many bytes into a `struct structure` the member lies, unions looked into.

        Raises KernelRefused if there is none.
        """
        return self.offsets(structure, member)[0]

    def offsets(self, structure: str, *members: str) -> list[int]:
        """The same of several members, in their order."""
        with self._passing:
            return self._offsets(structure, members)

    def has(self, structure: str) -> bool:
        """Whether there is a `struct structure`."""
        with self._passing:
            return next(self._named(structure, _STRUCT), None) is not None

    def names(self, enumeration: str, prefix: str) -> dict[int, str]:
        """By its value the name of each member of an `enum enumeration` that has the prefix.

        Without the prefix. Empty if there is no such enum.
        """
        with self._passing:
            number = next(self._named(enumeration, _ENUM), None)
            if number is None:
                return {}
            place, words = self._places[number], self._words
            first, count = place + _WORDS_OF_TYPE, words[place + 1] & 0xFFFF
            named = (
                (words[at + 1], self._name(words[at])) for at in range(first, first + 2 * count, 2)
            )
            return {
                value: name.removeprefix(prefix) for value, name in named if name.startswith(prefix)
            }

    def tracepoint(self, name: str) -> Tracepoint:
        """What a program with types needs to run at it. Raises KernelRefused if there is none."""
        with self._passing:
            number = next(self._named(f"btf_trace_{name}", _TYPEDEF), None)
            place = None if number is None else self._target(self._places[number], _POINTER)
            place = None if place is None else self._target(place, _FUNCTION_PROTOTYPE)
            if number is None or place is None:
                raise KernelRefused(f"{PATH} has no tracepoint {name}")
            # The first is not the tracepoint's, but its probe's.
            return Tracepoint(number, (self._words[place + 1] & 0xFFFF) - 1)

    def _offsets(self, structure: str, members: Sequence[str]) -> list[int]:
        number = next(self._named(structure, _STRUCT), None)
        place = None if number is None else self._places[number]
        found: dict[str, int] = {}
        for member, offset in self._members(place, 0) if place is not None else ():
            found.setdefault(member, offset)
        for member in members:
            if member not in found:
                raise KernelRefused(f"{PATH} has no member {member} of struct {structure}")
        return [found[member] for member in members]

    def _named(self, text: str, kind: int) -> Iterator[int]:
        """The numbers of the types of that name and kind."""
        name = self._names.find(b"\0%s\0" % text.encode()) + 1
        if not name:
            return
        wanted, seen = name.to_bytes(4, sys.byteorder), 4
        while True:
            passed = self._names_passed.tobytes()
            while (seen := passed.find(wanted, seen)) >= 0:
                # Else it is the end of one number and the beginning of the next.
                if seen % 4 == 0 and self._kind(self._places[seen // 4]) == kind:
                    yield seen // 4
                seen += 1
            seen = len(passed)
            if not self._pass_on():
                return

    def _name(self, at: int) -> str:
        return self._names[at : self._names.index(b"\0", at)].decode()

    def _members(self, place: int, base: int) -> Iterator[tuple[str, int]]:
        info = self._words[place + 1]
        for at in range(place + 3, place + 3 + 3 * (info & 0xFFFF), 3):
            name, number, bits = self._words[at : at + 3]
            # With the flag the upper byte is the width of a bit field.
            offset = base + (bits & 0xFFFFFF if info >> 31 else bits) // 8
            if name:
                yield self._name(name), offset
            elif (inner := self._place(number, _STRUCT, _UNION)) is not None:
                yield from self._members(inner, offset)

    def _target(self, place: int, kind: int) -> int | None:
        """Where what a pointer or typedef refers to begins; None for another kind."""
        return self._place(self._words[place + 2], kind)

    def _place(self, number: int, *kinds: int) -> int | None:
        """Where the type of that number begins; None for another kind."""
        while number >= len(self._places):
            if not self._pass_on():
                return None
        place = self._places[number]
        return place if number and self._kind(place) in kinds else None

    def _pass_on(self) -> bool:
        """Note the places of the next types; whether there were any more.

        Tens of thousands are passed in each run: no call for any of them, nor an attribute.
        """
        words, at, note = self._words, self._end, self._places.append
        note_name = self._names_passed.append
        end = min(len(words), at + _WORDS_AT_ONCE)
        while at < end:
            note(at)
            note_name(words[at])
            info = words[at + 1]
            alone, each = _WORDS[info >> 24 & 31]
            at += alone + each * (info & 0xFFFF) if each else alone
        was, self._end = self._end, at
        return at > was

    def _kind(self, place: int) -> int:
        return self._words[place + 1] >> 24 & 31
