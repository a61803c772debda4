"""Captures of every kind: what `wirelab show --json` has of them, as tshark has it."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import frame_bytes as fb
import link_bytes as lb
import pytest
import wire_talks as w
from captured import capture_of
from every_block import LINKS as LINKS_OF_BLOCKS
from every_block import RESOLUTIONS, every_block

from lab.capture_files import show_capture, shown_document
from tests.against import tshark

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.programs,
]

OPEN = """
    0.01 > S seq=100 opt=mss,sack,ws7
    0.02 < SA seq=900 ack=101 opt=mss,sack,ws7
    0.03 > A seq=101 ack=901
"""
CLOSE = """
    0.90 > FA seq=101 ack=901
    0.91 < FA seq=901 ack=102
    0.92 > A seq=102 ack=902
"""


class Kind(NamedTuple):
    """A conversation, of which tshark says the same but where `differs` has it."""

    text: str
    differs: Mapping[int, str | int] = MappingProxyType({})
    """tshark's notes, or its window, by the segment's place, from 1."""


KINDS = {
    "whole": Kind(OPEN + CLOSE),
    "loss": Kind(
        OPEN
        + """
        0.10 > A seq=101 ack=901 len=100
        0.11 > A seq=301 ack=901 len=100
        0.12 < A seq=901 ack=201
        0.40 > A seq=201 ack=901 len=100
        0.41 < A seq=901 ack=401
    """
    ),
    "reordered": Kind(
        OPEN
        + """
        0.100 > A seq=201 ack=901 len=100
        0.101 > A seq=101 ack=901 len=100
        0.110 < A seq=901 ack=301
    """
    ),
    "twice": Kind(
        OPEN
        + """
        0.100 > PA seq=101 ack=901 len=100
        0.101 > PA seq=101 ack=901 len=100
        0.110 < A seq=901 ack=201
    """
    ),
    "spurious": Kind(
        OPEN
        + """
        0.10 > PA seq=101 ack=901 len=100
        0.11 < A seq=901 ack=201
        0.50 > PA seq=101 ack=901 len=100
        0.51 < A seq=901 ack=201 opt=sb101-201
    """,
        {7: "duplicate_ack"},
    ),
    "fast retransmit with SACK": Kind(
        OPEN
        + """
        0.100 > A seq=101 ack=901 len=100
        0.101 > A seq=201 ack=901 len=100
        0.102 > A seq=301 ack=901 len=100
        0.103 > A seq=401 ack=901 len=100
        0.110 < A seq=901 ack=101 opt=sb201-301
        0.111 < A seq=901 ack=101 opt=sb201-401
        0.112 < A seq=901 ack=101 opt=sb201-501
        0.113 > A seq=101 ack=901 len=100
        0.120 < A seq=901 ack=501
    """
    ),
    "two holes": Kind(
        OPEN
        + """
        0.100 > A seq=201 ack=901 len=100
        0.101 > A seq=401 ack=901 len=100
        0.110 < A seq=901 ack=101 opt=sb201-301
        0.111 < A seq=901 ack=101 opt=sb401-501/201-301
        0.900 > A seq=101 ack=901 len=100
        0.950 < A seq=901 ack=301 opt=sb401-501
        1.900 > A seq=301 ack=901 len=100
        1.950 < A seq=901 ack=501
    """
    ),
    "keep-alive": Kind(
        OPEN
        + """
        0.10 > PA seq=101 ack=901 len=5
        0.11 < A seq=901 ack=106
        9.00 > A seq=105 ack=901
        9.01 < A seq=901 ack=106
        18.0 > A seq=105 ack=901 len=1
        18.1 < A seq=901 ack=106
    """
    ),
    "zero window": Kind(
        OPEN
        + """
        0.10 > PA seq=101 ack=901 len=100
        0.11 < A seq=901 ack=201 win=0
        0.50 > A seq=200 ack=901
        0.51 < A seq=901 ack=201 win=0
        0.90 < A seq=901 ack=201 win=500
        0.91 > PA seq=201 ack=901 len=50
        0.92 < A seq=901 ack=251
    """,
        {6: "keep_alive", 7: "zero_window"},
    ),
    "Fast Open": Kind("""
        0.01 > S seq=100 opt=mss,sack,220a0102030405060708,nop,nop len=20
        0.02 < SA seq=900 ack=121 opt=mss,sack
        0.03 < PA seq=901 ack=121 len=30
        0.04 > A seq=121 ack=931
    """),
    "Fast Open whose data was not taken": Kind("""
        0.01 > S seq=100 opt=mss,220a0102030405060708,nop,nop len=20
        0.02 < SA seq=900 ack=101 opt=mss
        0.03 > A seq=101 ack=901 len=20
        0.04 < A seq=901 ack=121
    """),
    "Multipath TCP": Kind(
        """
        0.01 > S seq=100 opt=mss,sack,1e040181,nop,nop
        0.02 < SA seq=900 ack=101 opt=mss,sack,1e0c01810102030405060708
        0.03 > A seq=101 ack=901 opt=1e14018111111111111111112222222222222222
        0.04 > PA seq=101 ack=901 len=10 opt=1e1020040000000100000001000a0000
        0.05 < A seq=901 ack=111
    """
    ),
    "timestamps that wrap": Kind("""
        0.01 > S seq=100 opt=mss,ts4294967290/0
        0.02 < SA seq=900 ack=101 opt=mss,ts4294967295/4294967290
        0.03 > A seq=101 ack=901 opt=ts2/4294967295
        0.04 > PA seq=101 ack=901 len=10 opt=ts5/4294967295
        0.05 < A seq=901 ack=111 opt=ts3/5
    """),
    "sequence numbers that wrap": Kind(
        """
        0.01 > S seq=4294967290 opt=mss
        0.02 < SA seq=4294967290 ack=4294967291 opt=mss
        0.03 > A seq=4294967291 ack=4294967291
        0.04 > PA seq=4294967291 ack=4294967291 len=100
        0.05 < PA seq=4294967291 ack=95 len=100
        0.06 > A seq=95 ack=95
        0.07 > PA seq=95 ack=95 len=10
        0.50 > PA seq=95 ack=95 len=10
        0.51 < A seq=95 ack=105
    """
    ),
    "simultaneous open": Kind("""
        0.010 > S seq=100
        0.011 < S seq=900
        0.020 > SA seq=100 ack=901
        0.021 < SA seq=900 ack=101
        0.030 > PA seq=101 ack=901 len=5
        0.040 < A seq=901 ack=106
    """),
    "simultaneous close": Kind(
        OPEN
        + """
        0.100 > FA seq=101 ack=901
        0.101 < FA seq=901 ack=101
        0.110 > A seq=102 ack=902
        0.111 < A seq=902 ack=102
    """
    ),
    "half open": Kind(
        OPEN
        + """
        0.10 > PA seq=101 ack=901 len=5
        0.11 < R seq=901
    """
    ),
    "refused": Kind("""
        0.01 > S seq=100
        0.02 < RA seq=0 ack=101
        1.01 > S seq=100
        1.02 < RA seq=0 ack=101
    """),
    "ports again after a RST": Kind(
        OPEN
        + """
        0.10 > RA seq=101 ack=901
        0.50 > S seq=5000
        0.51 < SA seq=9000 ack=5001
        0.52 > A seq=5001 ack=9001
    """
    ),
    "ports again out of TIME-WAIT": Kind(
        OPEN
        + CLOSE
        + """
        1.50 > S seq=70000
        1.51 < SA seq=90000 ack=70001
        1.52 > PA seq=70001 ack=90001 len=3
        1.53 < A seq=90001 ack=70004
    """
    ),
    "ports again without an end": Kind(
        OPEN
        + """
        1.50 > S seq=70000
        1.51 < A seq=901 ack=101
        1.52 > R seq=101
        2.50 > S seq=70000
        2.51 < SA seq=90000 ack=70001
        2.52 > A seq=70001 ack=90001
    """
    ),
    "a RST with data": Kind(
        OPEN
        + """
        0.10 > PA seq=101 ack=901 len=5
        0.11 < RA seq=901 ack=106 len=12
    """
    ),
    "urgent data": Kind(
        OPEN
        + """
        0.10 > PAU seq=101 ack=901 len=5 urg=5
        0.11 < A seq=901 ack=106
        0.12 > PA seq=106 ack=901 len=5
    """
    ),
    "ECN": Kind("""
        0.01 > SEC seq=100 opt=mss
        0.02 < SAE seq=900 ack=101 opt=mss
        0.03 > A seq=101 ack=901
        0.04 > PA seq=101 ack=901 len=5 ecn=3
        0.05 < AE seq=901 ack=106
        0.06 > PAC seq=106 ack=901 len=5 ecn=2
        0.07 < A seq=901 ack=111
    """),
    "accurate ECN": Kind("""
        0.01 > SECN seq=100 opt=mss
        0.02 < SAC seq=900 ack=101 opt=mss
        0.03 > AN seq=101 ack=901
    """),
    "no opening": Kind("""
        0.01 < PA seq=5000 ack=7000 len=100
        0.02 > A seq=7000 ack=5100
        0.03 > PA seq=7000 ack=5100 len=10
    """),
    "one side alone": Kind("""
        0.01 > S seq=100 opt=mss
        0.03 > A seq=101 ack=901
        0.04 > PA seq=101 ack=901 len=10
        0.06 > A seq=111 ack=1001
    """),
    "odd options": Kind(
        OPEN
        + """
        0.10 > A seq=101 ack=901 len=1 opt=fd04beef
        0.11 > A seq=102 ack=901 len=1 opt=1312000102030405060708090a0b0c0d0e0f,nop,nop
        0.12 > A seq=103 ack=901 len=1 opt=0000
        0.13 < A seq=901 ack=104 opt=sb101-102/103-104
    """
    ),
    "no window scale": Kind("""
        0.01 > S seq=100 win=500 opt=mss,ws7
        0.02 < SA seq=900 ack=101 win=600 opt=mss
        0.03 > A seq=101 ack=901 win=500
        0.04 < A seq=901 ack=101 win=700
    """),
    "window scale above the most": Kind("""
        0.01 > S seq=100 win=500 opt=mss,ws15
        0.02 < SA seq=900 ack=101 win=600 opt=mss,ws2
        0.03 > A seq=101 ack=901 win=3
    """),
    "a wrong checksum": Kind(
        OPEN
        + """
        0.10 > PA seq=101 ack=901 len=5 sum=dead
        0.30 > PA seq=101 ack=901 len=5
        0.31 < A seq=901 ack=106
    """,
        {5: "retransmission"},
    ),
    "windows that are scaled after the opening": Kind(
        """
        0.01 > S seq=100 win=500 opt=mss,ws7
        0.02 < SA seq=900 ack=101 win=500 opt=mss,ws7
        0.03 > A seq=101 ack=901 win=500
        0.04 < A seq=901 ack=101 win=500
        0.05 < A seq=901 ack=101 win=600
    """,
        {4: "duplicate_ack"},
    ),
    "another window with new SACK blocks": Kind(
        OPEN
        + """
        0.10 > A seq=201 ack=901 len=100
        0.11 < A seq=901 ack=101 win=900 opt=sb201-301
    """,
        {5: "window_update"},
    ),
    "an offered window scale without its answer": Kind(
        """
        0.01 > S seq=100 win=500 opt=mss,ws7
        0.03 > A seq=101 ack=901 win=500
    """,
        {2: 64000},
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tshark.Difference]]:
    """What differs, by kind: one file holds all of them, as tshark takes long to start."""
    sent: list[w.Sent] = []
    places: list[tuple[str, int]] = []
    for hour, (name, kind) in enumerate(KINDS.items(), start=1):
        for place, each in enumerate(w.talk(kind.text, 40000 + hour), start=1):
            sent.append(each._replace(time_ns=each.time_ns + hour * 3600 * 10**9))
            places.append((name, place))
    file = tmp_path_factory.mktemp("tshark") / "kinds.pcap"
    file.write_bytes(w.pcap(sent))
    by_kind: dict[str, list[tshark.Difference]] = {name: [] for name in KINDS}
    for difference in tshark.differences(file):
        name, place = places[difference.packet - 1]
        by_kind[name].append(difference._replace(packet=place))
    return by_kind


@pytest.mark.parametrize("name", KINDS)
def test_conversations_of_every_kind_agree(
    name: str, found: dict[str, list[tshark.Difference]]
) -> None:
    assert {each.packet: each.tshark for each in found[name]} == KINDS[name].differs
    assert {each.fact for each in found[name]} <= {"notes", "window"}


def differences_of(folder: Path, data: bytes) -> list[tshark.Difference]:
    file = folder / "capture"
    file.write_bytes(data)
    return tshark.differences(file)


def on_ip(frame: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """What makes an IP packet of one, by what makes a frame of it."""
    return lambda packet: frame(packet)[14:]


CARRIERS: dict[str, Callable[[bytes], bytes]] = {
    "ipip": on_ip(lambda packet: lb.in_ip(packet, 4)),
    "gre": on_ip(lambda packet: lb.gre(packet, fb.IPV4)),
    "gre with ethernet": on_ip(lambda packet: lb.gre(fb.ethernet(packet), 0x6558)),
    "gre with a vlan": on_ip(lambda p: lb.gre(fb.ethernet(p, tags=((0x8100, 7),)), 0x6558)),
    "erspan": on_ip(lambda packet: lb.gre(fb.ethernet(packet), 0x88BE)),
    "vxlan": on_ip(lambda packet: lb.vxlan(fb.ethernet(packet))),
    "vxlan-gpe": on_ip(lambda packet: lb.vxlan_gpe(packet, 1)),
    "geneve": on_ip(lambda p: lb.in_udp(b"\0\0\x65\x58\0\0\7\0" + fb.ethernet(p), 6081)),
    "gtp": on_ip(lb.gtp),
    "l2tp": on_ip(lambda p: lb.in_udp(struct.pack("!3H", 2, 1, 2) + lb.PPP + p, 1701)),
    "etherip": on_ip(lambda packet: lb.in_ip(b"\x30\0" + fb.ethernet(packet), 97)),
    "mpls in udp": on_ip(lambda packet: lb.in_udp(lb.label(3) + packet, 6635)),
    "ah": on_ip(lambda packet: lb.in_ip(b"\4\4" + bytes(22) + packet, 51)),
}
LINKS: dict[str, Callable[[bytes], bytes]] = {
    "ethernet": fb.ethernet,
    "QinQ": lambda packet: fb.ethernet(packet, tags=((0x88A8, 5), (0x8100, 6))),
    "pppoe": lb.pppoe_frame,
    "mpls": lambda packet: lb.on_link(lb.label(3) + packet, 0x8847),
    "pbb": lambda packet: lb.on_link(struct.pack("!I", 9) + fb.ethernet(packet), 0x88E7),
    "llc/snap": lambda packet: fb.ethernet(lb.snap(packet), 8 + len(packet)),
}


def test_tunnels_in_tunnels_agree(tmp_path: Path) -> None:
    names = [*product(["ethernet"], CARRIERS, CARRIERS), *product(LINKS, CARRIERS, ["ipip"])]
    frames = [
        LINKS[link](CARRIERS[outer](CARRIERS[inner](fb.ipv4(fb.tcp(b"data", sport=20000 + port)))))
        for port, (link, outer, inner) in enumerate(names)
    ]
    data = w.pcap(w.Sent(n * 10**9, frame, len(frame)) for n, frame in enumerate(frames))
    found = differences_of(tmp_path, data)
    assert {names[each.packet - 1]: each for each in found} == {}
    flows = show_capture(capture_of(data)).flows
    assert [len(flow.crossings) for flow in flows] == [1] * len(names)


OPTIONS = bytes.fromhex("020405b40402080a000000010000000201030307")
TO_CUT: dict[str, Callable[[int], bytes]] = {
    "tcp": lambda port: fb.ethernet(fb.ipv4(fb.tcp(b"data", sport=port, options=OPTIONS))),
    "tcp over ipv6": lambda port: fb.ethernet(fb.ipv6(fb.tcp6(b"data", sport=port)), fb.IPV6),
    "in a vlan": lambda port: fb.ethernet(
        fb.ipv4(fb.tcp(b"data", sport=port)), tags=((0x8100, 7),)
    ),
    "in vxlan": lambda port: lb.vxlan(fb.ethernet(fb.ipv4(fb.tcp(b"data", sport=port)))),
}


def test_frames_cut_at_every_length_agree(tmp_path: Path) -> None:
    sent: list[w.Sent] = []
    names: list[str] = []
    for name, make in TO_CUT.items():
        for size in range(len(make(0)) + 1):
            frame = make(20000 + len(sent))
            sent.append(w.Sent(len(sent) * 10**9, frame[:size], len(frame)))
            names.append(f"{name}, {size} bytes")
    found = differences_of(tmp_path, w.pcap(sent))
    # Of options that are cut tshark names one more: that of which the kind alone is there.
    in_options = {f"tcp, {54 + size} bytes" for size in range(len(OPTIONS))}
    options = {names[each.packet - 1] for each in found if each.fact == "options"}
    assert set() < options <= in_options
    assert [each for each in found if each.fact != "options"] == []


def test_a_file_with_every_kind_of_block_agrees(tmp_path: Path) -> None:
    data = every_block()
    document = shown_document(show_capture(capture_of(data)))
    assert document["broken"] is None
    assert document["untimed"] == [{"impossible": False, "packets": 3, "first": 25}]
    assert len(document["flows"]) == 3 * (len(LINKS_OF_BLOCKS) * len(RESOLUTIONS) + 1)
    assert differences_of(tmp_path, data) == []
    times = [frame["sent_ns"] // 10**9 for frame in document["frames"][:24]]
    assert times == [1_700_000_000 + 1000 * number for number in range(24)]
