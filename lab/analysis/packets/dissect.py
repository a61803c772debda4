"""Frame → Packet: every header of a frame, from the link layer in.

    dissect        link layer, here                 (link_headers: of the rarer link types)
      internet     IPv4, IPv6, extension headers      (reassembly: fragments made whole)
        transport  TCP, UDP      icmp  ICMP, ICMPv6, and the packet an error quotes
          headers  one header's bytes to one record: the only user of scapy

        tunnels      where the packet inside begins; it is dissected as what is on a link

No input raises: what makes no sense is a Malformed among the layers.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.analysis.packets import headers
from lab.analysis.packets.internet import dissect_ip, dissect_ipv4, dissect_ipv6
from lab.analysis.packets.link_headers import LINK_HEADERS, logical_link, number
from lab.analysis.packets.packet import Encapsulation, Packet
from lab.analysis.packets.reassembly import Reassembler
from lab.analysis.packets.tunnels import BRIDGED, BY_TYPE
from lab.analysis.packets.walk import Walk
from lab.model.counted import counted
from lab.records import Frame, LinkType

__all__ = ["Reassembler", "dissect"]

_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_TAGS = frozenset((0x8100, 0x88A8, 0x9100))
_OTHER_TAGS = {0x893F: ("E-TAG", 6), 0x8926: ("VN-Tag", 4), 0x892F: ("HSR", 4), 0x8909: ("CMD", 6)}
"""Tags that are no VLAN's, and how many bytes come before the type of what follows.

Source: IEEE 802.1BR, 7.5; IEC 62439-3 (HSR); VN-Tag and CMD are Cisco's."""

_LONGEST_LENGTH, _FIRST_TYPE = 1500, 0x0600
"""The number after the addresses is a length up to the one, a type from the other on, and
nothing between them. Source: IEEE 802.3, 3.2.6."""

_RAW_IPX = b"\xff\xff"
"""What follows a length in frames of Novell's that have no LLC: an IPX header's checksum."""

_TYPELESS_HARDWARE = frozenset((803, 824))
"""Radiotap and netlink: cooked frames whose protocol is no Ethernet type."""

_MPLS = 0x8847
_RAW_NUMBERS = (12, 14, LinkType.RAW)
"""DLT_RAW, as systems have it."""

_LOOPBACK_IPV4 = 2
_LOOPBACK_IPV6 = frozenset((10, 24, 28, 30))
"""AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, and macOS."""


def dissect(frame: Frame, *, tunnels: bool = False) -> Packet:
    """The frame's layers from the outside in. Fragments are left as they came.

    What is inside a tunnel is Payload unless `tunnels`: of a run, whose programs' own sockets
    are at the ends of its frames, the outer packet is the one that counts.

    Source: the headers' own, see packet.py; https://www.tcpdump.org/linktypes.html
    """
    walk = Walk(frame.data, enter=enter if tunnels else None)
    end = max(frame.wire_bytes, len(frame.data))
    if (parse := LINK_HEADERS.get(frame.link_type)) is not None:
        following = parse(walk, 0, end)
        if following is not None:
            _dissect_by_type(walk, *following)
    else:
        _LINK_LAYERS[frame.link_type](walk, end)
    return Packet(frame, tuple(walk.layers), inner=walk.inner)


def enter(walk: Walk, kind: int, at: int, end: int) -> None:
    """Add the layers of what a tunnel carries: a whole Ethernet frame, or what a type says."""
    if kind == BRIDGED:
        _dissect_ethernet(walk, end, at)
    else:
        _dissect_by_type(walk, kind, at, end)


def _dissect_ethernet(walk: Walk, end: int, at: int = 0) -> None:
    if walk.holds(at, 14, end, "Ethernet"):
        ethernet = headers.ethernet(walk.data, at)
        walk.layers.append(ethernet)
        _dissect_by_type(walk, ethernet.type, at + 14, end, has_length=True)


def _dissect_by_type(walk: Walk, kind: int, at: int, end: int, *, has_length: bool = False) -> None:
    """Add VLAN tags and what the type after the last of them announces.

    `has_length`: below an Ethernet header, where it may be a length.
    """
    while kind in _TAGS or kind in _OTHER_TAGS:
        if kind in _OTHER_TAGS:
            name, size = _OTHER_TAGS[kind]
            if not walk.holds(at, size + 2, end, name):
                return
            kind, at = number(walk, at + size, 2), at + size + 2
            walk.layers.append(Encapsulation(at - size - 2, name, kind))
            continue
        if not walk.holds(at, 4, end, "VLAN tag"):
            return
        vlan = headers.vlan(walk.data, at)
        walk.layers.append(vlan)
        kind, at = vlan.type, at + 4
    if kind == _IPV4:
        dissect_ipv4(walk, at, end)
    elif kind == _IPV6:
        dissect_ipv6(walk, at, end)
    elif kind == _ARP:
        _dissect_arp(walk, at, end)
    elif kind in BY_TYPE and walk.enter is not None:
        following = BY_TYPE[kind](walk, at, end)
        if following is not None:
            walk.enter(walk, *following)
    elif has_length and kind <= _LONGEST_LENGTH:
        _dissect_by_length(walk, kind, at, end)
    else:
        walk.payload(at, end)


def _dissect_by_length(walk: Walk, length: int, at: int, end: int) -> None:
    """Add what an 802.3 length bounds: LLC, and what follows that. The rest is padding."""
    if at + length > end:
        reason = f"length is {length}, past the link's {counted(end - at, 'byte')}"
        walk.malformed(at - 2, "IEEE 802.3", reason)
    end = min(end, at + length)
    if walk.data[at : at + 2] == _RAW_IPX:
        walk.payload(at, end)
    elif (following := logical_link(walk, at, end)) is not None:
        _dissect_by_type(walk, *following)


def _dissect_arp(walk: Walk, at: int, end: int) -> None:
    if walk.holds(at, 8, end, "ARP") and walk.holds(
        at, headers.arp_bytes(walk.data, at), end, "ARP"
    ):
        walk.layers.append(headers.arp(walk.data, at))


def _dissect_cooked(walk: Walk, end: int, version: int) -> None:
    size, hardware_at = (16, 2) if version == 1 else (20, 8)
    if not walk.holds(0, size, end, "Linux cooked"):
        return
    cooked = headers.cooked(walk.data, 0, version)
    walk.layers.append(cooked)
    hardware = int.from_bytes(walk.data[hardware_at : hardware_at + 2], "big")
    if cooked.protocol < _FIRST_TYPE or hardware in _TYPELESS_HARDWARE:
        walk.payload(size, end)
    else:
        _dissect_by_type(walk, cooked.protocol, size, end)


def _dissect_loopback(walk: Walk, end: int) -> None:
    if not walk.holds(0, 4, end, "loopback"):
        return
    loopback = headers.loopback(walk.data, 0)
    walk.layers.append(loopback)
    if loopback.family == _LOOPBACK_IPV4:
        dissect_ipv4(walk, 4, end)
    elif loopback.family in _LOOPBACK_IPV6:
        dissect_ipv6(walk, 4, end)
    else:
        walk.payload(4, end)


def _dissect_packet_tap(walk: Walk, end: int) -> None:
    """Apple's header, in the byte order of its machines, and what link type it says follows."""
    if not walk.holds(0, 12, end, "PKTAP"):
        return
    size, link = number(walk, 0, 4, "little"), number(walk, 8, 4, "little")
    if size < 12:
        walk.malformed(0, "PKTAP", f"length is {size}, below 12")
        return
    if not walk.holds(0, size, end, "PKTAP"):
        return
    walk.layers.append(Encapsulation(0, "PKTAP", link))
    if link == LinkType.ETHERNET:
        _dissect_ethernet(walk, end, size)
    elif link in _RAW_NUMBERS:
        dissect_ip(walk, size, end)
    else:
        walk.payload(size, end)


def _dissect_switch_tag(walk: Walk, end: int, tag_bytes: int) -> None:
    """Ethernet whose addresses are followed by a switch's tag, and that by the type."""
    size = 12 + tag_bytes + 2
    if walk.holds(0, size, end, "Ethernet with a switch's tag"):
        kind = number(walk, size - 2, 2)
        addresses = headers.ethernet(walk.data[:12] + walk.data[size - 2 : size], 0)
        walk.layers.append(addresses)
        _dissect_by_type(walk, kind, size, end, has_length=True)


def _dissect_labels(walk: Walk, end: int) -> None:
    if walk.holds(0, 4, end, "MPLS"):
        _dissect_by_type(walk, _MPLS, 0, end)


def _dissect_prepended(walk: Walk, end: int) -> None:
    if walk.holds(0, 4, end, "switch's tag"):
        _dissect_ethernet(walk, end, 4)


_LINK_LAYERS: dict[LinkType, Callable[[Walk, int], None]] = {
    LinkType.ETHERNET: _dissect_ethernet,
    LinkType.LINUX_SLL: lambda walk, end: _dissect_cooked(walk, end, 1),
    LinkType.LINUX_SLL2: lambda walk, end: _dissect_cooked(walk, end, 2),
    LinkType.NULL: _dissect_loopback,
    LinkType.LOOP: _dissect_loopback,
    LinkType.RAW: lambda walk, end: dissect_ip(walk, 0, end),
    LinkType.IPV4: lambda walk, end: dissect_ipv4(walk, 0, end),
    LinkType.IPV6: lambda walk, end: dissect_ipv6(walk, 0, end),
    LinkType.MPLS: _dissect_labels,
    LinkType.PKTAP: _dissect_packet_tap,
    LinkType.DSA_TAG_BRCM: lambda walk, end: _dissect_switch_tag(walk, end, 4),
    LinkType.DSA_TAG_BRCM_PREPEND: _dissect_prepended,
    LinkType.DSA_TAG_DSA: lambda walk, end: _dissect_switch_tag(walk, end, 4),
    LinkType.DSA_TAG_EDSA: lambda walk, end: _dissect_switch_tag(walk, end, 8),
}
