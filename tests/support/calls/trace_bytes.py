"""A kernel's trace, made by hand: format files, records and pages.

The layout is none that a kernel has, so that what reads it right has read the format files.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.kernel.trace.tracefs.format import Formats
from lab.kernel.trace.tracefs.pages import PageLayout, parse_page_layout

HEADER_PAGE = """\
\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
"""
HEADER_EVENT = """\
# compressed entry header
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits

\tpadding     : type == 29
\ttime_extend : type == 30
\ttime_stamp : type == 31
\tdata max type_len  == 28
"""
COMMON = (
    ("unsigned char common_flags", 1),
    ("unsigned short common_type", 2),
    ("int common_pid", 4),
)
MISSED, MISSED_STORED = 1 << 31, 1 << 30


def layout() -> PageLayout:
    return parse_page_layout(HEADER_PAGE, HEADER_EVENT)


@dataclass(frozen=True, slots=True)
class Tracepoint:
    """A tracepoint with a layout of its own: its fields follow each other, 3 bytes apart."""

    name: str
    number: int
    fields: tuple[tuple[str, int], ...]
    """Declarations as in C, and sizes; a size of 0 is the rest of the record."""
    print_fmt: str = ""

    @property
    def system(self) -> str:
        return self.name.partition(":")[0]

    @property
    def text(self) -> str:
        lines = [f"name: {self.name.partition(':')[2]}", f"ID: {self.number}", "format:"]
        for declaration, offset, size in self._places():
            signed = int(not declaration.startswith(("u", "__u", "char", "__data_loc", "void")))
            lines.append(
                f"\tfield:{declaration};\toffset:{offset};\tsize:{size};\tsigned:{signed};"
            )
        return "\n".join([*lines, "", f"print fmt: {self.print_fmt}", ""])

    def record(self, running: int = 0, flags: int = 0, /, **values: int | bytes | str) -> bytes:
        """The record with these values; other fields are 0. Text makes a dynamic array."""
        given: dict[str, int | bytes | str] = {
            **values, "common_pid": running, "common_flags": flags, "common_type": self.number,
        }  # fmt: skip
        places = self._places()
        _, offset, size = places[-1]
        data = bytearray(offset + size)
        for declaration, offset, size in places:
            value = given.get(declaration.rpartition(" ")[2].partition("[")[0], 0)
            if isinstance(value, str):
                text = value.encode() + b"\0"
                value = len(text) << 16 | len(data)
                data += text
            if isinstance(value, int):
                value = (value % (1 << 8 * size)).to_bytes(size, "little") if size else b""
            data[offset : offset + (size or len(data))] = value
        return bytes(data)

    def _places(self) -> list[tuple[str, int, int]]:
        places, offset = [], 5
        for declaration, size in (*COMMON, *self.fields):
            places.append((declaration, offset, size))
            offset += size + 3
        return places


def formats(tracepoints: Sequence[Tracepoint]) -> Formats:
    return Formats({one.number: (one.system, one.text) for one in tracepoints})


def event(record: bytes, delta: int = 0, long: bool = False) -> bytes:
    """An event of the ring buffer; `long` ones have their length in a word of its own."""
    record += bytes(-len(record) % 4)
    if long or len(record) > 28 * 4:
        return struct.pack("<II", delta << 5, len(record) + 4) + record
    return struct.pack("<I", delta << 5 | len(record) // 4) + record


def extend(delta: int) -> bytes:
    return struct.pack("<II", (delta & (1 << 27) - 1) << 5 | 30, delta >> 27)


def stamp(time_ns: int) -> bytes:
    low = time_ns & (1 << 59) - 1
    return struct.pack("<II", (low & (1 << 27) - 1) << 5 | 31, low >> 27)


def padding(length: int, delta: int) -> bytes:
    """A discarded event of `length` bytes with its header."""
    return struct.pack("<II", delta << 5 | 29, length - 4) + bytes(length - 8)


def page(time_ns: int, *events: bytes, missed: int | None = None, flags: int = 0) -> bytes:
    data = b"".join(events)
    commit = len(data) | flags
    if missed is not None:
        commit |= MISSED | MISSED_STORED
        return (struct.pack("<QQ", time_ns, commit) + data + struct.pack("<Q", missed)).ljust(
            4096, b"\0"
        )
    return (struct.pack("<QQ", time_ns, commit) + data).ljust(4096, b"\0")


def symbolic(field: str, names: Mapping[int, str]) -> str:
    """As a `print fmt` has it."""
    pairs = ", ".join(f'{{ {value}, "{name}" }}' for value, name in names.items())
    return f"__print_symbolic(REC->{field}, {pairs})"
