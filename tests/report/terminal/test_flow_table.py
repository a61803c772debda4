from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.analysis.flow_summary import frames_of_none, summarise
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import group_flows
from lab.analysis.select.selection import asked_for, select
from lab.analysis.tcp.conversation import analyse_tcp
from lab.records import Direction, Frame
from lab.report.terminal.capture_page import MOST_DRAWN, draw_capture
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.flow_table import draw_flow_table


def segment(seq: int, data: bytes = b"x", port: int = 1000) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(data, sport=port, dport=80, seq=seq, flags=fb.ACK)))


def captured(packets: list[bytes]) -> tuple[Crossing, ...]:
    return crossings_of_capture(
        Frame(n * 1_000_000, "if0", Direction.UNKNOWN, data, len(data))
        for n, data in enumerate(packets)
    )


def table(packets: list[bytes], width: int = 80) -> list[str]:
    seen = captured(packets)
    flows = group_flows(seen)
    talks = {flow.number: analyse_tcp(flow) for flow in flows if flow.protocol == "tcp"}
    others = frames_of_none(seen, flows)
    rows = [
        summarise(flow, talks[flow.number] if flow.protocol == "tcp" else None) for flow in flows
    ]
    shown = [str(row.frames) for row in rows]
    return [line.plain for line in draw_flow_table(rows, shown, len(others), Style(width, True))]


def page(packets: list[bytes], *names: str, numbers: str | None = None) -> list[str]:
    seen = captured(packets)
    flows = group_flows(seen)
    talks = tuple(analyse_tcp(flow) for flow in flows if flow.protocol == "tcp")
    selection = None
    if names or numbers:
        asked = asked_for(names, None, numbers)
        selection = select(asked, seen, flows, talks, range(1, len(seen) + 1), 0)
        seen, flows = selection.crossings, selection.flows
    lines = draw_capture(seen, flows, talks, 0, Style(80, True), (), selection)
    return [line.plain for line in lines]


SMALL = [
    segment(100, b"hello"),
    segment(100, b"hello"),
    fb.ethernet(fb.ipv4(fb.udp(b"ask"), 17)),
    fb.ethernet(b"?", 0x88B5),
]
LARGE = [segment(100 + n) for n in range(MOST_DRAWN - 1)] + SMALL[2:]


def test_the_table_has_a_flows_ends_times_counts_and_notes() -> None:
    assert table(SMALL) == [
        "flow   from > to: how it ended",
        "                      began (UTC)   for (s)  frames  bytes there  bytes back",
        "tcp:0  192.0.2.1:1000 > 192.0.2.2:80: not closed",
        "       1970-01-01 00:00:00.000000  0.001000       2            5           0",
        "       retransmission: 1",
        "udp:0  192.0.2.1:5000 > 192.0.2.2:5001",
        "       1970-01-01 00:00:00.002000  0.000000       1            3           0",
        "1 frame of no flow",
        "",
        "--flow tcp:0 draws that flow; --flow none lists the frames of no flow; it may be",
        "repeated",
    ]


def test_a_table_of_no_flows_says_how_their_frames_are_listed() -> None:
    assert table(SMALL[3:]) == [
        "1 frame of no flow",
        "",
        "--flow none lists the frames of no flow; it may be repeated",
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_stays_within_the_page(width: int) -> None:
    long = fb.ipv6(fb.tcp6(b"x"), source=fb.V6_A, destination=fb.V6_B)
    lines = table([*SMALL, fb.ethernet(long, fb.IPV6)], width)
    assert max(map(len, lines)) <= width
    assert sum(line.startswith(("tcp:", "udp:")) for line in lines) == 3


def test_up_to_fifty_frames_are_drawn_and_more_are_listed() -> None:
    drawn = page(LARGE[1:])
    listed = page(LARGE)
    assert (len(LARGE[1:]), len(LARGE)) == (MOST_DRAWN, MOST_DRAWN + 1)
    assert any("seq=" in line for line in drawn)
    assert not any(line.startswith("tcp:0") for line in drawn)
    assert not any("seq=" in line for line in listed)
    assert any(line.startswith("tcp:0") for line in listed)
    assert listed[0] == "51 frames, 2 flows"


def test_a_chosen_flow_is_drawn_as_it_is_on_the_whole_page() -> None:
    whole = page(SMALL)
    chosen = page(SMALL, "udp:0")
    assert (whole[0], chosen[0]) == ("4 frames, 2 flows", "1 of 4 frames, 1 flow")
    start = next(n for n, line in enumerate(whole) if line.startswith("-- udp 0 "))
    end = next(n for n, line in enumerate(whole) if line.startswith("-- Frames of no flow "))
    numbered = [
        line.replace("-UDP 5000 > 5001 len=3--", "-3 UDP 5000 > 5001 len=3")
        for line in whole[start : end - 1]
    ]
    assert chosen[2:] == numbered != whole[start : end - 1]


def test_of_a_large_file_chosen_flows_and_frames_of_none_are_drawn() -> None:
    lines = page(LARGE, "none", "udp:0")
    assert [line.split(" -")[0] for line in lines if line.startswith("-- ")] == [
        "-- udp 0",
        "-- Datagrams",
        "-- Frames of no flow",
    ]
    assert lines[-1].startswith("    1.000 51 Ethernet type 0x88b5")


def test_that_no_frame_is_of_no_flow_is_said() -> None:
    assert page(LARGE[:-1], "none")[-1] == "Every frame is of a flow"


def test_a_table_is_of_whole_flows_and_says_how_many_frames_were_asked_for() -> None:
    more = [*SMALL[:2], *LARGE]
    whole, some = page(more), page(more, numbers="2-")
    assert some[0] == "52 of 53 frames, 2 flows"
    (row,) = (line.split() for line in whole if line.startswith("       1970-01-01 00:00:00.000"))
    (narrowed,) = (
        line.split() for line in some if line.startswith("       1970-01-01 00:00:00.000")
    )
    assert narrowed == [*row[:3], str(int(row[3]) - 1), "of", *row[3:]]


def test_below_a_ladder_the_whole_flow_is_summed_up() -> None:
    lines = page(SMALL, numbers="1")
    assert "  1 of the flow's 2 frames are shown" in lines
    assert any("5 bytes to the right" in line for line in lines)
