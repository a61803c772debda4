import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from captured import capture_of, fault_of, frames_of
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import CaptureFileError
from lab.pcap.link_types import LINK_TYPES, MAX_CAPTURED_BYTES
from lab.records import Direction, Frame, LinkType

MICRO, NANO, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
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


@pytest.mark.parametrize(("order", "magic"), FORMATS)
def test_records_are_read_in_either_byte_order_and_unit(order: str, magic: int) -> None:
    data = header(order, magic)
    data += record(b"first", order, units=987_654, original=1514)
    data += record(b"", order, seconds=2**32 - 1, units=0)
    unit_ns = 1 if magic == NANO else 1000
    assert frames_of(data) == (
        frame(b"first", 1_700_000_000 * 10**9 + 987_654 * unit_ns, 1514),
        frame(b"", (2**32 - 1) * 10**9),
    )


def test_a_file_without_records_has_no_frames() -> None:
    assert frames_of(header()) == ()


@pytest.mark.parametrize(("order", "magic"), FORMATS)
def test_what_comes_before_a_cut_is_read_at_every_length(order: str, magic: int) -> None:
    records = [record(b"a" * 20, order), record(b"", order), record(b"b" * 7, order)]
    whole = header(order, magic) + b"".join(records)
    borders = {24: 0, 60: 1, 76: 2, len(whole): 3}
    for cut in range(len(whole) + 1):
        if cut in borders:
            assert len(frames_of(whole[:cut])) == borders[cut]
            continue
        message = fault_of(whole[:cut])
        before = max((border for border in borders if border < cut), default=0)
        if before > 24:
            assert len(capture_of(whole[:cut]).frames) == borders[before]
            assert f"at byte {before} (packet {borders[before] + 1}): the file ends" in message
        else:
            assert message


def test_a_cut_record_is_reported_with_where_it_begins_and_what_is_left() -> None:
    data = header() + record(b"a" * 60) + record(b"b" * 60)[:-15]
    assert fault_of(data).startswith(
        "at byte 100 (packet 2): the file ends inside a packet record: bytes needed: 60, left: 45"
    )
    assert fault_of(data[:105]).startswith(
        "at byte 100 (packet 2): the file ends inside a record header: bytes needed: 16, left: 5"
    )
    assert fault_of(data[:23]).startswith(
        "at byte 0: the file ends inside a pcap file header: bytes needed: 24"
    )


@pytest.mark.parametrize("captured", [MAX_CAPTURED_BYTES + 1, 2**32 - 1])
def test_an_impossible_captured_length_is_named(captured: int) -> None:
    message = fault_of(header() + record(b"abc", captured=captured, original=captured))
    assert message.startswith(f"at byte 24 (packet 1): a packet claims {captured} captured bytes")


def test_the_longest_possible_packet_is_read() -> None:
    data = bytes(MAX_CAPTURED_BYTES)
    assert frames_of(header() + record(data))[0].data == data


def test_an_original_length_below_the_captured_one_is_raised_to_it() -> None:
    assert frames_of(header() + record(b"abcd", original=0)) == (frame(b"abcd"),)


@pytest.mark.parametrize("link_type", LinkType)
def test_each_link_type_of_the_lab_is_read(link_type: LinkType) -> None:
    data = header(link=link_type.value) + record(b"abcd")
    assert frames_of(data) == (frame(b"abcd", link_type=link_type),)


@pytest.mark.parametrize("number", [12, 14])
def test_the_historic_numbers_of_raw_ip_are_read_as_raw(number: int) -> None:
    (only,) = frames_of(header(link=number) + record(b"abcd"))
    assert only.link_type is LinkType.RAW


def test_packets_of_a_link_type_that_is_not_dissected_are_counted() -> None:
    assert 220 not in LINK_TYPES
    capture = capture_of(header(link=220) + record(b"abcd") * 3)
    assert (capture.frames, capture.broken) == ((), "")
    (left_out,) = capture.left_out
    assert (left_out.point, left_out.link_type) == ("if0", "220 (USB_LINUX_MMAPPED)")
    assert (left_out.packets, left_out.first) == (3, 1)


def test_a_link_types_own_longest_packet_counts() -> None:
    usb = bytes(MAX_CAPTURED_BYTES + 1)
    assert capture_of(header(link=220) + record(usb)).left_out[0].packets == 1
    assert "a packet claims" in fault_of(header(link=1) + record(usb))


def test_upper_pdu_records_are_left_out_but_checked() -> None:
    data = header(link=252) + record(b"note")
    assert frames_of(data) == ()
    fault_of(data[:-1])


def test_a_frame_check_sequence_is_removed_from_both_lengths() -> None:
    link = 0x2400_0001  # two 16-bit words
    data = header(link=link) + record(b"frameFCS!")
    assert frames_of(data) == (frame(b"frame"),)


def test_only_the_captured_part_of_a_frame_check_sequence_is_removed() -> None:
    records = record(b"frameFC", original=9) + record(b"fra", original=9)
    data = header(link=0x2400_0001) + records
    assert frames_of(data) == (frame(b"frame"), frame(b"fra", wire_bytes=5))


def test_a_packet_shorter_than_its_frame_check_sequence_is_empty() -> None:
    assert frames_of(header(link=0xF400_0001) + record(b"abc")) == (frame(b""),)


def test_an_fcs_length_without_the_present_bit_removes_nothing() -> None:
    assert frames_of(header(link=0x2000_0001) + record(b"abcdef")) == (frame(b"abcdef"),)


@pytest.mark.parametrize("link", [0x0001_0001, 0x0200_0001, 0x0800_0001])
def test_reserved_bits_beside_the_link_type_are_an_error(link: int) -> None:
    assert fault_of(header(link=link)).startswith(f"at byte 20: the link type field {link:#010x}")


def test_swapped_lengths_of_versions_before_2_4_are_put_right() -> None:
    swapped = record(b"abcd", captured=1514, original=4)
    assert frames_of(header(version=(2, 2)) + swapped) == (frame(b"abcd", wire_bytes=1514),)
    right = record(b"abcd", captured=4, original=1514)
    assert frames_of(header(version=(2, 3)) + right) == (frame(b"abcd", wire_bytes=1514),)


def test_an_unknown_major_version_is_an_error() -> None:
    assert fault_of(header(version=(3, 0))).startswith("at byte 4: pcap version 3.0")


def modified(data: bytes, record_bytes: int, order: str = "<") -> bytes:
    """A record whose header is longer by an interface, an Ethernet type and a packet type."""
    more = struct.pack(order + "IHBB", 2, 0x0800, 4, 0).ljust(record_bytes - 16, b"\0")
    head = record(data, order)
    return head[:16] + more[: record_bytes - 16] + head[16:]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("magic", "record_bytes"),
    [(MODIFIED, 24), (MODIFIED, 28), (MICRO, 24), (MICRO, 20), (MICRO, 16)],
)
def test_variants_with_longer_record_headers_are_read(
    order: str, magic: int, record_bytes: int
) -> None:
    packets = [b"a" * 60, b"", b"b" * 61, b"c" * 1500]
    fewest = 2 if record_bytes == 20 else 1  # of one, a Nokia file is a standard one cut later
    for count in range(fewest, len(packets) + 1):
        data = header(order, magic)
        data += b"".join(modified(packet, record_bytes, order) for packet in packets[:count])
        assert [each.data for each in frames_of(data)] == packets[:count]


@pytest.mark.parametrize("record_bytes", [24, 28])
def test_what_comes_before_a_cut_in_a_modified_file_is_read(record_bytes: int) -> None:
    whole = header(magic=MODIFIED) + modified(b"a" * 60, record_bytes) * 3
    size = 60 + record_bytes
    for cut in range(24 + 2 * size + 1, len(whole)):
        capture = capture_of(whole[:cut])
        assert len(capture.frames) == 2
        assert capture.broken.startswith(f"at byte {24 + 2 * size} (packet 3): the file ends")


def test_a_damaged_record_does_not_make_a_standard_file_a_variant() -> None:
    damaged = record(b"b" * 60, captured=2**31, original=2**31)
    capture = capture_of(header() + record(b"a" * 60) + damaged + record(b"c" * 60))
    assert capture.frames == (frame(b"a" * 60),)
    assert capture.broken.startswith("at byte 100 (packet 2): a packet claims")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "unit_ns"), [(0x1C0001AC, 1), (0x1C0001AB, 1000)])
def test_the_size_in_ixias_file_header_is_passed_over(order: str, magic: int, unit_ns: int) -> None:
    data = header(order, magic) + struct.pack(order + "I", 36) + record(b"a" * 20, order)
    (only,) = frames_of(data)
    assert (only.data, only.time_ns) == (b"a" * 20, 1_700_000_000 * 10**9 + 123_456 * unit_ns)


def test_interface_types_of_aix_are_link_types_and_its_times_nanoseconds() -> None:
    swapped = record(b"abcd", captured=60, original=4)
    (only,) = frames_of(header(version=(2, 2), link=6) + swapped)
    assert only == frame(b"abcd", 1_700_000_000_000_123_456, 60)


def test_dg_uxs_version_has_its_lengths_swapped() -> None:
    swapped = record(b"abcd", captured=60, original=4)
    assert frames_of(header(version=(543, 0)) + swapped) == (frame(b"abcd", wire_bytes=60),)


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap is not installed")
@pytest.mark.parametrize(
    "kind", ["pcap", "nsecpcap", "modpcap", "rh6_1pcap", "suse6_3pcap", "nokiapcap", "pcapng"]
)
def test_variants_written_by_editcap_are_read(kind: str, tmp_path: Path) -> None:
    given = header() + record(b"a" * 60) + record(b"b" * 61, units=2, original=99)
    (tmp_path / "in").write_bytes(given)
    command = ["editcap", "-F", kind, str(tmp_path / "in"), str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
    read = frames_of((tmp_path / "out").read_bytes())
    assert [replace(each, point="if0") for each in read] == list(frames_of(given))


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
    assert frames_of(data) == tuple(
        frame(payload, seconds * 10**9 + nanoseconds, len(payload) + extra)
        for seconds, nanoseconds, payload, extra in packets
    )


def frames_or_capture_file_error(data: bytes) -> None:
    try:
        capture = capture_of(data)
    except CaptureFileError as caught:
        assert str(caught).startswith("cannot read some.cap")
    else:
        assert all(isinstance(each, Frame) for each in capture.frames)
        assert "at byte" in capture.broken or not capture.broken


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
