from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from captured import capture_of, fault_of, frames_of
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import CaptureFileError
from lab.pcap.capture import LeftOut, Untimed
from lab.pcap.link_types import MAX_CAPTURED_BYTES
from lab.records import Direction, Frame, LinkType

EPB, SPB, OPB, IDB, SHB = 6, 3, 2, 1, 0x0A0D0D0A


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def block(
    kind: int, body: bytes, order: str = "<", length: int | None = None, repeated: int | None = None
) -> bytes:
    length = len(padded(body)) + 12 if length is None else length
    repeated = length if repeated is None else repeated
    return (
        struct.pack(order + "2I", kind, length) + padded(body) + struct.pack(order + "I", repeated)
    )


def options(order: str = "<", **values: bytes) -> bytes:
    return b"".join(
        struct.pack(order + "2H", int(code[1:]), len(value)) + padded(value)
        for code, value in values.items()
    )


def section(order: str = "<", version: tuple[int, int] = (1, 0), magic: int = 0x1A2B3C4D) -> bytes:
    return block(SHB, struct.pack(order + "I2Hq", magic, *version, -1), order)


def interface(order: str = "<", link: int = 1, snap: int = 0, **values: bytes) -> bytes:
    return block(IDB, struct.pack(order + "2HI", link, 0, snap) + options(order, **values), order)


def epb(
    data: bytes,
    order: str = "<",
    number: int = 0,
    ticks: int = 0,
    captured: int | None = None,
    original: int | None = None,
    **values: bytes,
) -> bytes:
    captured = len(data) if captured is None else captured
    original = len(data) if original is None else original
    fixed = struct.pack(order + "5I", number, *divmod(ticks, 2**32), captured, original)
    return block(EPB, fixed + padded(data) + options(order, **values), order)


def frame(
    data: bytes = b"frame",
    time_ns: int = 0,
    point: str = "if0",
    direction: Direction = Direction.UNKNOWN,
    **values: Any,
) -> Frame:
    return Frame(time_ns, point, direction, data, values.pop("wire_bytes", len(data)), **values)


START = section() + interface()


@pytest.mark.parametrize("order", "<>")
def test_an_enhanced_packet_is_read_in_either_byte_order(order: str) -> None:
    data = section(order) + interface(order, o2=b"eth0", o9=b"\x09")
    data += epb(b"frame", order, ticks=2**32 + 5, original=99, o2=struct.pack(order + "I", 2))
    assert frames_of(data) == (frame(b"frame", 2**32 + 5, "eth0", Direction.OUT, wire_bytes=99),)


def test_a_section_alone_has_no_frames() -> None:
    assert frames_of(section()) == ()


@pytest.mark.parametrize(
    ("bits", "direction"),
    [(0, Direction.UNKNOWN), (1, Direction.IN), (2, Direction.OUT), (3, Direction.UNKNOWN)],
)
def test_the_direction_is_the_flags_lowest_two_bits(bits: int, direction: Direction) -> None:
    flags = struct.pack("<I", 0xFFFF_FE1C | bits)
    (only,) = frames_of(START + epb(b"frame", o2=flags))
    assert only.direction is direction


@pytest.mark.parametrize(
    ("resolution", "ticks", "time_ns"),
    [
        (None, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (0, 17, 17_000_000_000),
        (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
        (9, 2**64 - 1, 2**64 - 1),
        (12, 1_999, 1),
        (127, 2**64 - 1, 0),
        (0x80, 17, 17_000_000_000),
        (0x80 | 10, 1025, 1_000_976_562),
        (0x80 | 32, 3 << 31, 1_500_000_000),
    ],
)
def test_timestamps_are_in_units_of_the_interfaces_resolution(
    resolution: int | None, ticks: int, time_ns: int
) -> None:
    values: dict[str, Any] = {} if resolution is None else {"o9": bytes([resolution])}
    (only,) = frames_of(section() + interface(**values) + epb(b"", ticks=ticks))
    assert only.time_ns == time_ns


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("seconds", [1_700_000_000, -3])
def test_the_timestamp_offset_is_added(order: str, seconds: int) -> None:
    offset = struct.pack(order + "q", seconds)
    data = section(order) + interface(order, o14=offset) + epb(b"", order, ticks=5_000_001)
    assert frames_of(data)[0].time_ns == (5 + seconds) * 10**9 + 1000


@pytest.mark.parametrize(
    "values", [{"o14": struct.pack("<q", -1)}, {"o14": struct.pack("<q", 2**62)}, {"o9": b"\0"}]
)
def test_a_packet_with_an_impossible_time_has_that_of_the_one_before(
    values: dict[str, Any],
) -> None:
    ticks = 0 if "o14" in values else 2**64 - 1
    data = START + interface(**values) + epb(b"a", ticks=5)
    data += epb(b"b", number=1, ticks=ticks) + epb(b"c", ticks=6)
    capture = capture_of(data)
    assert [(each.data, each.time_ns) for each in capture.frames] == [
        (b"a", 5_000),
        (b"b", 5_000),
        (b"c", 6_000),
    ]
    assert capture.untimed == (Untimed(impossible=True, packets=1, first=2),)
    assert capture.clock_steps is None


def test_packets_without_a_time_before_the_first_with_one_have_that() -> None:
    simple = block(SPB, struct.pack("<I", 1) + b"a")
    capture = capture_of(START + simple + simple + epb(b"b", ticks=7) + simple)
    assert [each.time_ns for each in capture.frames] == [7_000] * 4
    assert capture.untimed == (Untimed(impossible=False, packets=3, first=1),)


def test_each_interface_of_a_section_is_a_point() -> None:
    data = section() + interface(o2=b"client/eth0") + interface() + interface(o2=b"")
    data += epb(b"c", number=2) + epb(b"a", number=0) + epb(b"b", number=1)
    assert [(each.data, each.point) for each in frames_of(data)] == [
        (b"c", "if2"),
        (b"a", "client/eth0"),
        (b"b", "if1"),
    ]


def test_an_interface_may_be_described_after_packets_of_another() -> None:
    data = START + epb(b"a") + interface(o2=b"late") + epb(b"b", number=1)
    assert [each.point for each in frames_of(data)] == ["if0", "late"]


def test_an_interface_name_ends_at_a_zero_octet_and_need_not_be_utf8() -> None:
    data = section() + interface(o2=b"eth0\0junk") + interface(o2=b"\xffeth")
    data += epb(b"a") + epb(b"b", number=1)
    assert [each.point for each in frames_of(data)] == ["eth0", "\N{REPLACEMENT CHARACTER}eth"]


def test_a_later_section_has_its_own_byte_order_and_interfaces() -> None:
    data = section("<") + interface("<", o2=b"first") + interface("<") + epb(b"a", "<", number=1)
    data += section(">") + interface(">", link=101, o2=b"second") + epb(b"b", ">")
    assert [(each.point, each.link_type) for each in frames_of(data)] == [
        ("if1", LinkType.ETHERNET),
        ("second", LinkType.RAW),
    ]
    assert "belongs to interface 1" in fault_of(data + epb(b"c", ">", number=1))


def test_a_simple_packet_has_no_time_and_belongs_to_the_first_interface() -> None:
    data = section() + interface(o2=b"eth0") + interface(o2=b"eth1")
    data += block(SPB, struct.pack("<I", 5) + b"frame")
    capture = capture_of(data)
    assert capture.frames == (frame(b"frame", 0, "eth0"),)
    assert capture.untimed == (Untimed(impossible=False, packets=1, first=1),)


def test_a_simple_packet_is_as_long_as_its_interfaces_snap_length() -> None:
    data = section() + interface(snap=6) + block(SPB, struct.pack("<I", 1514) + b"abcdef")
    assert capture_of(data).frames == (frame(b"abcdef", wire_bytes=1514),)


def test_a_simple_packet_longer_than_its_block_is_an_error() -> None:
    data = START + block(SPB, struct.pack("<I", 9) + b"abcd")
    assert "holds 4 bytes of a packet of 9 captured bytes" in fault_of(data)


@pytest.mark.parametrize("order", "<>")
def test_an_obsolete_packet_block_is_read(order: str) -> None:
    fixed = struct.pack(order + "2H4I", 1, 0xFFFF, 1, 7, 3, 60)
    body = fixed + padded(b"abc") + options(order, o2=struct.pack(order + "I", 1))
    data = (
        section(order) + interface(order) + interface(order, o9=b"\x09") + block(OPB, body, order)
    )
    assert frames_of(data) == (frame(b"abc", 2**32 + 7, "if1", Direction.IN, wire_bytes=60),)


def test_blocks_of_other_types_are_skipped() -> None:
    names = block(4, struct.pack("<2H", 1, 8) + b"\xc0\0\2\1me\0\0" + bytes(4))
    statistics, secrets = block(5, bytes(12)), block(0xA, b"TLSKkeys")
    custom = block(0xBAD, b"anything at all") + block(0x40000BAD, b"\0\0\0\1a")
    journal, local = block(9, b"__CURSOR=1"), block(0x8000_0001, b"")
    data = section() + custom + interface() + names + statistics + secrets + epb(b"frame") + custom
    data += journal + local
    assert frames_of(data) == (frame(b"frame"),)


def test_options_after_the_end_of_options_are_not_read() -> None:
    data = section() + interface(o2=b"eth0", o0=b"", o9=b"\x00") + epb(b"a", ticks=1)
    assert frames_of(data) == (frame(b"a", 1000, "eth0"),)


def test_comments_and_unknown_options_do_not_hide_the_flags() -> None:
    flags = struct.pack("<I", 2)
    (only,) = frames_of(START + epb(b"abc", o1=b"a note", o2988=bytes(5), o2=flags))
    assert only.direction is Direction.OUT


def test_a_frame_check_sequence_that_the_flags_give_in_octets_is_removed() -> None:
    flags = struct.pack("<I", 4 << 5 | 1)
    assert frames_of(START + epb(b"frameFCS!", o2=flags)) == (
        frame(b"frame", direction=Direction.IN),
    )


def test_an_original_length_below_the_captured_one_is_raised_to_it() -> None:
    assert frames_of(START + epb(b"frame", original=0)) == (frame(b"frame"),)


@pytest.mark.parametrize("number", [12, 14])
def test_the_historic_numbers_of_raw_ip_are_read_as_raw(number: int) -> None:
    (only,) = frames_of(section() + interface(link=number) + epb(b"frame"))
    assert only.link_type is LinkType.RAW


def test_an_interface_that_is_not_dissected_costs_its_packets_alone() -> None:
    data = START + interface(link=220, o2=b"usbmon0") + interface(link=65000)
    data += epb(b"frame") + epb(b"usb", number=1) * 2 + epb(b"?", number=2) + epb(b"last")
    capture = capture_of(data)
    assert [each.data for each in capture.frames] == [b"frame", b"last"]
    assert capture.left_out == (
        LeftOut("usbmon0", "220 (USB_LINUX_MMAPPED)", packets=2, first=2),
        LeftOut("if2", "65000", packets=1, first=4),
    )
    assert capture.broken == ""


def test_upper_pdu_packets_are_left_out() -> None:
    data = START + interface(link=252) + epb(b"note", number=1) + epb(b"frame")
    assert frames_of(data) == (frame(b"frame"),)


@pytest.mark.parametrize("order", "<>")
def test_what_comes_before_a_cut_is_read_at_every_length(order: str) -> None:
    blocks = [
        section(order),
        interface(order, o2=b"eth0"),
        epb(b"frame", order, o2=bytes(4)),
        block(SPB, struct.pack(order + "I", 5) + b"frame", order),
        block(99, b"unknown", order),
        section({"<": ">", ">": "<"}[order]),
        interface({"<": ">", ">": "<"}[order]),
        epb(b"other", {"<": ">", ">": "<"}[order]),
    ]
    packets = [0, 0, 1, 2, 2, 2, 2, 3]
    whole = b"".join(blocks)
    borders = [len(b"".join(blocks[:count])) for count in range(1, len(blocks) + 1)]
    for cut in range(1, len(whole) + 1):
        if cut in borders:
            assert len(capture_of(whole[:cut]).frames) == packets[borders.index(cut)]
            assert fault_of(whole[:cut]) == ""
            continue
        count = sum(border < cut for border in borders)
        if count < 3:
            assert fault_of(whole[:cut])
            continue
        capture = capture_of(whole[:cut])
        assert len(capture.frames) == packets[count - 1]
        assert capture.broken.startswith(f"at byte {borders[count - 1]} (block {count + 1}, ")


def test_a_break_says_which_packet_it_is_or_comes_after() -> None:
    data = START + epb(b"a")
    assert f"at byte {len(data)} (block 4, packet 2): " in fault_of(data + epb(b"b")[:-1])
    late = data + epb(b"b") + block(99, b"")[:-1]
    assert f"at byte {len(late) - 11} (block 5, after packet 2): " in fault_of(late)


def test_a_broken_later_section_leaves_the_first() -> None:
    data = START + epb(b"a")
    for broken in (section(version=(2, 0)), section(magic=1), section()[:20], bytes(12)):
        capture = capture_of(data + broken)
        assert capture.frames == (frame(b"a"),)
        assert "after packet 1" in capture.broken


def test_a_cut_block_is_reported_with_where_it_begins_and_what_is_left() -> None:
    data = START + epb(b"frame")
    assert fault_of(data[:-3]) == (
        f"at byte {len(START)} (block 3, packet 1): the file ends inside an Enhanced Packet Block: "
        "bytes needed: 40, left: 37"
    )


@pytest.mark.parametrize("length", [0, 8, 11, 41])
def test_an_impossible_block_length_is_named(length: int) -> None:
    message = fault_of(START + block(EPB, bytes(28), length=length))
    assert message == (
        f"at byte {len(START)} (block 3, packet 1): an Enhanced Packet Block has the impossible "
        f"length {length}"
    )


def test_two_lengths_that_differ_are_named() -> None:
    message = fault_of(START + block(EPB, bytes(28), repeated=44))
    assert message.endswith("an Enhanced Packet Block gives its length as 40, then as 44")


@pytest.mark.parametrize("captured", [MAX_CAPTURED_BYTES + 1, 2**32 - 1])
def test_an_impossible_captured_length_is_named(captured: int) -> None:
    message = fault_of(START + epb(b"abc", captured=captured))
    assert f"(block 3, packet 1): a packet claims {captured} captured bytes" in message


def test_a_packet_longer_than_its_block_is_an_error() -> None:
    assert "holds 4 bytes of a packet of 9" in fault_of(START + epb(b"abcd", captured=9))


@pytest.mark.parametrize(
    "broken",
    [
        block(SHB, struct.pack("<I2H", 0x1A2B3C4D, 1, 0)),
        section() + block(IDB, bytes(4)),
        START + block(EPB, bytes(16)),
        START + block(OPB, bytes(16)),
        START + block(SPB, b""),
    ],
)
def test_a_block_too_short_for_its_fields_is_an_error(broken: bytes) -> None:
    assert "too short for its fields" in fault_of(broken)


@pytest.mark.parametrize("kind", [SPB, EPB, OPB])
def test_a_packet_of_an_undescribed_interface_is_an_error(kind: int) -> None:
    assert "belongs to interface 0, of which" in fault_of(section() + block(kind, bytes(20)))


@pytest.mark.parametrize(
    "broken",
    [
        section() + interface(o9=b"\x09\x00"),
        section() + interface(o14=bytes(4)),
        START + epb(b"frame", o2=b"\x01"),
    ],
)
def test_an_option_of_the_wrong_length_is_an_error(broken: bytes) -> None:
    assert "of the wrong length" in fault_of(broken)


@pytest.mark.parametrize("length", [5, 65_535])
def test_an_option_that_runs_past_its_block_is_an_error(length: int) -> None:
    body = struct.pack("<2HI2H", 1, 0, 0, 2, length) + b"eth0"
    assert "an option (code 2) that runs past its end" in fault_of(section() + block(IDB, body))


def test_a_section_of_another_version_or_byte_order_is_an_error() -> None:
    assert "is of version 2.0" in fault_of(section(version=(2, 0)))
    assert frames_of(section(version=(1, 2))) == ()
    assert fault_of(section(magic=0x01020304)).startswith(
        "at byte 8 (block 1): a section's byte-order magic is"
    )


def frames_or_capture_file_error(data: bytes) -> None:
    try:
        capture = capture_of(data)
    except CaptureFileError as caught:
        assert str(caught).startswith("cannot read some.cap")
    else:
        assert all(isinstance(each, Frame) for each in capture.frames)
        assert "at byte" in capture.broken or not capture.broken


@given(order=st.sampled_from("<>"), rest=st.binary(max_size=200))
@examples(100)
def test_random_bytes_after_a_section_give_frames_or_a_capture_file_error(
    order: str, rest: bytes
) -> None:
    frames_or_capture_file_error(section(order)[: len(rest) % 29] + rest)
    frames_or_capture_file_error(section(order) + rest)


@given(
    order=st.sampled_from("<>"),
    kind=st.sampled_from([EPB, SPB, OPB, IDB, SHB]),
    body=st.binary(max_size=60),
)
@examples(150)
def test_random_block_bodies_give_frames_or_a_capture_file_error(
    order: str, kind: int, body: bytes
) -> None:
    frames_or_capture_file_error(section(order) + interface(order) + block(kind, body, order))


@given(
    changes=st.lists(st.tuples(st.integers(0, 271), st.integers(0, 255)), min_size=1, max_size=4)
)
@examples(300)
def test_a_damaged_file_gives_frames_or_a_capture_file_error(
    changes: list[tuple[int, int]],
) -> None:
    data = bytearray(section() + interface(o2=b"eth0", o9=b"\x09", o0=b"") + interface())
    data += epb(b"a" * 21, ticks=7, o2=b"\2\0\0\0", o1=b"note", o0=b"")
    data += epb(b"b" * 30, number=1, ticks=9)
    for position, value in changes:
        data[position % len(data)] = value
    frames_or_capture_file_error(bytes(data))


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_agrees_on_times_and_lengths_of_a_foreign_file(tmp_path: Path) -> None:
    offset = struct.pack(">q", 1_700_000_000)
    data = section("<") + interface("<", o2=b"milli", o9=b"\x03") + interface("<")
    data += epb(bytes(60), "<", ticks=1_700_000_000_123)
    data += epb(bytes(61), "<", number=1, ticks=1_700_000_000_123_456, original=99)
    data += section(">") + interface(">", o2=b"binary", o9=b"\x94", o14=offset)
    data += epb(bytes(62), ">", ticks=3 * 2**20 + 2**19)
    path = tmp_path / "foreign.pcapng"
    path.write_bytes(data)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch"]
    command += ["-e", "frame.len", "-e", "frame.cap_len"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert [tuple(line.split()) for line in done.stdout.splitlines()] == [
        (
            f"{each.time_ns // 10**9}.{each.time_ns % 10**9:09}",
            str(each.wire_bytes),
            str(len(each.data)),
        )
        for each in frames_of(data)
    ]
