"""What a program's interpreter has noted of its lines: the memory for it, and its reading.

The program may write there what it likes: what is read is bounded, and whatever is not as
`inside.py` writes it is passed over.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator

from lab.errors import KernelRefused
from lab.kernel.source.command import PythonCommand
from lab.kernel.source.inside import (
    AROUND,
    CHUNK,
    CHUNK_BYTES,
    CHUNK_HEAD_BYTES,
    LINE,
    LINE_BYTES,
    LINE_RECORD,
    TEXT_CHARACTERS,
    USE,
    USE_BYTES,
    USE_RECORD,
)
from lab.records import LineUse, SourceLine

NOTES_BYTES = 1 << 24
"""Of one program; the memory that is not written to takes none."""
MOST_LINES = 10_000
"""Of one program."""
FILE_CHARACTERS = 1000
_HIGH = 200
"""The descriptor's least number: the program's own begin with 3."""
_HEADER = struct.Struct("=HH")
_USE = struct.Struct(USE_RECORD)
_LINE = struct.Struct(LINE_RECORD)
_CHUNK = struct.Struct(CHUNK)

Noted = tuple[tuple[SourceLine, ...], tuple[LineUse, ...]]
"""Lines, and their uses, which have the lines' places."""


class NotedProgram:
    """A program that notes its lines, and the memory that it shares with this process."""

    def __init__(self, command: PythonCommand) -> None:
        """Raises KernelRefused."""
        try:
            made = os.memfd_create("wirelab-source", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            try:
                os.ftruncate(made, NOTES_BYTES)
                seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
                fcntl.fcntl(made, fcntl.F_ADD_SEALS, seals)
                self.descriptor = fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, _HIGH)
            finally:
                os.close(made)
        except OSError as error:
            what = f"cannot make the memory for a program's lines: {error.strerror}"
            raise KernelRefused(what) from error
        self.argv = command.noting(self.descriptor)
        """What is to be executed, with the descriptor passed on."""

    @property
    def is_full(self) -> bool:
        """Whether there was no room for all that the program wanted to note."""
        return os.lseek(self.descriptor, 0, os.SEEK_CUR) > NOTES_BYTES

    def read(self, program: str, step: str) -> Noted:
        """What it has noted so far; all of it once its processes have ended."""
        end = min(os.lseek(self.descriptor, 0, os.SEEK_CUR), NOTES_BYTES)
        size = max(end - end % CHUNK_BYTES, 0)
        chunks = (os.pread(self.descriptor, CHUNK_BYTES, at) for at in range(0, size, CHUNK_BYTES))
        return parse_notes(chunks, program, step)

    def close(self) -> None:
        """Free the memory, as far as it is this process's to free."""
        os.close(self.descriptor)


def parse_notes(chunks: Iterator[bytes], program: str, step: str) -> Noted:
    """What a program's chunks hold, whatever they hold."""
    places: dict[SourceLine, int] = {}
    place_of: dict[tuple[int, int], int] = {}
    uses: list[tuple[int, int, int, int, int]] = []  # there may be half a million
    for chunk in chunks:
        if len(chunk) < CHUNK_HEAD_BYTES:
            continue
        owner, _ = _CHUNK.unpack_from(chunk)
        for kind, record in _records(chunk):
            if kind == LINE and len(record) >= LINE_BYTES and len(place_of) < MOST_LINES:
                number, line = _line(record)
                place_of[owner, number] = places.setdefault(line, len(places))
            elif kind == USE and len(record) == USE_BYTES:
                _, _, number, tid, _, entry_ns, exit_ns = _USE.unpack(record)
                uses.append((owner, number, tid, entry_ns, exit_ns))
    found = (
        LineUse(program, tid, place_of[owner, number], entry_ns, exit_ns or None, step)
        for owner, number, tid, entry_ns, exit_ns in uses
        if (owner, number) in place_of
    )
    return tuple(places), tuple(found)


def _records(chunk: bytes) -> Iterator[tuple[int, bytes]]:
    """A chunk's records with their kinds, up to the first that is none."""
    at = CHUNK_HEAD_BYTES
    while at + _HEADER.size <= len(chunk):
        kind, size = _HEADER.unpack_from(chunk, at)
        if size < _HEADER.size or at + size > len(chunk):
            return
        yield kind, chunk[at : at + size]
        at += (size + 7) // 8 * 8


def _line(record: bytes) -> tuple[int, SourceLine]:
    """A line's number among its owner's, and the line."""
    _, _, number, place, first = _LINE.unpack_from(record)
    text = record[LINE_BYTES:].decode("utf-8", "backslashreplace")
    words = text.removesuffix("\0").split("\0")
    file, function, through, *lines = words + [""] * (3 - len(words))
    around = tuple(line[:TEXT_CHARACTERS] for line in lines[: 2 * AROUND + 1])
    return number, SourceLine(
        file=file[:FILE_CHARACTERS],
        number=place,
        function=function[:TEXT_CHARACTERS],
        through=through[:TEXT_CHARACTERS],
        first=first,
        text=around,
    )
