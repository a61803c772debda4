"""IP below each link type, made by hand: addresses, ports, and what is not entered."""

from __future__ import annotations

import frame_bytes as fb
import link_bytes as lb
import pytest
from dissected import packet

from lab.analysis.packets.link_headers import LINK_HEADERS
from lab.analysis.packets.packet import Encapsulation, IPv4, Malformed, Packet, Payload, Tcp
from lab.records import LinkType

DATA = b"hello world!"
INNER = fb.ipv4(fb.tcp(DATA))


def encapsulations(found: Packet) -> list[tuple[str, int]]:
    return [(each.name, each.type) for each in found.layers if isinstance(each, Encapsulation)]


IN_DISSECT = frozenset((
    LinkType.PKTAP, LinkType.DSA_TAG_BRCM, LinkType.DSA_TAG_BRCM_PREPEND, LinkType.DSA_TAG_DSA,
    LinkType.DSA_TAG_EDSA,
))  # fmt: skip
"""Behind these is Ethernet or another link type."""


def test_every_link_type_has_frames_here() -> None:
    assert set(lb.WITH_IP) == set(LINK_HEADERS) | IN_DISSECT


@pytest.mark.parametrize(
    ("link", "name"), [(link, name) for link, frames in lb.WITH_IP.items() for name in frames]
)
def test_ip_is_found_below_every_link_type(link: LinkType, name: str) -> None:
    found = packet(lb.WITH_IP[link][name], link)
    assert found.malformed is None
    tcp = found.tcp
    assert tcp is not None
    assert (tcp.source_port, tcp.destination_port, tcp.payload_bytes) == (40000, 80, 12)
    assert tcp.checksum_ok is True
    assert found.payload == DATA


@pytest.mark.parametrize("link", lb.WITH_IP)
def test_a_frame_may_be_cut_anywhere(link: LinkType) -> None:
    for data in lb.WITH_IP[link].values():
        for cut in range(len(data)):
            found = packet(data[:cut], link, len(data))
            wrong = [each for each in found.layers if isinstance(each, Malformed)]
            assert all(each.truncated for each in wrong), (cut, wrong)


@pytest.mark.parametrize(
    ("link", "data", "seen"),
    [
        (LinkType.PPP, b"\xff\x03\xc0\x21\x01\x01\x00\x04", [("PPP", 0xC021)]),
        (LinkType.C_HDLC, b"\x8f\x00\x80\x35" + bytes(18), [("Cisco HDLC", 0x8035)]),
        (LinkType.ATM_RFC1483, b"\xfe\xfe\x03\x81" + bytes(9), [("LLC", 0xFE)]),
        (LinkType.ATM_RFC1483, b"\xaa\xaa\x03\x00\x80\xc2\x00\x07" + INNER, [("LLC/SNAP", 7)]),
        (LinkType.FRELAY, b"\x18\x41\x03\xb1" + bytes(9), [("Frame Relay", 0xB1)]),
        (LinkType.IEEE802_5, lb.token_ring(INNER)[:1] + b"\x02" + lb.token_ring(INNER)[2:],
         [("Token Ring", 2)]),
        (LinkType.FDDI, b"\x4f" + bytes(20), [("FDDI", 0x4F)]),
        (LinkType.SUNATM, b"\x05\x00\x00\x05" + bytes(9), [("SunATM", 5)]),
        (LinkType.IEEE802_11, b"\x80" + bytes(40), [("IEEE 802.11", 0x80)]),
        (LinkType.IEEE802_11, lb.wireless(INNER, flags=0x41), [("IEEE 802.11", 0x08)]),
        (LinkType.IEEE802_11, lb.wireless(INNER, control=0x48), [("IEEE 802.11", 0x48)]),
        (LinkType.IEEE802_11, lb.wireless(INNER, control=0x88, qos=b"\x80\0"),
         [("IEEE 802.11", 0x88)]),
        (LinkType.PPI, b"\0\0\x08\0\x01\0\0\0" + fb.ethernet(INNER), [("PPI", 1)]),
        (LinkType.NFLOG, lb.nflog(INNER, family=7), [("NFLOG", 7)]),
    ],
)  # fmt: skip
def test_what_is_not_ip_or_not_readable_is_left_as_bytes(
    link: LinkType, data: bytes, seen: list[tuple[str, int]]
) -> None:
    found = packet(data, link)
    assert encapsulations(found) == seen
    assert [type(each) for each in found.layers[len(seen) :]] == [Payload]


def test_ip_ends_where_pppoe_and_nflog_say_that_it_ends() -> None:
    for link, data in (
        (LinkType.PPP_ETHER, lb.pppoe(INNER, length=2 + 30)),
        (LinkType.NFLOG, lb.nflog(INNER, length=4 + 30)),
    ):
        found = packet(data, link)
        assert found.malformed is not None
        assert found.malformed.reason == "total length is 52, past the link's 30 bytes"


def test_impossible_lengths_are_malformed() -> None:
    radiotap = packet(b"\0\0\x04\0" + bytes(20), LinkType.IEEE802_11_RADIOTAP)
    nflog = packet(b"\x02\0\0\0\x02\0\x01\0" + bytes(20), LinkType.NFLOG)
    assert radiotap.malformed is not None
    assert nflog.malformed is not None
    assert radiotap.malformed.reason == "length is 4, below 8"
    assert nflog.malformed.reason == "length is 2, below 4"


def test_layers_say_where_they_begin() -> None:
    found = packet(lb.WITH_IP[LinkType.PPP]["framed"], LinkType.PPP)
    assert [(type(each), each.offset) for each in found.layers] == [
        (Encapsulation, 0),
        (IPv4, 4),
        (Tcp, 24),
        (Payload, 44),
    ]


@pytest.mark.parametrize(
    ("link", "data"),
    [
        (LinkType.IEEE802_11, b"\x08\x01" + bytes(10)),
        (LinkType.IEEE802_11, b"\x88\x83" + bytes(30)),
        (LinkType.IEEE802_5, b"\x10\x40" + bytes(6) + b"\x80" + bytes(5) + b"\x1f\0"),
    ],
)
def test_a_header_that_ends_early_is_malformed_where_it_begins(link: LinkType, data: bytes) -> None:
    given = packet(data, link)
    assert given.malformed is not None
    assert given.malformed.offset == 0
