"""Headers of tunnels: what type they announce of the packet inside, and where that begins.

A parser takes the walk, where its header begins and where the packet around it ends. It adds a
Tunnel and returns the EtherType, beginning and end of what is inside; None where it cannot be
entered: the rest is Payload then, or the header Malformed.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.analysis.packets.link_headers import Following, by_version, number, ppp
from lab.analysis.packets.packet import IPv6
from lab.analysis.packets.walk import Walk

BRIDGED = 0x6558
"""What stands for a whole Ethernet frame. Source: IANA, Transparent Ethernet Bridging."""

Parser = Callable[[Walk, int, int], Following]

_IPV4, _IPV6, _MPLS, _PPP = 0x0800, 0x86DD, 0x8847, 0x880B
_ERSPAN, _ERSPAN_3 = 0x88BE, 0x22EB

_HAS_CHECKSUM, _HAS_ROUTING, _HAS_KEY, _HAS_SEQUENCE = 0x8000, 0x4000, 0x2000, 0x1000
_HAS_ACKNOWLEDGEMENT = 0x0080
_VERSION = 7

_EXPLICIT_NULLS = {0: _IPV4, 2: _IPV6}
_VNI_IS_VALID = 0x08
_GTP_VERSION_1, _GTP_OPTIONS, _GTP_EXTENSION, _GTP_PACKET = 0x30, 0x07, 0x04, 255


def _enter(
    walk: Walk, at: int, name: str, identifiers: tuple[int, ...], following: tuple[int, int, int]
) -> Following:
    return following if walk.tunnel(at, name, identifiers) else None


def _rest(walk: Walk, at: int, end: int) -> Following:
    walk.payload(at, end)
    return None


def _gre(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 2784, 2; RFC 2890, 2; RFC 2637, 4.1 (version 1, PPTP)."""
    if not walk.holds(at, 4, end, "GRE"):
        return None
    flags, kind = number(walk, at, 2), number(walk, at + 2, 2)
    version = flags & _VERSION
    if flags & _HAS_ROUTING or version > 1 or (version == 1 and kind != _PPP):
        return _rest(walk, at, end)
    size = 4 + 4 * bool(flags & _HAS_CHECKSUM)
    key_at = at + size
    size += 4 * bool(flags & _HAS_KEY) + 4 * bool(flags & _HAS_SEQUENCE)
    size += 4 * bool(version and flags & _HAS_ACKNOWLEDGEMENT)
    if not walk.holds(at, size, end, "GRE"):
        return None
    key: tuple[int, ...] = ()
    if flags & _HAS_KEY:
        # PPTP has the payload's length in the key's first half.
        key = (number(walk, key_at + 2, 2) if version else number(walk, key_at, 4),)
    inside = at + size
    if kind == _PPP:
        return ppp(walk, inside, end) if walk.tunnel(at, "GRE", key) else None
    if kind == _ERSPAN:
        return _erspan(walk, inside, end, 8 if flags & _HAS_SEQUENCE else 0)
    if kind == _ERSPAN_3:
        return _erspan(walk, inside, end, 12)
    if kind in (_IPV4, _IPV6, _MPLS, BRIDGED):
        return _enter(walk, at, "GRE", key, (kind, inside, end))
    return _rest(walk, at, end)


def _erspan(walk: Walk, at: int, end: int, size: int) -> Following:
    """A mirrored frame after no header, 8 octets or 12: types I, II and III.

    Source: draft-foschiano-erspan-03, 4.
    """
    if not walk.holds(at, size, end, "ERSPAN"):
        return None
    session = (number(walk, at + 2, 2) & 0x3FF,) if size else ()
    kind = BRIDGED
    if size == 12:
        last = number(walk, at + 10, 2)
        # The frame type: 0 is Ethernet, 2 IP.
        frame_type = last >> 10 & 0x1F
        if frame_type not in (0, 2):
            return _rest(walk, at, end)
        size += 8 * (last & 1)
        if not walk.holds(at, size, end, "ERSPAN"):
            return None
        kind = BRIDGED if frame_type == 0 else by_version(walk, at + size)
    return _enter(walk, at, "ERSPAN", session, (kind, at + size, end))


def _ip_in_ip(inner: int) -> Parser:
    """Source: RFC 2003; RFC 4213, 3; RFC 2473."""
    kind = _IPV4 if inner == 4 else _IPV6

    def parse(walk: Walk, at: int, end: int) -> Following:
        outer = 6 if isinstance(walk.ip, IPv6) else 4
        name = "IPIP" if inner == outer == 4 else f"{inner}in{outer}"
        return _enter(walk, at, name, (), (kind, at, end))

    return parse


def _ether_ip(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 3378, 3."""
    if not walk.holds(at, 2, end, "EtherIP"):
        return None
    if walk.data[at] >> 4 != 3:
        walk.malformed(at, "EtherIP", f"version is {walk.data[at] >> 4}, not 3")
        return None
    return _enter(walk, at, "EtherIP", (), (BRIDGED, at + 2, end))


def _mpls(walk: Walk, at: int, end: int) -> Following:
    """A stack of labels, and IP of the version that its first bits say: nothing else does.

    Source: RFC 3032, 2.1; RFC 4928, 2.
    """
    start = at
    labels: list[int] = []
    while walk.holds(at, 4, end, "MPLS"):
        entry = number(walk, at, 4)
        labels.append(entry >> 12)
        at += 4
        if entry & 0x100:
            break
    else:
        return None
    kind = _EXPLICIT_NULLS.get(labels[-1])
    if kind is None:
        if not walk.holds(at, 1, end, "MPLS"):
            return None
        kind = {4: _IPV4, 6: _IPV6}.get(walk.data[at] >> 4)
    if kind is None:
        return _rest(walk, start, end)
    return _enter(walk, start, "MPLS", tuple(labels), (kind, at, end))


def _pppoe(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 2516, 4."""
    if not walk.holds(at, 6, end, "PPPoE"):
        return None
    length = number(walk, at + 4, 2)
    if at + 6 + length > end:
        walk.malformed(at, "PPPoE", f"length is {length}, past the link's {end - at - 6}")
    if not walk.tunnel(at, "PPPoE session", (number(walk, at + 2, 2),)):
        return None
    return ppp(walk, at + 6, min(end, at + 6 + length))


def _vxlan(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 7348, 5."""
    if walk.data[at : at + 1] and not walk.data[at] & _VNI_IS_VALID:
        return _rest(walk, at, end)
    if not walk.holds(at, 8, end, "VXLAN"):
        return None
    return _enter(walk, at, "VXLAN", (number(walk, at + 4, 3),), (BRIDGED, at + 8, end))


def _geneve(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 8926, 3.4."""
    if not walk.holds(at, 8, end, "Geneve"):
        return None
    size = 8 + (walk.data[at] & 0x3F) * 4
    if walk.data[at] >> 6:
        return _rest(walk, at, end)
    if not walk.holds(at, size, end, "Geneve"):
        return None
    kind = number(walk, at + 2, 2)
    if kind not in (_IPV4, _IPV6, BRIDGED):
        return _rest(walk, at, end)
    return _enter(walk, at, "Geneve", (number(walk, at + 4, 3),), (kind, at + size, end))


def _gtp(walk: Walk, at: int, end: int) -> Following:
    """A user's packet in GTP-U. Source: 3GPP TS 29.281, 5.1 and 5.2."""
    if not walk.holds(at, 8, end, "GTP-U"):
        return None
    flags, kind, length = walk.data[at], walk.data[at + 1], number(walk, at + 2, 2)
    if flags & 0xF0 != _GTP_VERSION_1 or kind != _GTP_PACKET:
        return _rest(walk, at, end)
    if at + 8 + length > end:
        walk.malformed(at, "GTP-U", f"length is {length}, past the packet's {end - at - 8}")
    end = min(end, at + 8 + length)
    inside = at + 8
    if flags & _GTP_OPTIONS:
        if not walk.holds(inside, 4, end, "GTP-U"):
            return None
        extension = walk.data[inside + 3] if flags & _GTP_EXTENSION else 0
        inside += 4
        while extension:
            if not walk.holds(inside, 4, end, "GTP-U extension header"):
                return None
            size = walk.data[inside] * 4
            if not size:
                walk.malformed(inside, "GTP-U extension header", "length is 0")
                return None
            if not walk.holds(inside, size, end, "GTP-U extension header"):
                return None
            extension = walk.data[inside + size - 1]
            inside += size
    following = by_version(walk, inside), inside, end
    return _enter(walk, at, "GTP-U", (number(walk, at + 4, 4),), following)


BY_PROTOCOL: dict[int, Parser] = {
    4: _ip_in_ip(4),
    41: _ip_in_ip(6),
    47: _gre,
    97: _ether_ip,
    137: _mpls,
}
"""By IP's protocol number."""

BY_TYPE: dict[int, Parser] = {0x8847: _mpls, 0x8848: _mpls, 0x8864: _pppoe}
"""By EtherType."""

BY_PORT: dict[int, Parser] = {4789: _vxlan, 6081: _geneve, 2152: _gtp}
"""By UDP's destination port."""
