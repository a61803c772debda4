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

_IPV4, _ARP, _IPV6, _MPLS, _PPP = 0x0800, 0x0806, 0x86DD, 0x8847, 0x880B
_ERSPAN, _ERSPAN_3, _NSH, _WCCP = 0x88BE, 0x22EB, 0x894F, 0x883E
_INSIDE = frozenset((_IPV4, _ARP, _IPV6, _MPLS, _NSH, BRIDGED))
"""What GRE and Geneve are entered for."""

_NEXT_PROTOCOLS = {1: _IPV4, 2: _IPV6, 3: BRIDGED, 4: _NSH, 5: _MPLS}
"""Of VXLAN-GPE and NSH. Source: IANA, NSH Next Protocol."""

_HAS_CHECKSUM, _HAS_ROUTING, _HAS_KEY, _HAS_SEQUENCE = 0x8000, 0x4000, 0x2000, 0x1000
_HAS_ACKNOWLEDGEMENT = 0x0080
_VERSION = 7

_EXPLICIT_NULLS = {0: _IPV4, 2: _IPV6}
_IP_CHANNELS = {0x0021: _IPV4, 0x0057: _IPV6}
"""By the type of a pseudowire's associated channel. Source: RFC 5586, 8; RFC 4385, 5.1."""

_FIRST_TYPE, _LONGEST_LENGTH, _LLC_SAPS = 0x0600, 1500, frozenset((0x42, 0xAA, 0xFE))
_KNOWN_TYPES = frozenset((_ARP, 0x8100, 0x88A8, 0x9100, 0x8847, 0x8848, 0x8863, 0x8864, 0x88CC))
_VNI_IS_VALID, _HAS_NEXT_PROTOCOL, _VXLAN_RESERVED = 0x08, 0x04, 0xF7FF_FFFF
_L2TP_CONTROL, _L2TP_LENGTH, _L2TP_SEQUENCE, _L2TP_OFFSET = 0x8000, 0x4000, 0x0800, 0x0200
_TEREDO_AUTHENTICATION, _TEREDO_ORIGIN = 1, 0
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
    if kind == _WCCP:
        # Version 2 has 4 octets before the packet, version 1 none, and no bit says which.
        if not walk.holds(inside, 4, end, "WCCP"):
            return None
        kind, inside = _IPV4, inside + (0 if walk.data[inside] >> 4 == 4 else 4)
    if kind in _INSIDE:
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
    """A stack of labels, and what the first bits after it say: nothing else does.

    IP of either version, IP in an associated channel, or Ethernet, with a control word or without.
    Source: RFC 3032, 2.1; RFC 4928, 2 and 3; RFC 4385, 3 and 5; RFC 4448, 4.
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
        kind, at = _behind_labels(walk, at, end)
    if kind is None:
        return _rest(walk, start, end)
    return _enter(walk, start, "MPLS", tuple(labels), (kind, at, end))


def _behind_labels(walk: Walk, at: int, end: int) -> tuple[int | None, int]:
    """The type of what is behind the last label, None if unknown, and where that begins."""
    first = walk.data[at] >> 4
    if first == 1 and walk.present_end(end) - at >= 4:
        return _IP_CHANNELS.get(number(walk, at + 2, 2)), at + 4
    # A control word begins with 0, as many a hardware address does.
    for begin in (at + 4, at) if first == 0 else (at,):
        if _looks_like_ethernet(walk, begin, end):
            return BRIDGED, begin
    return {4: _IPV4, 6: _IPV6}.get(first), at


def _looks_like_ethernet(walk: Walk, at: int, end: int) -> bool:
    """Whether an Ethernet header is there, followed by what its type announces."""
    if walk.present_end(end) - at < 16:
        return False
    kind, following = number(walk, at + 12, 2), walk.data[at + 14]
    if kind in (_IPV4, _IPV6):
        return following >> 4 == (4 if kind == _IPV4 else 6)
    if kind <= _LONGEST_LENGTH:
        return following in _LLC_SAPS and kind <= end - at - 14
    return kind in _KNOWN_TYPES


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


def _vxlan_of_linux(walk: Walk, at: int, end: int) -> Following:
    """VXLAN at the port that Linux had before IANA's, where its reserved bits are 0."""
    is_vxlan = walk.present_end(end) - at >= 8 and not number(walk, at, 4) & _VXLAN_RESERVED
    return _vxlan(walk, at, end) if is_vxlan else _rest(walk, at, end)


def _vxlan_gpe(walk: Walk, at: int, end: int) -> Following:
    """Source: draft-ietf-nvo3-vxlan-gpe-12, 3."""
    if not walk.holds(at, 8, end, "VXLAN-GPE"):
        return None
    has_next = walk.data[at] & _HAS_NEXT_PROTOCOL
    kind = _NEXT_PROTOCOLS.get(walk.data[at + 3]) if has_next else BRIDGED
    if kind is None or not walk.data[at] & _VNI_IS_VALID:
        return _rest(walk, at, end)
    return _enter(walk, at, "VXLAN-GPE", (number(walk, at + 4, 3),), (kind, at + 8, end))


def _service_header(walk: Walk, at: int, end: int) -> Following:
    """The Network Service Header. Source: RFC 8300, 2."""
    if not walk.holds(at, 8, end, "NSH"):
        return None
    size = (number(walk, at, 2) & 0x3F) * 4
    kind = _NEXT_PROTOCOLS.get(walk.data[at + 3])
    if walk.data[at] >> 6 or size < 8 or kind is None:
        return _rest(walk, at, end)
    if not walk.holds(at, size, end, "NSH"):
        return None
    return _enter(walk, at, "NSH", (number(walk, at + 4, 3),), (kind, at + size, end))


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
    if kind not in _INSIDE:
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
    if not walk.holds(inside, 1, end, "GTP-U"):
        return None
    if walk.data[inside] >> 4 not in (4, 6):
        return _rest(walk, at, end)
    following = by_version(walk, inside), inside, end
    return _enter(walk, at, "GTP-U", (number(walk, at + 4, 4),), following)


def _l2tp(walk: Walk, at: int, end: int) -> Following:
    """A data message of version 2. Source: RFC 2661, 3.1."""
    if not walk.holds(at, 2, end, "L2TP"):
        return None
    flags = number(walk, at, 2)
    if flags & _L2TP_CONTROL or flags & 0xF != 2:
        return _rest(walk, at, end)
    has_length = bool(flags & _L2TP_LENGTH)
    numbers_at = at + 2 + 2 * has_length
    inside = numbers_at + 4 + 4 * bool(flags & _L2TP_SEQUENCE)
    size = inside + 2 * bool(flags & _L2TP_OFFSET) - at
    if not walk.holds(at, size, end, "L2TP"):
        return None
    if flags & _L2TP_OFFSET:
        inside += 2 + number(walk, inside, 2)
        if not walk.holds(at, inside - at, end, "L2TP"):
            return None
    if has_length:
        end = min(end, at + number(walk, at + 2, 2))
    numbers = number(walk, numbers_at, 2), number(walk, numbers_at + 2, 2)
    return ppp(walk, inside, end) if walk.tunnel(at, "L2TP", numbers) else None


def _teredo(walk: Walk, at: int, end: int) -> Following:
    """IPv6, after what a server may add before it. Source: RFC 4380, 5.1.1."""
    if not walk.holds(at, 4, end, "Teredo"):
        return None
    inside = at
    if number(walk, inside, 2) == _TEREDO_AUTHENTICATION:
        inside += 13 + walk.data[at + 2] + walk.data[at + 3]
    if not walk.holds(at, inside - at + 2, end, "Teredo"):
        return None
    if number(walk, inside, 2) == _TEREDO_ORIGIN:
        inside += 8
    if not walk.holds(at, inside - at + 1, end, "Teredo"):
        return None
    if walk.data[inside] >> 4 != 6:
        return _rest(walk, at, end)
    return _enter(walk, at, "Teredo", (), (_IPV6, inside, end))


def _lisp(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 9300, 5.3."""
    if not walk.holds(at, 9, end, "LISP"):
        return None
    if walk.data[at + 8] >> 4 not in (4, 6):
        return _rest(walk, at, end)
    return _enter(walk, at, "LISP", (), (by_version(walk, at + 8), at + 8, end))


def _provider_backbone(walk: Walk, at: int, end: int) -> Following:
    """What follows a backbone's addresses. Source: IEEE 802.1Q, 9.7 (I-TAG)."""
    if not walk.holds(at, 4, end, "PBB"):
        return None
    return _enter(walk, at, "PBB", (number(walk, at + 1, 3),), (BRIDGED, at + 4, end))


def _trill(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 6325, 3."""
    if not walk.holds(at, 6, end, "TRILL"):
        return None
    size = 6 + (number(walk, at, 2) >> 6 & 0x1F) * 4
    if walk.data[at] >> 6:
        return _rest(walk, at, end)
    if not walk.holds(at, size, end, "TRILL"):
        return None
    return _enter(walk, at, "TRILL", (), (BRIDGED, at + size, end))


BY_PROTOCOL: dict[int, Parser] = {
    4: _ip_in_ip(4),
    41: _ip_in_ip(6),
    47: _gre,
    97: _ether_ip,
    137: _mpls,
}
"""By IP's protocol number."""

BY_TYPE: dict[int, Parser] = {
    _MPLS: _mpls,
    0x8848: _mpls,
    0x8864: _pppoe,
    0x88E7: _provider_backbone,
    0x22F3: _trill,
    _NSH: _service_header,
}
"""By EtherType."""

BY_PORT: dict[int, Parser] = {
    2152: _gtp,
    4341: _lisp,
    4754: _gre,
    4789: _vxlan,
    4790: _vxlan_gpe,
    6081: _geneve,
    6635: _mpls,
    8472: _vxlan_of_linux,
}
"""By UDP's destination port. Source of 4754 and 6635: RFC 8086, RFC 7510."""

BY_EITHER_PORT: dict[int, Parser] = {1701: _l2tp, 3544: _teredo}
"""By UDP's port of either side: answers come from it."""
