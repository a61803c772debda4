from __future__ import annotations

import random
import struct
from pathlib import Path

import frame_bytes as fb
import link_bytes as lb
import pytest
from tabled import batch_of, check_alike, framed, table_of

from lab.analysis.table.addresses import AddressNumbers
from lab.analysis.table.columns import ODD, OTHER, TCP, UDP
from lab.analysis.table.decode import decode
from lab.pcap.capture_file import read_capture
from lab.records import Frame, LinkType

TESTS = Path(__file__).parents[2]
FILES = sorted(path for path in TESTS.rglob("*.pcap*") if path.stat().st_size < 1 << 20)

SEGMENT, DATAGRAM = fb.tcp(b"hello"), fb.udp(b"hello!")
SEGMENT6 = fb.tcp6(b"hello")
DATAGRAM6 = fb.udp(b"hello!", source=fb.V6_A, destination=fb.V6_B)
HOP = b"\x06\0\1\4\0\0\0\0"
LONG_OPTIONS = b"\x06\1\1\x0c" + bytes(12)
ROUTED_THERE = b"\x06\2\0\0" + bytes(20)
ROUTED = b"\x06\2\0\1" + bytes(4) + fb.V6_A.packed
HOME = b"\x06\2\1\2\0\0\xc9\x10" + fb.V6_A.packed
WHOLE_FRAGMENT = struct.pack("!BBHI", 6, 0, 0, 7)


def v4(payload: bytes, protocol: int = 6, **fields: int) -> bytes:
    return fb.ethernet(fb.ipv4(payload, protocol, **fields))  # type: ignore[arg-type]


def v6(payload: bytes, following: int = 6, length: int | None = None) -> bytes:
    return fb.ethernet(fb.ipv6(payload, following, length=length), fb.IPV6)


PLAIN = {
    "tcp": v4(SEGMENT),
    "udp": v4(DATAGRAM, 17),
    "padded": v4(SEGMENT) + b"padding of the link",
    "tcp6": v6(SEGMENT6),
    "udp6": v6(DATAGRAM6, 17),
    "without a total length": v4(SEGMENT, total=0),
    "ipv4 options": fb.ethernet(fb.ipv4(SEGMENT, options=b"\x44\4\5\0\1\1\1\0")),
    "vlan": fb.ethernet(fb.ipv4(SEGMENT), tags=((0x8100, 10),)),
    "two vlans": fb.ethernet(fb.ipv4(SEGMENT), tags=((0x88A8, 10), (0x8100, 20))),
    "hop by hop": v6(HOP + SEGMENT6, 0),
    "destination options": v6(LONG_OPTIONS + SEGMENT6, 60),
    "several extensions": v6(b"\x3c" + HOP[1:] + HOP + SEGMENT6, 0),
    "a routing header that is done": v6(ROUTED_THERE + SEGMENT6, 43),
    "a fragment that is whole": v6(WHOLE_FRAGMENT + SEGMENT6, 44),
    "wrong checksum": v4(fb.tcp(b"x", checksum=1)),
    "wrong ipv4 checksum": v4(SEGMENT)[:24] + b"\1\2" + v4(SEGMENT)[26:],
    "wrong udp checksum": v4(fb.udp(b"x", checksum=1), 17),
    "no udp checksum": v4(fb.udp(b"x", checksum=0), 17),
    "no udp checksum over ipv6": v6(fb.udp(b"x", checksum=0), 17),
    "a shorter datagram": v4(fb.udp(b"hello", length=10), 17),
    "all flags": v4(fb.tcp(b"", flags=0xFFF, window=65535)),
}
"""What columns hold."""

NONE = {
    "arp": fb.ethernet(bytes(28), fb.ARP),
    "unknown type": fb.ethernet(b"?" * 30, 0x88B5),
    "ping": v4(fb.icmp(8, 0, bytes(4), b"ping"), 1),
    "ping6": v6(fb.icmpv6(128, 0, bytes(8)), 58),
    "sctp": v4(bytes(20), 132),
    "a vlan of something": fb.ethernet(b"?" * 30, 0x88B5, tags=((0x8100, 10),)),
}
"""What has nothing to do with flows."""

ODDITIES = {
    "first fragment": v4(SEGMENT[:16], flags=1),
    "last fragment": v4(SEGMENT[16:], offset=16),
    "fragment over ipv6": v6(struct.pack("!BBHI", 6, 0, 1, 7) + SEGMENT6[:16], 44),
    "source route": fb.ethernet(fb.ipv4(SEGMENT, options=b"\x83\7\4\xc0\0\2\7\0")),
    "routing header": v6(ROUTED + SEGMENT6, 43),
    "home address": v6(HOME + SEGMENT6, 60),
    "authenticated": v4(b"\6\4" + bytes(22) + SEGMENT, 51),
    "mobility": v6(b"\x3b\0\0\0\0\0\0\0", 135),
    "quoting": v4(fb.icmp(3, 3, bytes(4), fb.ipv4(DATAGRAM, 17)), 1),
    "quoting6": v6(fb.icmpv6(1, 4, bytes(4) + fb.ipv6(DATAGRAM6, 17)), 58),
    "past the link": v4(SEGMENT, total=100),
    "past the link over ipv6": v6(SEGMENT6, length=100),
    "short tcp header": v4(fb.tcp(data_offset=16)),
    "long tcp header": v4(fb.tcp(data_offset=60)),
    "udp too long": v4(fb.udp(b"x", length=60), 17),
    "udp too short": v4(fb.udp(b"x", length=7), 17),
    "llc": fb.ethernet(b"\x42\x42\3" + bytes(35), 38),
    "mpls": fb.ethernet(lb.label(16) + fb.ipv4(SEGMENT), 0x8847),
    "other tag": fb.ethernet(bytes(4) + b"\x08\0" + fb.ipv4(SEGMENT), 0x893F),
    "version": fb.ethernet(fb.ipv4(SEGMENT, version=5)),
    "jumbogram": v6(b"\6\0\xc2\4\0\0\0\x10" + SEGMENT6, 0, length=0),
    "nothing": b"",
    "no header": fb.MAC_A,
}
"""What is dissected by itself."""


def kinds_of(frames: list[Frame]) -> set[int]:

    columns, _ = decode(batch_of(frames), AddressNumbers())
    return set(columns.kind.tolist())


@pytest.mark.parametrize("name", PLAIN)
def test_plain_packets_are_held_in_columns(name: str) -> None:
    frames = [framed(PLAIN[name])]
    assert kinds_of(frames) <= {TCP, UDP}
    check_alike(frames)


@pytest.mark.parametrize("name", NONE)
def test_what_is_of_no_flow_is_told_without_being_dissected(name: str) -> None:
    frames = [framed(NONE[name])]
    assert kinds_of(frames) == {OTHER}
    check_alike(frames)


@pytest.mark.parametrize("name", ODDITIES)
def test_what_is_odd_is_left_to_the_dissection(name: str) -> None:
    frames = [framed(ODDITIES[name])]
    assert kinds_of(frames) == {ODD}
    check_alike(frames)


EVERYTHING = [*PLAIN.values(), *NONE.values(), *ODDITIES.values()]


def test_all_of_them_together_are_one_table() -> None:
    check_alike([framed(data, n) for n, data in enumerate(EVERYTHING)], together=7)


def test_every_frame_may_be_cut_anywhere() -> None:
    for data in EVERYTHING:
        check_alike([framed(data[:cut], more=len(data) - cut) for cut in range(len(data))])


def test_every_frame_may_have_a_wrong_bit() -> None:
    rng = random.Random(11)
    frames = []
    for data in EVERYTHING * 12:
        wrong = bytearray(data or b"\0")
        wrong[rng.randrange(len(wrong))] ^= 1 << rng.randrange(8)
        frames.append(framed(bytes(wrong)))
    check_alike(frames)


COOKED = b"\0\0\0\1\0\6\2\0\0\0\0\1\0\0"
COOKED_2 = b"\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0"


@pytest.mark.parametrize(
    ("link", "head"),
    [
        (LinkType.LINUX_SLL, COOKED + b"\x08\0"),
        (LinkType.LINUX_SLL, COOKED + b"\0\4"),
        (LinkType.LINUX_SLL, COOKED[:2] + b"\3\x23" + COOKED[4:] + b"\x08\0"),
        (LinkType.LINUX_SLL, COOKED + b"\x81\0\0\x0a\x08\0"),
        (LinkType.LINUX_SLL2, b"\x08\0" + COOKED_2),
        (LinkType.NULL, struct.pack("<I", 2)),
        (LinkType.LOOP, struct.pack(">I", 2)),
        (LinkType.NULL, struct.pack("<I", 77)),
        (LinkType.RAW, b""),
        (LinkType.IPV4, b""),
        (LinkType.IPV6, b""),
        (LinkType.PPP, lb.PPP),
    ],
)
def test_every_link_layer_is_passed(link: LinkType, head: bytes) -> None:
    packet = fb.ipv4(SEGMENT)
    check_alike([framed(head + packet, link=link)])
    check_alike([framed((head + packet)[:cut], link=link, more=1) for cut in range(len(head) + 20)])


def test_ipv6_is_passed_on_links_that_have_both() -> None:
    packet = fb.ipv6(SEGMENT6)
    heads = [(LinkType.NULL, struct.pack("<I", each)) for each in (10, 24, 28, 30)]
    heads += [(LinkType.RAW, b""), (LinkType.IPV6, b""), (LinkType.RAW, b"\x10")]
    check_alike([framed(head + packet, link=link) for link, head in heads])


def test_rarer_links_and_tunnels_are_left_to_the_dissection() -> None:
    frames = [
        framed(data, link=link) for link, named in lb.WITH_IP.items() for data in named.values()
    ]
    check_alike(frames + [framed(data) for data in lb.TUNNELS.values()])


def test_left_to_the_card_is_said_of_both_seeds() -> None:
    for length in (25, 0):
        seed = ~fb.internet_checksum(fb.pseudo_header(fb.V4_A, fb.V4_B, 6, length)) & 0xFFFF
        frames = [framed(v4(fb.tcp(b"hello", checksum=each))) for each in (seed, seed ^ 1)]
        table = check_alike(frames)
        assert table.packets.left_to_card.tolist() == [True, False]


def test_every_file_of_the_tests_has_the_same_packets_flows_and_notes() -> None:
    assert len(FILES) > 40
    for path in FILES:
        check_alike(read_capture(str(path)).frames)


def test_nothing_is_a_table_too() -> None:
    table = table_of([])
    assert (len(table.packets), len(table.flows)) == (0, 0)
