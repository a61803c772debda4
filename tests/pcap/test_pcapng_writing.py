from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from captured import frames_of
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from stored import stored

from lab.pcap.link_types import MAX_CAPTURED_BYTES
from lab.pcap.pcapng_numbers import (
    DECRYPTION_SECRETS,
    ENHANCED_PACKET,
    NAME_RESOLUTION,
    SECTION_HEADER,
)
from lab.pcap.pcapng_writing import HostName, write_pcapng
from lab.pcap.upper_pdu import MAX_TEXT_BYTES, CaptureNote
from lab.records import Direction, Frame, LinkType


def parse(data: bytes) -> tuple[Frame, ...]:
    return frames_of(data)


def written(
    points: Sequence[str],
    frames: Sequence[Frame],
    comments: Mapping[int, str] | None = None,
    application: str = "wirelab",
    notes: Sequence[CaptureNote] = (),
) -> bytes:
    file = io.BytesIO()
    write_pcapng(file, points, frames, comments or {}, application, notes)
    return file.getvalue()


def frame(
    data: bytes = b"frame",
    time_ns: int = 0,
    point: str = "if0",
    direction: Direction = Direction.UNKNOWN,
    **values: Any,
) -> Frame:
    return Frame(time_ns, point, direction, data, values.pop("wire_bytes", len(data)), **values)


points = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
frames_strategy = st.lists(
    st.builds(
        Frame,
        time_ns=st.integers(0, 2**64 - 1),
        point=st.sampled_from(["a", "b/eth0", "\N{BULLET}"]),
        direction=st.sampled_from(Direction),
        data=st.binary(max_size=70),
        wire_bytes=st.integers(70, 2**32 - 1),
        link_type=st.sampled_from(LinkType),
    ),
    max_size=12,
)


@given(frames=frames_strategy, comments=st.dictionaries(st.integers(0, 11), st.text(max_size=9)))
@examples(80)
def test_what_is_written_is_what_is_read(frames: Sequence[Frame], comments: dict[int, str]) -> None:
    data = written(["a", "b/eth0", "unused", "\N{BULLET}"], frames, comments)
    assert parse(data) == tuple(frames)


@given(name=points)
@examples(50)
def test_a_point_keeps_its_name(name: str) -> None:
    assert parse(written([name], [frame(point=name)])) == (frame(point=name),)


def test_the_same_arguments_give_the_same_bytes_whatever_their_kind_of_sequence() -> None:
    frames = [frame(b"x", 5, "b"), frame(b"y", 6, "a")]
    first = written(["a", "b"], frames, {1: "one", 0: "nought"})
    assert written(("a", "b"), tuple(frames), {0: "nought", 1: "one"}) == first


def test_every_byte_of_a_small_file_is_as_the_draft_says() -> None:
    data = written(["p"], [frame(b"abcde", 2**32 + 2, "p", Direction.IN, wire_bytes=9)], {0: "c"})
    assert data.hex(" ", 4) == (
        # Section Header Block: 1.0, length not given, shb_userappl, end of options
        "0a0d0d0a 2c000000 4d3c2b1a 01000000 ffffffff ffffffff "
        "04000700 77697265 6c616200 00000000 2c000000 "
        # Interface Description Block: Ethernet, no limit, if_name, if_tsresol 9, end
        "01000000 28000000 01000000 00000000 "
        "02000100 70000000 09000100 09000000 00000000 28000000 "
        # Enhanced Packet Block: interface 0, time's halves, captured, original, data
        "06000000 3c000000 00000000 01000000 02000000 05000000 09000000 61626364 65000000 "
        # epb_flags inbound, opt_comment, end
        "02000400 01000000 01000100 63000000 00000000 3c000000"
    )


def test_points_become_interfaces_in_their_order_each_once() -> None:
    data = written(["b", "a", "b"], [frame(point="a")])
    assert data.index(b"b\0\0\0\x09") < data.index(b"a\0\0\0\x09")
    assert data.count(b"b\0\0\0\x09") == 1


@pytest.mark.parametrize(
    ("comment", "kept"),
    [("x" * 65_536, b"x" * 65_535), ("\N{EURO SIGN}" * 30_000, "\N{EURO SIGN}".encode() * 21_845)],
)
def test_a_long_comment_is_cut_to_what_an_option_holds(comment: str, kept: bytes) -> None:
    data = written(["if0"], [frame()], {0: comment})
    at = data.index(kept)
    assert struct.unpack_from("<2H", data, at - 4) == (1, len(kept))
    assert parse(data) == (frame(),)


def test_a_comment_is_cut_between_characters() -> None:
    data = written(["if0"], [frame()], {0: "x" + "\N{EURO SIGN}" * 30_000})
    kept = b"x" + "\N{EURO SIGN}".encode() * 21_844
    assert struct.pack("<2H", 1, len(kept)) + kept in data


def test_a_lone_surrogate_in_a_comment_is_written_as_an_escape() -> None:
    assert rb"\udcff" in written(["if0"], [frame()], {0: "\udcff"})


def test_the_longest_frame_and_the_latest_time_are_read_back() -> None:
    longest = frame(bytes(MAX_CAPTURED_BYTES), 2**64 - 1)
    assert parse(written(["if0"], [longest])) == (longest,)


@pytest.mark.parametrize(
    "bad",
    [
        frame(point="elsewhere"),
        frame(bytes(MAX_CAPTURED_BYTES + 1)),
        frame(time_ns=-1),
        frame(time_ns=2**64),
    ],
)
def test_a_frame_that_could_not_be_read_back_is_refused(bad: Frame) -> None:
    with pytest.raises(ValueError, match="a frame"):
        written(["if0"], [bad])


notes_strategy = st.lists(
    st.builds(
        CaptureNote,
        time_ns=st.integers(0, 2**64 - 1),
        interface=st.text(max_size=9),
        protocol=st.text(max_size=9),
        text=st.text(),
    ),
    max_size=9,
)


@given(frames=frames_strategy, notes=notes_strategy)
@examples(60)
def test_notes_change_nothing_of_the_frames_that_are_read(
    frames: Sequence[Frame], notes: list[CaptureNote]
) -> None:
    notes.sort(key=lambda note: note.time_ns)
    data = written(["a", "b/eth0", "\N{BULLET}"], frames, {}, notes=notes)
    assert parse(data) == tuple(frames)


def test_a_note_stands_before_the_first_frame_that_is_later() -> None:
    frames = [frame(b"first", 10), frame(b"second", 20)]
    notes = [CaptureNote(time_ns, "calls", "call", f"at {time_ns}") for time_ns in (5, 10, 15, 99)]
    data = written(["if0"], frames, notes=notes)
    order = [b"at 5", b"first", b"at 10", b"at 15", b"second", b"at 99"]
    places = [data.index(each) for each in order]
    assert places == sorted(places)


def test_a_notes_record_is_as_wireshark_says() -> None:
    data = written([], [], notes=[CaptureNote(2**32 + 2, "c", "call", "f() = 0")])
    at = data.index(b"\x01\0\0\0\x28")
    assert data[at:].hex(" ", 4) == (
        # Interface Description Block: LINKTYPE_WIRESHARK_UPPER_PDU, if_name, if_tsresol, end
        "01000000 28000000 fc000000 00000000 "
        "02000100 63000000 09000100 09000000 00000000 28000000 "
        # Enhanced Packet Block: interface 0, time's halves, captured, original
        "06000000 48000000 00000000 01000000 02000000 23000000 23000000 "
        # Dissector name "syslog", protocol column "call", end of tags, the text
        "000c0008 7379736c 6f670000 00210008 63616c6c 00000000 00000000 66282920 3d203000 "
        "00000000 48000000"
    )


def test_a_long_note_is_cut_between_characters() -> None:
    data = written(
        [], [], notes=[CaptureNote(0, "c", "call", "x" + "\N{EURO SIGN}" * MAX_TEXT_BYTES)]
    )
    kept = b"x" + "\N{EURO SIGN}".encode() * ((MAX_TEXT_BYTES - 1) // 3)
    assert data.count(kept) == 1 and len(data) < MAX_TEXT_BYTES + 200


@pytest.mark.parametrize("time_ns", [-1, 2**64])
def test_a_note_at_a_time_that_cannot_be_written_is_refused(time_ns: int) -> None:
    with pytest.raises(ValueError, match="a note at"):
        written([], [], notes=[CaptureNote(time_ns, "c", "call", "x")])


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_what_was_written(tmp_path: Path) -> None:
    frames = [
        frame(bytes(60), 1_700_000_000_123_456_789, "client/eth0", Direction.OUT),
        frame(bytes(60), 1_700_000_000_123_456_790, "server/eth0", Direction.IN, wire_bytes=1514),
        frame(bytes(61), 1_700_000_001_000_000_000, "client/eth0", link_type=LinkType.RAW),
        frame(bytes(62), 1_700_000_002_999_999_999, "client/eth0"),
    ]
    comments = {0: "SYN \N{RIGHTWARDS ARROW} lost", 3: "y" * 70_000}
    path = tmp_path / "written.pcapng"
    path.write_bytes(written(["server/eth0", "client/eth0"], frames, comments))
    fields = ("time_epoch", "interface_name", "comment", "len", "cap_len", "packet_flags_direction")
    command = ["tshark", "-n", "-r", str(path), "-T", "fields"]
    for field in fields:
        command += ["-e", f"frame.{field}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    assert [tuple(line.split("\t")) for line in done.stdout.splitlines()] == [
        (
            f"{each.time_ns // 10**9}.{each.time_ns % 10**9:09}",
            each.point,
            comments.get(index, "")[:65_535],
            str(each.wire_bytes),
            str(len(each.data)),
            {"in": "0x00000001", "out": "0x00000002"}.get(each.direction.value, "0x00000000"),
        )
        for index, each in enumerate(frames)
    ]


HOSTS = [
    HostName(ip_address("192.0.2.1"), "client"),
    HostName(ip_address("2001:db8::1"), "client"),
    HostName(ip_address("192.0.2.2"), "far-end"),
]


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<2I", data, at)
        yield kind, data[at + 8 : at + length - 4]
        at += length


def test_names_are_records_of_one_block_before_the_first_packet() -> None:
    file = io.BytesIO()
    write_pcapng(file, ["if0"], [frame()], {}, "wirelab", hosts=HOSTS)
    data = file.getvalue()
    bodies = dict(blocks(data))
    assert list(bodies)[-2:] == [NAME_RESOLUTION, ENHANCED_PACKET]
    assert bodies[NAME_RESOLUTION] == (
        b"\x01\0\x0b\0" b"\xc0\0\x02\x01client\0" b"\0"
        b"\x02\0\x17\0" b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01client\0" b"\0"
        b"\x01\0\x0c\0" b"\xc0\0\x02\x02far-end\0"
        b"\0\0\0\0"
    )  # fmt: skip
    assert parse(data) == (frame(),)


def test_a_remark_is_about_the_file() -> None:
    file = io.BytesIO()
    write_pcapng(file, ["if0"], [frame()], {}, "wirelab", remark="some are cut")
    (kind, body), *_ = blocks(file.getvalue())
    assert kind == SECTION_HEADER
    assert b"\1\0\x0c\0some are cut\4\0\7\0wirelab\0" in body
    assert parse(file.getvalue()) == (frame(),)


def test_each_key_log_is_a_block_before_the_first_packet() -> None:
    file = io.BytesIO()
    logs = ("ABC x\n", "not ASCII: \u00e9\udc80")
    write_pcapng(file, ["if0"], [frame()], {}, "wirelab", hosts=HOSTS, key_logs=logs)
    data = file.getvalue()
    found = list(blocks(data))
    assert found[-3:-1] == [
        (DECRYPTION_SECRETS, b"KSLT" b"\x06\0\0\0" b"ABC x\n\0\0" b"\0\0\0\0"),
        (
            DECRYPTION_SECRETS,
            b"KSLT" b"\x13\0\0\0" b"not ASCII: \xc3\xa9\\udc80\0" b"\0\0\0\0",
        ),
    ]  # fmt: skip
    assert [found[-4][0], found[-1][0]] == [NAME_RESOLUTION, ENHANCED_PACKET]
    assert parse(data) == (frame(),)


def test_frames_that_are_stored_are_written_as_those_in_memory() -> None:
    made = [
        frame(bytes(length), at, f"if{at % 3}", way, wire_bytes=length + at % 2)
        for at, length in enumerate([0, 1, 2, 3, 4, 5, 60, 60, 60, 61] * 3)
        for way in (Direction.IN, Direction.OUT)
    ]
    made.append(frame(bytes(60), 2**32 + 5, "if0", Direction.OUT))
    made.append(frame(b"last", 2**62, "if1", Direction.IN))
    names = ["if0", "if1", "if2", "unused"]
    comments = {0: "the first", 3: "another", 40: "", 59: "é"}
    notes = [CaptureNote(at, "calls", "system call", "read") for at in (5, 2**33)]
    for said in ({}, comments):
        expected = written(names, made, said, notes=notes)
        assert written(names, stored(made), said, notes=notes) == expected


def test_a_stored_frame_before_1970_cannot_be_written_either() -> None:
    made = [frame(b"one", 5, direction=Direction.IN), frame(b"two", -5, direction=Direction.IN)]
    for frames in (made, stored(made)):
        with pytest.raises(ValueError, match="cannot be written"):
            written(["if0"], frames)
