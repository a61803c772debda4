from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import frame_bytes as fb
import pytest
from scenes import RECORDINGS
from transcript import converse, crossings

from lab.analysis.flow_summary import (
    choose,
    frames_of,
    frames_of_none,
    moment,
    name_of,
    summarise,
)
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import Flow, group_flows
from lab.analysis.tcp.conversation import Teardown
from lab.analysis.tcp.segment import Note
from lab.capture_files import read_file, show_capture
from lab.errors import UsageError
from lab.records import Direction, Frame

OPEN = """
    0.1 client > server SYN seq=100
    0.2 server > client SYN,ACK seq=900 ack=101
    0.3 client > server ACK seq=101 ack=901
    0.4 client > server ACK seq=101 ack=901 data=hello
"""
CLOSED = """
    0.6 client > server FIN,ACK seq=106 ack=901
    0.7 server > client FIN,ACK seq=901 ack=107
    0.8 client > server ACK seq=107 ack=902
"""
RESET = "0.6 server > client RST,ACK seq=901 ack=106"


def captured(*packets: bytes) -> tuple[Crossing, ...]:
    """A capture of one point, a millisecond apart."""
    return crossings_of_capture(
        Frame(n * 1_000_000, "if0", Direction.UNKNOWN, fb.ethernet(data), len(data) + 14)
        for n, data in enumerate(packets)
    )


def datagram(port: int, data: bytes = b"ask", *, back: bool = False) -> bytes:
    """From 192.0.2.1 and that port to port 5001 of 192.0.2.2, or back; without a checksum."""
    ports = struct.pack("!HH", *((5001, port) if back else (port, 5001)))
    ends = (fb.V4_B, fb.V4_A) if back else (fb.V4_A, fb.V4_B)
    udp = ports + fb.udp(data, checksum=0)[4:]
    return fb.ipv4(udp, 17, source=ends[0], destination=ends[1])


def four_flows() -> tuple[Flow, ...]:
    """tcp:0 and udp:0 to udp:2."""
    return group_flows(
        captured(datagram(1), fb.ipv4(fb.tcp(b"x")), datagram(2), datagram(3), datagram(1))
    )


@pytest.mark.parametrize(
    ("lines", "end"),
    [("", Teardown.NONE), (CLOSED, Teardown.FIN), (RESET, Teardown.RESET)],
)
def test_a_row_of_tcp_has_bytes_each_way_and_how_it_ended(lines: str, end: Teardown) -> None:
    talk = converse(OPEN + lines)
    row = summarise(talk.flow, talk)
    assert (row.name, row.bytes_there, row.bytes_back) == ("tcp:0", 5, 0)
    assert row.end == end.value
    assert row.frames == len(talk.segments)
    assert row.notes == ()


def test_a_half_closed_conversation_says_so() -> None:
    talk = converse(OPEN + "0.6 client > server FIN,ACK seq=106 ack=901")
    assert summarise(talk.flow, talk).end == "FIN from one side only"


def test_notes_are_counted_by_kind_and_a_byte_sent_again_counts_once() -> None:
    again = "client > server ACK seq=101 ack=901 data=hello"
    talk = converse(OPEN + f"0.45 {again}\n0.46 {again}\n")
    row = summarise(talk.flow, talk)
    assert dict(row.notes)[Note.RETRANSMISSION] == 2
    assert row.bytes_there == 5


def test_a_row_begins_with_the_first_frame_and_lasts_to_the_last() -> None:
    talk = converse(OPEN)
    row = summarise(talk.flow, talk)
    first, *_, last = talk.flow.crossings
    assert (row.began_ns, row.lasted_ns) == (first.time_ns, last.time_ns - first.time_ns)
    assert row.lasted_ns == 300_000_000


def test_datagrams_bytes_are_counted_each_way() -> None:
    back = datagram(5000, b"an answer", back=True)
    (flow,) = group_flows(captured(datagram(5000), back, datagram(5000, b"again")))
    row = summarise(flow, None)
    assert (row.name, row.frames, row.bytes_there, row.bytes_back) == ("udp:0", 3, 8, 9)
    assert (row.end, row.notes) == ("", ())


def test_an_error_about_a_flow_is_among_its_frames() -> None:
    asked = datagram(5000)
    refused = fb.ipv4(fb.icmp(3, 3, bytes(4), asked[:28]), 1, source=fb.V4_B, destination=fb.V4_A)
    seen = captured(asked, refused, fb.ipv4(b"?", 253))
    (flow,) = flows = group_flows(seen)
    assert summarise(flow, None).frames == 2
    assert [each.number for each in frames_of(flow)] == [1, 2]
    assert [each.number for each in frames_of_none(seen, flows)] == [3]


def test_a_moment_is_told_in_utc_to_the_microsecond() -> None:
    assert moment(1_700_000_000_000_001_999) == "2023-11-14 22:13:20.000001"


def test_flows_are_chosen_by_name_in_the_order_of_the_file() -> None:
    choice = choose(["udp:1", "tcp:0", "udp:1"], four_flows())
    assert [name_of(flow) for flow in choice.flows] == ["tcp:0", "udp:1"]
    assert not choice.others


def test_none_chooses_the_frames_of_no_flow() -> None:
    choice = choose(["none"], four_flows())
    assert (choice.flows, choice.others) == ((), True)


def test_an_unknown_flow_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        choose(["tcp:0", "udp:7"], four_flows())
    assert str(refused.value) == ("no flow udp:7 in this file; there are: tcp:0, udp:0 to udp:2")


def test_of_a_file_without_flows_none_can_be_chosen() -> None:
    with pytest.raises(UsageError, match="there are: none at all"):
        choose(["tcp:0"], ())


def test_many_ranges_are_cut_and_counted() -> None:
    flows = group_flows(captured(*(datagram(port) for port in range(1, 26))))
    with pytest.raises(UsageError, match=r"udp:18, and 3 more ranges$"):
        choose(["udp:99"], flows[::2])


def test_every_frame_of_a_conversation_is_of_its_flow() -> None:
    seen = crossings(OPEN)
    assert frames_of_none(seen, group_flows(seen)) == []


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_rows_are_tsharks_conversations(protocol: str, tmp_path: Path) -> None:
    """tshark's table has frames each way and of both, and lists them in another order."""
    file = RECORDINGS / f"{protocol}4" / "recording.pcapng"
    # Of the two points of a recording tshark shows every frame twice, and the lab's own canaries.
    one = tmp_path / "one.pcapng"
    points = "frame.interface_id == 0"
    subprocess.run(["tshark", "-r", file, "-Y", points, "-w", one], check=True, capture_output=True)
    told = subprocess.run(
        ["tshark", "-n", "-q", "-z", f"conv,{protocol}", "-r", one],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    theirs = sorted(
        (frozenset((found[1], found[2])), int(found[3]))
        for line in told.splitlines()
        if (found := re.match(r"(\S+)\s+<-> (\S+)\s.*\s(\d+) \d+ \w+\s+[\d.]+\s+[\d.]+$", line))
    )
    shown = show_capture(read_file(str(one)))
    talks = {talk.flow.id: talk for talk in shown.conversations}
    ours = sorted(
        (frozenset(map(str, (flow.a, flow.b))), len(flow.crossings))
        for flow in shown.flows
        if flow.protocol == protocol
    )
    assert theirs
    assert ours == theirs
    for flow in shown.flows:
        row = summarise(flow, talks.get(flow.id))
        assert row.frames == len(flow.crossings) + len(flow.errors) + len(flow.parts)
