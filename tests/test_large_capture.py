from __future__ import annotations

import struct
from pathlib import Path

import frame_bytes as fb
import pytest
from tabled import any_conversations, lossy_conversations

from lab.analysis.select.selection import Asked
from lab.capture_files import read_file, show_capture
from lab.errors import CaptureFileError, UsageError
from lab.large_capture import LargeCapture
from lab.pcap.bulk.bulk_reading import NotInBulkError
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import Direction, Frame
from lab.report.terminal.capture_page import draw_capture, draw_large
from lab.report.terminal.drawing.style import Style
from tests.benchmarks.show_file import write_capture

STYLE = Style(80, True)


def file_of(frames: list[Frame], path: Path) -> Path:
    """A pcap file of the frames in nanoseconds."""
    data = struct.pack("<I2H4I", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    for frame in frames:
        seconds, rest = divmod(frame.time_ns, 10**9)
        data += struct.pack("<4I", seconds, rest, len(frame.data), frame.wire_bytes) + frame.data
    path.write_bytes(data)
    return path


def mixture() -> list[Frame]:
    """Conversations, also such as cannot be followed in a table, and frames of none."""
    frames = [*lossy_conversations(3), *any_conversations(5), *any_conversations(8)]
    datagram = fb.udp(b"a" * 40)
    for flags, part, offset in ((1, datagram[:24], 0), (0, datagram[24:], 24)):
        fragment = fb.ipv4(part, 17, flags=flags, offset=offset)
        frames.append(Frame(10**18, "if0", Direction.UNKNOWN, fb.ethernet(fragment), 80))
    quoting = fb.ethernet(fb.ipv4(fb.icmp(3, 3, bytes(4), frames[0].data[14:42]), 1))
    frames.append(Frame(10**18, "if0", Direction.UNKNOWN, quoting, len(quoting)))
    ping = fb.ethernet(fb.ipv4(fb.icmp(8, 0, bytes(4), b"ping"), 1))
    return [*frames, Frame(10**18, "if0", Direction.UNKNOWN, ping, len(ping))]


def test_the_page_is_that_of_a_file_all_of_whose_frames_are_dissected(tmp_path: Path) -> None:
    path = file_of(mixture(), tmp_path / "some.pcap")
    large, small = LargeCapture.read(str(path)), show_capture(read_file(str(path)))
    lines = draw_large(
        len(large.table.packets), large.summaries, len(large.frames_of_none), 0, STYLE
    )
    expected = draw_capture(small.crossings, small.flows, small.conversations, 0, STYLE)
    assert [line.plain for line in lines] == [line.plain for line in expected]
    assert large.notes.followed_alone


def test_flows_that_are_asked_for_are_drawn_as_of_any_file(tmp_path: Path) -> None:
    path = file_of(mixture(), tmp_path / "some.pcap")
    large = LargeCapture.read(str(path))
    for names in (("tcp:0",), ("udp:0", "none"), tuple(row.name for row in large.summaries)):
        asked = Asked(names)
        mine, theirs = large.shown(asked), show_capture(read_file(str(path)), asked)
        assert (mine.crossings, mine.flows) == (theirs.crossings, theirs.flows)
        assert (mine.conversations, mine.packets) == (theirs.conversations, theirs.packets)
        pages = [
            draw_capture(each.crossings, each.flows, each.conversations, each.canaries, STYLE,
                         selection=each.selection)
            for each in (mine, theirs)
        ]  # fmt: skip
        assert [line.plain for line in pages[0]] == [line.plain for line in pages[1]]


def test_a_flow_that_there_is_not_is_refused_in_the_same_words(tmp_path: Path) -> None:
    path = file_of(mixture(), tmp_path / "some.pcap")
    asked = Asked(("tcp:99",))
    with pytest.raises(UsageError) as expected:
        show_capture(read_file(str(path)), asked)
    with pytest.raises(UsageError) as refused:
        LargeCapture.read(str(path)).shown(asked)
    assert str(refused.value) == str(expected.value)


def test_of_a_file_that_is_broken_what_comes_before_is_there(tmp_path: Path) -> None:
    path = file_of(mixture(), tmp_path / "some.pcap")
    path.write_bytes(path.read_bytes()[:-3])
    large = LargeCapture.read(str(path))
    assert large.capture.broken == read_file(str(path)).broken != ""
    assert len(large.table.packets) == len(mixture()) - 1
    path.write_bytes(b"garbage")
    with pytest.raises(CaptureFileError):
        LargeCapture.read(str(path))


def test_frames_that_are_to_be_joined_are_not_for_a_table(tmp_path: Path) -> None:
    data = fb.ethernet(fb.ipv4(fb.tcp()))
    frames = [
        Frame(10**18, "a", Direction.OUT, data, len(data)),
        Frame(10**18, "b", Direction.IN, data, len(data)),
    ]
    path = tmp_path / "both.pcapng"
    with path.open("wb") as file:
        write_pcapng(file, ["a", "b"], frames, {}, "test")
    with pytest.raises(NotInBulkError):
        LargeCapture.read(str(path))


def test_a_capture_of_the_benchmarks_has_the_flows_it_was_made_with(tmp_path: Path) -> None:
    path = tmp_path / "many.pcap"
    write_capture(path, 3000)
    large, small = LargeCapture.read(str(path)), show_capture(read_file(str(path)))
    assert len(large.table.packets) == 3000 and not len(large.table.odd)
    assert not large.notes.followed_alone
    lines = draw_large(3000, large.summaries, 0, 0, STYLE)
    expected = draw_capture(small.crossings, small.flows, small.conversations, 0, STYLE)
    assert [line.plain for line in lines] == [line.plain for line in expected]
