from __future__ import annotations

import struct

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel.source.inside import (
    AROUND,
    CHUNK,
    CHUNK_BYTES,
    LINE,
    LINE_BYTES,
    LINE_RECORD,
    TEXT_CHARACTERS,
    USE,
    USE_BYTES,
    USE_RECORD,
)
from lab.kernel.source.notes import FILE_CHARACTERS, Noted, parse_notes
from lab.records import LineUse, SourceLine


def line_bytes(number: int, line: int, first: int, *words: str) -> bytes:
    text = "".join(f"{word}\0" for word in words).encode()
    record = struct.pack(LINE_RECORD, LINE, LINE_BYTES + len(text), number, line, first) + text
    return record + bytes(-len(record) % 8)


def use_bytes(number: int, tid: int, entry_ns: int, exit_ns: int) -> bytes:
    return struct.pack(USE_RECORD, USE, USE_BYTES, number, tid, 0, entry_ns, exit_ns)


def chunk(owner: int, *records: bytes) -> bytes:
    return (struct.pack(CHUNK, owner, 1) + b"".join(records)).ljust(CHUNK_BYTES, b"\0")


def parsed(*chunks: bytes) -> Noted:
    return parse_notes(iter(chunks), "client", "only")


ONE = line_bytes(0, 3, 1, "/a/b.py", "main", "", "x", "y", "z()")


def test_lines_and_their_uses_are_read() -> None:
    other = line_bytes(1, 9, 8, "/a/b.py", "<module>", "accept, socket.py:294", "", "w")
    lines, uses = parsed(chunk(1, ONE, use_bytes(0, 7, 10, 20), other, use_bytes(1, 7, 30, 0)))
    assert lines == (
        SourceLine("/a/b.py", 3, "main", "", 1, ("x", "y", "z()")),
        SourceLine("/a/b.py", 9, "<module>", "accept, socket.py:294", 8, ("", "w")),
    )
    assert uses == (
        LineUse("client", 7, 0, 10, 20, "only"),
        LineUse("client", 7, 1, 30, None, "only"),
    )


def test_a_line_may_be_in_another_threads_chunk_but_not_in_another_processs() -> None:
    use = use_bytes(0, 7, 10, 20)
    assert len(parsed(chunk(1, use), chunk(1, ONE))[1]) == 1
    assert parsed(chunk(1, ONE), chunk(2, use))[1] == ()


def test_the_same_line_of_two_processes_is_one() -> None:
    lines, uses = parsed(
        chunk(1, ONE, use_bytes(0, 7, 10, 20)), chunk(2, ONE, use_bytes(0, 8, 11, 12))
    )
    assert len(lines) == 1
    assert [use.line for use in uses] == [0, 0]


def test_what_is_no_record_ends_a_chunk_and_no_other() -> None:
    good = use_bytes(0, 7, 10, 20)
    for bad in (b"\2\0\1\0", b"\2\0\xff\xff", b"\0" * 8):
        lines, uses = parsed(chunk(1, ONE, good, bad, good), chunk(1, good))
        assert (len(lines), len(uses)) == (1, 2)
    assert parsed(b"", b"abc", bytes(CHUNK_BYTES)) == ((), ())


def test_texts_are_bounded() -> None:
    long = line_bytes(0, 1, 1, "f" * 3000, "g" * 900, "t" * 900, *["x" * 400] * 9)
    (line,), _ = parsed(chunk(1, long, use_bytes(0, 7, 10, 20)))
    assert len(line.file) == FILE_CHARACTERS
    assert (len(line.function), len(line.through)) == (TEXT_CHARACTERS, TEXT_CHARACTERS)
    assert line.text == ("x" * TEXT_CHARACTERS,) * (2 * AROUND + 1)


def test_a_line_without_words_has_empty_ones() -> None:
    (line,), _ = parsed(chunk(1, line_bytes(0, 0, 0), use_bytes(0, 7, 10, 20)))
    assert line == SourceLine("", 0, "", "", 0, ())


@examples(200)
@given(st.lists(st.binary(max_size=200), max_size=3), st.data())
def test_a_program_may_write_whatever_it_likes(written: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(chunk(1, ONE, use_bytes(0, 7, 10, 20), *written)[:CHUNK_BYTES])
    for _ in range(3):
        at = data.draw(st.integers(0, 200))
        whole[at] = data.draw(st.integers(0, 255))
    lines, uses = parsed(bytes(whole))
    assert all(use.line < len(lines) for use in uses)
