"""What a packet table has in its columns, and what tshark says of the same packets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab.analysis.table.columns import RIGHT, TCP, UNKNOWN
from lab.analysis.table.grouping import ACK
from lab.analysis.table.segments import make_segments
from lab.large_capture import LargeCapture
from lab.pcap.capture_file import read_frames
from lab.pcap.pcapng_writing import write_pcapng
from tests.against.tshark import facts_of_tshark, lines_of
from tests.benchmarks.show_file import write_capture

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.programs,
]

TESTS = Path(__file__).parents[2]
CAPTURES = ("tcp4", "tcp6", "udp6", "loss-data4", "keepalive4", "zero-window4", "many")
_STATUS = {RIGHT: "good", UNKNOWN: None}


def wire_of(name: str, folder: Path) -> Path:
    """A capture file of one point: each frame once."""
    path = folder / f"{name}.pcap"
    if name == "many":
        write_capture(path, 4000)
        return path
    frames = read_frames(TESTS / "recordings" / name / "recording.pcapng")
    point = frames[-1].point
    with path.open("wb") as file:
        write_pcapng(file, [point], [each for each in frames if each.point == point], {}, "test")
    return path


def facts_of(large: LargeCapture) -> dict[int, dict[str, object]]:
    """By the packets' numbers, what tshark has of them too."""
    table = large.table
    packets, flows = table.packets, table.flows
    segments = make_segments(packets, flows.members, flows.is_from_a, flows.member_starts)
    found: dict[int, dict[str, object]] = {}
    for at, row in enumerate(flows.members.tolist()):
        flow = int(segments.flow[at])
        protocol = "tcp" if flows.protocol[flow] == TCP else "udp"
        facts: dict[str, object] = {
            "flow": f"{protocol} {flows.number[flow]}",
            "len": int(packets.payload[row]),
            "checksum": _STATUS.get(int(packets.checksum[row]), "bad"),
        }
        if protocol == "tcp":
            has_ack = packets.flags[row] & ACK
            facts |= {
                "seq": int(segments.seq[at]) % 2**32,
                "ack": int(segments.ack[at]) % 2**32 if has_ack else None,
                "flags": int(packets.flags[row]) & 0x1FF,
                "window": int(segments.window[at]),
            }
        found[int(packets.number[row])] = facts
    return found


@pytest.mark.parametrize("name", CAPTURES)
def test_every_packet_of_a_flow_is_as_tshark_has_it(name: str, tmp_path: Path) -> None:
    path = wire_of(name, tmp_path)
    ours = facts_of(LargeCapture.read(str(path)))
    compared = 0
    for number, line in enumerate(lines_of(path), start=1):
        theirs = facts_of_tshark(line)
        if not theirs:
            assert number not in ours
            continue
        mine = ours.pop(number)
        assert mine == {fact: theirs[fact] for fact in mine}, f"packet {number}"
        compared += 1
    assert not ours and compared > 4
