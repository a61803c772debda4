import struct

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import CaptureFileError
from lab.pcap.classic import MAX_CAPTURED_BYTES, parse_pcap
from lab.records import Direction, Frame, LinkType

MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D
FORMATS = [(order, magic) for order in "<>" for magic in (MICRO, NANO)]


def header(
    order: str = "<", magic: int = MICRO, link: int = 1, version: tuple[int, int] = (2, 4)
) -> bytes:
    return struct.pack(order + "I2H4I", magic, *version, 0, 0, 65535, link)


def record(
    data: bytes,
    order: str = "<",
    seconds: int = 1_700_000_000,
    units: int = 123_456,
    captured: int | None = None,
    original: int | None = None,
) -> bytes:
    captured = len(data) if captured is None else captured
    original = len(data) if original is None else original
    return struct.pack(order + "4I", seconds, units, captured, original) + data


def frame(
    data: bytes,
    time_ns: int = 1_700_000_000_123_456_000,
    wire_bytes: int | None = None,
    link_type: LinkType = LinkType.ETHERNET,
) -> Frame:
    wire_bytes = len(data) if wire_bytes is None else wire_bytes
    return Frame(time_ns, "if0", Direction.UNKNOWN, data, wire_bytes, link_type)


def error(data: bytes) -> str:
    with pytest.raises(CaptureFileError, match=r"^cannot read some\.pcap: at byte ") as caught:
        parse_pcap(data, "some.pcap")
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix("cannot read some.pcap: ")


@pytest.mark.parametrize(("order", "magic"), FORMATS)
def test_records_are_read_in_either_byte_order_and_unit(order: str, magic: int) -> None:
    data = header(order, magic)
    data += record(b"first", order, units=987_654, original=1514)
    data += record(b"", order, seconds=2**32 - 1, units=0)
    unit_ns = 1 if magic == NANO else 1000
    assert parse_pcap(data, "some.pcap") == (
        frame(b"first", 1_700_000_000 * 10**9 + 987_654 * unit_ns, 1514),
        frame(b"", (2**32 - 1) * 10**9),
    )


def test_a_file_without_records_has_no_frames() -> None:
    assert parse_pcap(header(), "some.pcap") == ()


@pytest.mark.parametrize(("order", "magic"), FORMATS)
def test_a_cut_is_an_error_at_every_length_but_a_record_border(order: str, magic: int) -> None:
    records = [record(b"a" * 20, order), record(b"", order), record(b"b" * 7, order)]
    whole = header(order, magic) + b"".join(records)
    borders = {24: 0, 60: 1, 76: 2, len(whole): 3}
    for cut in range(len(whole) + 1):
        if cut in borders:
            assert len(parse_pcap(whole[:cut], "some.pcap")) == borders[cut]
        else:
            error(whole[:cut])


def test_a_cut_record_is_reported_with_where_it_begins_and_what_is_left() -> None:
    data = header() + record(b"a" * 60) + record(b"b" * 60)[:-15]
    assert error(data).startswith(
        "at byte 100: the file ends inside a packet record: bytes needed: 60, left: 45"
    )
    assert error(data[:105]).startswith(
        "at byte 100: the file ends inside a record header: bytes needed: 16, left: 5"
    )
    assert error(data[:23]).startswith(
        "at byte 0: the file ends inside a pcap file header: bytes needed: 24"
    )


@pytest.mark.parametrize("captured", [MAX_CAPTURED_BYTES + 1, 2**32 - 1])
def test_an_impossible_captured_length_is_named(captured: int) -> None:
    message = error(header() + record(b"abc", captured=captured, original=captured))
    assert message.startswith(f"at byte 24: a packet claims {captured} captured bytes")


def test_the_longest_possible_packet_is_read() -> None:
    data = bytes(MAX_CAPTURED_BYTES)
    assert parse_pcap(header() + record(data), "some.pcap")[0].data == data


def test_an_original_length_below_the_captured_one_is_raised_to_it() -> None:
    assert parse_pcap(header() + record(b"abcd", original=0), "x") == (frame(b"abcd"),)


@pytest.mark.parametrize("link_type", LinkType)
def test_each_link_type_of_the_lab_is_read(link_type: LinkType) -> None:
    data = header(link=link_type.value) + record(b"abcd")
    assert parse_pcap(data, "some.pcap") == (frame(b"abcd", link_type=link_type),)


@pytest.mark.parametrize("number", [12, 14])
def test_the_historic_numbers_of_raw_ip_are_read_as_raw(number: int) -> None:
    (only,) = parse_pcap(header(link=number) + record(b"abcd"), "some.pcap")
    assert only.link_type is LinkType.RAW


def test_an_unsupported_link_type_is_an_error_only_where_a_packet_has_it() -> None:
    assert parse_pcap(header(link=105), "some.pcap") == ()
    message = error(header(link=105) + record(b"abcd"))
    assert message.startswith("at byte 24: a packet of link type 105, which is not supported")


def test_upper_pdu_records_are_left_out_but_checked() -> None:
    data = header(link=252) + record(b"note")
    assert parse_pcap(data, "some.pcap") == ()
    error(data[:-1])


def test_a_frame_check_sequence_is_removed_from_both_lengths() -> None:
    link = 0x2400_0001  # two 16-bit words
    data = header(link=link) + record(b"frameFCS!")
    assert parse_pcap(data, "some.pcap") == (frame(b"frame"),)


def test_only_the_captured_part_of_a_frame_check_sequence_is_removed() -> None:
    records = record(b"frameFC", original=9) + record(b"fra", original=9)
    data = header(link=0x2400_0001) + records
    assert parse_pcap(data, "x") == (frame(b"frame"), frame(b"fra", wire_bytes=5))


def test_a_packet_shorter_than_its_frame_check_sequence_is_empty() -> None:
    assert parse_pcap(header(link=0xF400_0001) + record(b"abc"), "x") == (frame(b""),)


def test_an_fcs_length_without_the_present_bit_removes_nothing() -> None:
    assert parse_pcap(header(link=0x2000_0001) + record(b"abcdef"), "x") == (frame(b"abcdef"),)


@pytest.mark.parametrize("link", [0x0001_0001, 0x0200_0001, 0x0800_0001])
def test_reserved_bits_beside_the_link_type_are_an_error(link: int) -> None:
    assert error(header(link=link)).startswith(f"at byte 20: the link type field {link:#010x}")


def test_swapped_lengths_of_versions_before_2_4_are_put_right() -> None:
    swapped = record(b"abcd", captured=1514, original=4)
    assert parse_pcap(header(version=(2, 2)) + swapped, "x") == (frame(b"abcd", wire_bytes=1514),)
    right = record(b"abcd", captured=4, original=1514)
    assert parse_pcap(header(version=(2, 3)) + right, "x") == (frame(b"abcd", wire_bytes=1514),)


def test_an_unknown_major_version_is_an_error() -> None:
    assert error(header(version=(3, 0))).startswith("at byte 4: pcap version 3.0")


def test_bytes_that_are_no_capture_are_shown() -> None:
    assert error(b"\x7fELF\x02\x01\x01\x00more") == (
        "at byte 0: not a pcap or pcapng capture: its first bytes are 7f 45 4c 46 02 01 01 00"
    )
    assert error(b"") == "at byte 0: the file is empty"
    assert error(b"\xd4\xc3").endswith("its first bytes are d4 c3")


@given(
    order=st.sampled_from("<>"),
    packets=st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1),
            st.integers(0, 999_999_999),
            st.binary(max_size=64),
            st.integers(0, 2000),
        )
    ),
)
@examples(60)
def test_what_a_nanosecond_file_says_is_what_is_read(
    order: str, packets: list[tuple[int, int, bytes, int]]
) -> None:
    data = header(order, NANO)
    for seconds, nanoseconds, payload, extra in packets:
        original = len(payload) + extra
        data += record(payload, order, seconds, nanoseconds, original=original)
    assert parse_pcap(data, "some.pcap") == tuple(
        frame(payload, seconds * 10**9 + nanoseconds, len(payload) + extra)
        for seconds, nanoseconds, payload, extra in packets
    )


def frames_or_capture_file_error(data: bytes) -> None:
    try:
        frames = parse_pcap(data, "some.pcap")
    except CaptureFileError as caught:
        assert "at byte" in str(caught)
    else:
        assert all(isinstance(each, Frame) for each in frames)


@given(form=st.sampled_from(FORMATS), rest=st.binary(max_size=200))
@examples(100)
def test_random_bytes_after_the_magic_give_frames_or_a_capture_file_error(
    form: tuple[str, int], rest: bytes
) -> None:
    frames_or_capture_file_error(struct.pack(f"{form[0]}I", form[1]) + rest)


@given(
    form=st.sampled_from(FORMATS),
    changes=st.lists(st.tuples(st.integers(0, 95), st.integers(0, 255)), min_size=1, max_size=4),
)
@examples(200)
def test_a_damaged_file_gives_frames_or_a_capture_file_error(
    form: tuple[str, int], changes: list[tuple[int, int]]
) -> None:
    order, magic = form
    data = bytearray(header(order, magic) + record(b"a" * 20, order) + record(b"b" * 20, order))
    for position, value in changes:
        data[position] = value
    frames_or_capture_file_error(bytes(data))
