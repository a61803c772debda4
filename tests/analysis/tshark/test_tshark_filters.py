"""Filters of `wirelab show` choose the frames that display filters of Wireshark's do."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import frame_bytes as fb
import link_bytes as lb
import pytest
from captured import capture_of, frames_of
from scenes import recorded_result
from wire_talks import Sent, pcap, talk

from lab.analysis.select.selection import asked_for
from lab.capture_files import show_capture
from lab.report.capture.wire import wire_capture

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.programs,
]

RECORDED = ("tcp6", "udp4", "udp6", "raw4", "unix4", "calls6")
TALK = """
0.01 > S seq=100 win=64240 opt=mss,sack
0.02 < SA seq=900 ack=101 win=64240 opt=mss,sack
0.03 > A seq=101 ack=901 win=64240
0.04 > PA seq=101 ack=901 win=64240 len=100
0.30 > PA seq=101 ack=901 win=64240 len=100
0.31 < A seq=901 ack=201 win=0
0.50 > A seq=200 ack=901 win=64240
0.51 < A seq=901 ack=201 win=0
0.60 < A seq=901 ack=201 win=9000
0.61 > FA seq=201 ack=901 win=64240
0.62 < RA seq=901 ack=202 win=9000
"""
ARP = b"\0\1\x08\0\6\4\0\1" + fb.MAC_A + fb.V4_A.packed + bytes(6) + fb.V4_B.packed


def _tagged() -> list[Sent]:
    in_vlan = talk(TALK, 2000, wrap=lambda packet: fb.ethernet(packet, tags=((0x8100, 7),)))
    arp = fb.ethernet(ARP, 0x0806)
    return [*talk(TALK, 1000), *in_vlan, Sent(10**9, arp, len(arp))]


@cache
def talks() -> bytes:
    return pcap(_tagged())


@cache
def everything() -> bytes:
    return pcap(_everything())


def _everything() -> list[Sent]:
    """Runs, tunnels and talks, a millisecond between two frames."""
    entered = ("vxlan", "gre", "ipip", "6in4", "4in6")
    captures = [wire_capture(recorded_result(name).timelines) for name in RECORDED]
    frames = [each.data for data in captures for each in frames_of(data)]
    frames += [lb.TUNNELS[name] for name in entered]
    frames += [each.data for each in _tagged()]
    return [Sent(n * 1_000_000, data, len(data)) for n, data in enumerate(frames)]


FILTERS = {
    "tcp": "tcp",
    "udp": "udp",
    "icmp": "icmp",
    "icmp6": "icmpv6",
    "arp": "arp",
    "ip": "ip",
    "ip6": "ipv6",
    "vlan": "vlan",
    "host 198.51.100.2": "ip.addr == 198.51.100.2 or arp.src.proto_ipv4 == 198.51.100.2 "
    "or arp.dst.proto_ipv4 == 198.51.100.2",
    "host 192.0.2.0/31": "ip.addr == 192.0.2.0/31 or arp.src.proto_ipv4 == 192.0.2.0/31 "
    "or arp.dst.proto_ipv4 == 192.0.2.0/31",
    "host 2001:db8::/32": "ipv6.addr == 2001:db8::/32",
    "port 4242": "tcp.port == 4242 or udp.port == 4242",
    "port 80-4242": "tcp.port in {80..4242} or udp.port in {80..4242}",
    "not port 4242 and (udp or icmp)": "!(tcp.port == 4242 or udp.port == 4242) && (udp || icmp)",
    "after 0.0505": "frame.time_relative >= 0.0505",
    "not after 0.03 or icmp and before 0.04": "!(frame.time_relative >= 0.03) or "
    "(icmp and frame.time_relative < 0.04)",
}
NOTES = {
    "note retransmission": "tcp.analysis.retransmission",
    "note zero-window": "tcp.analysis.zero_window",
    "note window-update": "tcp.analysis.window_update",
    "port 2000 and note any": "tcp.port == 2000 and tcp.analysis.flags",
}
"""Where Wireshark's analysis is of another opinion: docs/notes.md."""


def ours(capture: bytes, text: str) -> list[int]:
    return list(show_capture(capture_of(capture), asked_for((), text, None)).packets)


def theirs(capture: bytes, text: str, folder: Path) -> list[int]:
    file = folder / "some.cap"
    file.write_bytes(capture)
    command = ["tshark", "-n", "-r", str(file), "-Y", text, "-T", "fields", "-e", "frame.number"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


INTERVAL = re.compile(r"\|\s*([0-9.]+) <>\s+\S+\s*\|(.*)\|")


@cache
def chosen_by_tshark() -> dict[str, list[int]]:
    """By filter of FILTERS the numbers of the frames that tshark chooses, all in one reading.

    tshark's statistics count the frames of each display filter in each millisecond, and each
    frame of `everything` has a millisecond of its own. Of the last one they have no line: it is
    another frame here.
    """
    frames = _everything()
    end = Sent(len(frames) * 1_000_000, frames[-1].data, frames[-1].wire_bytes)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "some.cap"
        file.write_bytes(pcap([*frames, end]))
        statistics = ",".join(["io,stat,0.001", *FILTERS.values()])
        command = ["tshark", "-n", "-q", "-r", str(file), "-z", statistics]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    chosen: dict[str, list[int]] = {text: [] for text in FILTERS}
    intervals = INTERVAL.findall(done.stdout)[: len(frames)]
    assert len(intervals) == len(frames)
    for start, cells in intervals:
        # Frames and bytes of the first filter, of the second, …
        counts = [int(cell) for cell in cells.split("|")][::2]
        for text, count in zip(FILTERS, counts, strict=True):
            assert count in (0, 1)
            chosen[text] += [round(float(start) * 1000) + 1] * count
    return chosen


@pytest.mark.parametrize("text", FILTERS)
def test_the_same_frames_are_chosen(text: str) -> None:
    found = ours(everything(), text)
    assert found == chosen_by_tshark()[text] != []


@pytest.mark.parametrize("text", NOTES)
def test_the_same_segments_are_remarkable(text: str, tmp_path: Path) -> None:
    found = ours(talks(), text)
    assert found == theirs(talks(), NOTES[text], tmp_path) != []


def test_numbers_are_wiresharks(tmp_path: Path) -> None:
    shown = show_capture(capture_of(everything()), asked_for((), None, "3-5,9,20-"))
    numbers = "frame.number in {3..5, 9} or frame.number >= 20"
    assert list(shown.packets) == theirs(everything(), numbers, tmp_path)
