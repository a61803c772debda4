from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import frame_bytes as fb
import pytest
from captured import frames_of
from transcript import crossings

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import group_flows
from lab.analysis.tcp.conversation import analyse_tcp
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import Direction, Frame
from lab.report.terminal.capture_page import draw_capture
from lab.report.terminal.drawing.style import Style
from scenarios.tcp import SCENARIO

TITLE = f"tcp over IPv4: {SCENARIO.summary}"
WIDTHS = [60, 80, 100, 120, 200]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\b\u202e\u2028 end"
GOLDEN = Path(__file__).parent / "tcp4.txt"


def shown(seen: Sequence[Crossing], width: int = 80, *, ascii_only: bool = True) -> list[str]:
    """What `wirelab show` draws of these crossings."""
    flows = group_flows(seen)
    talks = tuple(analyse_tcp(flow) for flow in flows if flow.protocol == "tcp")
    lines = draw_capture(tuple(seen), flows, talks, 0, Style(width, ascii_only))
    return [line.plain for line in lines]


def captured(*packets: bytes) -> tuple[Crossing, ...]:
    """A foreign capture of one point, a millisecond apart."""
    return crossings_of_capture(
        Frame(n * 1_000_000, "if0", Direction.UNKNOWN, data, len(data))
        for n, data in enumerate(packets)
    )


def test_a_foreign_captures_frames_point_away_from_their_sender() -> None:
    answer: dict[str, Any] = {"source": fb.V4_B, "destination": fb.V4_A}
    request = fb.ipv4(fb.udp(b"ask"), 17)
    swapped = struct.pack("!HH", 5001, 5000) + fb.udp(b"told", checksum=0)[4:]
    refused = fb.ipv4(fb.icmp(3, 3, bytes(4), request[:28]), 1, **answer)
    packets = [fb.ethernet(p) for p in (request, fb.ipv4(swapped, 17, **answer), refused)]
    lines = shown(captured(*packets))
    ask, told, error = (line for line in lines if line[5:6] == "." and line[9:10] == " ")
    assert "UDP 5000 > 5001" in ask and "UDP 5001 > 5000" in told and "ICMP" in error
    assert ask[66] == ">" and told[23] == "<" and error[23] == "<"


def test_frames_of_no_flow_are_listed() -> None:
    lines = shown(captured(fb.ethernet(b"?", 0x88B5), fb.ethernet(fb.ipv4(b"?", 253))))
    assert lines[0] == "2 frames, 0 flows"
    assert lines[-2:] == [
        "    0.000 Ethernet type 0x88b5, from 02:00:00:00:00:01 to 02:00:00:00:00:02",
        "    1.000 IPv4 experiment 253 from 192.0.2.1 to 192.0.2.2",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hostile_capture_file_is_shown_within_the_page(width: int) -> None:
    hostile = HOSTILE.encode()
    packets = [
        fb.ethernet(fb.ipv6(fb.tcp6(hostile * 9), source=fb.V6_A, destination=fb.V6_B), fb.IPV6),
        fb.ethernet(fb.ipv4(fb.udp(hostile), 17)),
        fb.ethernet(hostile, 0x88B5),
        hostile,
    ]
    frames = [
        Frame(n * 10**17, HOSTILE, Direction.IN, data, len(data)) for n, data in enumerate(packets)
    ]
    file = io.BytesIO()
    write_pcapng(file, [HOSTILE], frames, {0: HOSTILE}, HOSTILE)
    read = frames_of(file.getvalue())
    assert read[0].point == HOSTILE
    for ascii_only in (True, False):
        lines = shown(crossings_of_capture(read), width, ascii_only=ascii_only)
        assert "".join(lines).isprintable()
        assert max(map(len, lines)) <= width


def test_a_transcript_of_any_length_of_time_stays_within_the_page() -> None:
    seen = crossings(
        """
        0 client6 > server6 SYN seq=1
        99999 server6 > client6 SYN,ACK seq=1 ack=2
        9999999 client6 > server6 ACK seq=2 ack=2
        """
    )
    assert max(map(len, shown(seen))) == 80


def test_frames_of_no_flow_say_what_an_error_quotes() -> None:
    asked = fb.ipv4(fb.udp(b"ask"), 17)
    lines = shown(captured(fb.ethernet(fb.ipv4(fb.icmp(3, 3, bytes(4), asked), 1))))
    quoted = "quotes UDP 192.0.2.1:5000 > 192.0.2.2:5001"
    assert lines[-1].strip() == f"0.000 ICMP port unreachable, {quoted}"


def test_frames_of_no_flow_say_what_carries_them() -> None:
    echo = fb.ipv4(fb.icmp(8, 0, bytes(4)), 1)
    lines = shown(captured(fb.ethernet(echo, tags=((0x8100, 10),))))
    assert lines[-1].strip() == (
        "0.000 ICMP echo request, code 0, from 192.0.2.1 to 192.0.2.2, in VLAN 10"
    )
