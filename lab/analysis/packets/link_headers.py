"""Headers between a capture's link layer and IP: what type they announce, and where that begins.

Each parser takes the walk, where its header begins and where the frame ends. It adds an
Encapsulation and returns the EtherType, beginning and end of what follows; None, with the rest
added as Payload or a Malformed, where nothing follows that an EtherType stands for.
Source: https://www.tcpdump.org/linktypes.html, and what each names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from lab.analysis.packets.packet import Encapsulation
from lab.analysis.packets.walk import Walk
from lab.records import LinkType

Following = tuple[int, int, int] | None
"""EtherType, beginning, end."""

_Parser = Callable[[Walk, int, int], Following]

_IPV4, _IPV6, _MPLS = 0x0800, 0x86DD, 0x8847

_PPP_TYPES = {0x0021: _IPV4, 0x0057: _IPV6, 0x0281: _MPLS}
"""By PPP's protocol number. Source: RFC 1332, 2; RFC 5072, 4.1; RFC 3032, 4.3."""

_NLPID_TYPES = {0xCC: _IPV4, 0x8E: _IPV6}
"""Source: RFC 2427, 4."""

_ETHERNET_OUIS = (b"\0\0\0", b"\0\0\xf8")
"""Of SNAP headers that hold an EtherType. Source: RFC 1042; IEEE 802.1H."""

_UNNUMBERED = 0x03
_SNAP = 0xAA
_IP_SAP = 0x06

_PPP_ADDRESS_AND_CONTROL = b"\xff\x03"

_DATA, _HAS_ORDER, _PROTECTED, _TO_AND_FROM_DS = 2, 0x80, 0x40, 0x03
_QOS_SUBTYPE, _NULL_SUBTYPE = 8, 4
_AGGREGATED = 0x80
_TSFT_PRESENT, _FLAGS_PRESENT, _MORE_PRESENT = 1, 2, 1 << 31
_DATA_PAD = 0x20

_ATM_IS_LLC = 2
_NFLOG_PAYLOAD = 9
_NFLOG_FAMILIES = {2: _IPV4, 10: _IPV6}
_NFLOG_LAST_TYPE = 0xFF


def number(walk: Walk, at: int, size: int, order: Literal["big", "little"] = "big") -> int:
    """The unsigned number in `size` bytes."""
    return int.from_bytes(walk.data[at : at + size], order)


def _add(walk: Walk, at: int, name: str, kind: int) -> None:
    walk.layers.append(Encapsulation(at, name, kind))


def _rest(walk: Walk, at: int, end: int) -> Following:
    """Nothing that an EtherType stands for: the bytes are added as they are."""
    walk.payload(at, end)
    return None


def by_version(walk: Walk, at: int) -> int:
    """The EtherType of an IP packet by its first bits."""
    return _IPV6 if walk.data[at : at + 1] >= b"\x60" else _IPV4


def logical_link(walk: Walk, at: int, end: int) -> Following:
    """LLC, with SNAP or without. Source: IEEE 802.2; RFC 1042."""
    if not walk.holds(at, 3, end, "LLC"):
        return None
    destination, source, control = walk.data[at : at + 3]
    if (destination, source, control) == (_SNAP, _SNAP, _UNNUMBERED):
        if not walk.holds(at, 8, end, "SNAP"):
            return None
        kind = number(walk, at + 6, 2)
        _add(walk, at, "LLC/SNAP", kind)
        if walk.data[at + 3 : at + 6] in _ETHERNET_OUIS:
            return kind, at + 8, end
        return _rest(walk, at + 8, end)
    _add(walk, at, "LLC", destination)
    if (destination, source, control) == (_IP_SAP, _IP_SAP, _UNNUMBERED):
        return _IPV4, at + 3, end
    return _rest(walk, at + 3, end)


def ppp(walk: Walk, at: int, end: int) -> Following:
    """PPP, with HDLC's address and control or without. Source: RFC 1661, 2 and 6.5; RFC 1662."""
    start = at
    if walk.data[at : at + 2] == _PPP_ADDRESS_AND_CONTROL:
        at += 2
    if not walk.holds(at, 1, end, "PPP"):
        return None
    # The first octet of a protocol that was compressed to one is odd; of others it is even.
    size = 1 if walk.data[at] & 1 else 2
    if not walk.holds(at, size, end, "PPP"):
        return None
    protocol = number(walk, at, size)
    _add(walk, start, "PPP", protocol)
    if protocol in _PPP_TYPES:
        return _PPP_TYPES[protocol], at + size, end
    return _rest(walk, at + size, end)


def _ppp_over_ethernet(walk: Walk, at: int, end: int) -> Following:
    """A PPPoE session packet. Source: RFC 2516, 4."""
    if not walk.holds(at, 6, end, "PPPoE"):
        return None
    _add(walk, at, "PPPoE session", number(walk, at + 2, 2))
    return ppp(walk, at + 6, min(end, at + 6 + number(walk, at + 4, 2)))


def _cisco_hdlc(walk: Walk, at: int, end: int) -> Following:
    """Source: RFC 1547, 4.3.1."""
    if not walk.holds(at, 4, end, "Cisco HDLC"):
        return None
    kind = number(walk, at + 2, 2)
    _add(walk, at, "Cisco HDLC", kind)
    return kind, at + 4, end


def _frame_relay(walk: Walk, at: int, end: int) -> Following:
    """A Q.922 address of two to four octets, control, NLPID. Source: RFC 2427."""
    start = at
    while walk.holds(at, 1, end, "Frame Relay"):
        at += 1
        if walk.data[at - 1] & 1:
            break
    else:
        return None
    if not walk.holds(at, 2, end, "Frame Relay"):
        return None
    if walk.data[at] != _UNNUMBERED:
        # Cisco's own encapsulation has an EtherType here.
        kind = number(walk, at, 2)
        _add(walk, start, "Frame Relay", kind)
        return kind, at + 2, end
    at += 1 if walk.data[at + 1] else 2
    if not walk.holds(at, 1, end, "Frame Relay"):
        return None
    protocol = walk.data[at]
    _add(walk, start, "Frame Relay", protocol)
    if protocol == 0x80 and walk.holds(at, 6, end, "SNAP"):
        if walk.data[at + 1 : at + 4] in _ETHERNET_OUIS:
            return number(walk, at + 4, 2), at + 6, end
        return _rest(walk, at + 6, end)
    if protocol in _NLPID_TYPES:
        return _NLPID_TYPES[protocol], at + 1, end
    return _rest(walk, at + 1, end)


def _token_ring(walk: Walk, at: int, end: int) -> Following:
    """Access and frame control, addresses, a route where the source says so, LLC (IEEE 802.5)."""
    if not walk.holds(at, 14, end, "Token Ring"):
        return None
    size = 14
    if walk.data[at + 8] & 0x80:
        if not walk.holds(at, 16, end, "Token Ring"):
            return None
        size += walk.data[at + 14] & 0x1F
        if not walk.holds(at, size, end, "Token Ring"):
            return None
    _add(walk, at, "Token Ring", walk.data[at + 1])
    if walk.data[at + 1] >> 6 != 1:
        return _rest(walk, at + size, end)
    return logical_link(walk, at + size, end)


def _fddi(walk: Walk, at: int, end: int) -> Following:
    """Frame control, addresses, LLC. Source: ANSI INCITS 239."""
    if not walk.holds(at, 13, end, "FDDI"):
        return None
    _add(walk, at, "FDDI", walk.data[at])
    if walk.data[at] & 0x70 != 0x50:
        return _rest(walk, at + 13, end)
    return logical_link(walk, at + 13, end)


def _classical_ip_over_atm(walk: Walk, at: int, end: int) -> Following:
    """LLC/SNAP, or IP alone where the circuit carries nothing else. Source: RFC 2684, 5 and 6."""
    if walk.data[at : at + 3] == bytes((_SNAP, _SNAP, _UNNUMBERED)):
        return logical_link(walk, at, end)
    if not walk.holds(at, 1, end, "IP"):
        return None
    return by_version(walk, at), at, end


def _sun_atm(walk: Walk, at: int, end: int) -> Following:
    if not walk.holds(at, 4, end, "SunATM"):
        return None
    kind = walk.data[at] & 0x0F
    _add(walk, at, "SunATM", kind)
    return logical_link(walk, at + 4, end) if kind == _ATM_IS_LLC else _rest(walk, at + 4, end)


def _wireless(walk: Walk, at: int, end: int, padded: bool = False) -> Following:
    """IEEE 802.11: the LLC of data frames that are neither encrypted nor aggregated (9.3.2)."""
    if not walk.holds(at, 10, end, "IEEE 802.11"):
        return None
    control, flags = walk.data[at], walk.data[at + 1]
    subtype = control >> 4
    _add(walk, at, "IEEE 802.11", control)
    if control >> 2 & 3 != _DATA:
        return _rest(walk, at + 10, end)
    size = 24 + 6 * (flags & _TO_AND_FROM_DS == _TO_AND_FROM_DS)
    has_qos = bool(subtype & _QOS_SUBTYPE)
    aggregated = False
    if has_qos:
        if not walk.holds(at, size + 2, end, "IEEE 802.11"):
            return None
        aggregated = bool(walk.data[at + size] & _AGGREGATED)
        size += 2 + 4 * bool(flags & _HAS_ORDER)
    size += -size % 4 if padded else 0
    if not walk.holds(at, size, end, "IEEE 802.11"):
        return None
    if subtype & _NULL_SUBTYPE or flags & _PROTECTED or aggregated:
        return _rest(walk, at + size, end)
    return logical_link(walk, at + size, end)


def _radiotap(walk: Walk, at: int, end: int) -> Following:
    """Its length, little-endian, leads past it. Source: https://www.radiotap.org"""
    if not walk.holds(at, 8, end, "radiotap"):
        return None
    size = number(walk, at + 2, 2, "little")
    if size < 8:
        walk.malformed(at, "radiotap", f"length is {size}, below 8")
        return None
    if not walk.holds(at, size, end, "radiotap"):
        return None
    _add(walk, at, "radiotap", size)
    padded = bool(_radiotap_flags(walk, at, size) & _DATA_PAD)
    return _wireless(walk, at + size, end, padded)


def _radiotap_flags(walk: Walk, at: int, size: int) -> int:
    """The Flags field: after the words that say what is present, and the timer if it is."""
    present = number(walk, at + 4, 4, "little")
    field = 8
    more = present
    while more & _MORE_PRESENT and field + 4 <= size:
        more = number(walk, at + field, 4, "little")
        field += 4
    if present & _TSFT_PRESENT:
        field += -field % 8 + 8
    return walk.data[at + field] if present & _FLAGS_PRESENT and field < size else 0


def _prism(walk: Walk, at: int, end: int) -> Following:
    """Prism's header, or AVS's in its place, with its length after the first four octets."""
    if not walk.holds(at, 8, end, "Prism"):
        return None
    # The length of a Prism header is in the byte order of who captured: it is never that long.
    size = min(number(walk, at + 4, 4), number(walk, at + 4, 4, "little"))
    if not walk.holds(at, max(size, 8), end, "Prism"):
        return None
    _add(walk, at, "Prism", size)
    return _wireless(walk, at + max(size, 8), end)


def _per_packet_information(walk: Walk, at: int, end: int) -> Following:
    """PPI: of the link types that may follow only IEEE 802.11's is entered."""
    if not walk.holds(at, 8, end, "PPI"):
        return None
    size, link_type = number(walk, at + 2, 2, "little"), number(walk, at + 4, 4, "little")
    if not walk.holds(at, max(size, 8), end, "PPI"):
        return None
    _add(walk, at, "PPI", link_type)
    if link_type != LinkType.IEEE802_11:
        return _rest(walk, at + max(size, 8), end)
    return _wireless(walk, at + max(size, 8), end)


def _netfilter_log(walk: Walk, at: int, end: int) -> Following:
    """Family, version, group, then attributes, in the byte order of who captured."""
    if not walk.holds(at, 4, end, "NFLOG"):
        return None
    family = walk.data[at]
    _add(walk, at, "NFLOG", family)
    at += 4
    # A type is a small number, which tells the order.
    is_little = number(walk, at + 2, 2, "little") <= _NFLOG_LAST_TYPE
    order: Literal["big", "little"] = "little" if is_little else "big"
    while at < walk.present_end(end):
        if not walk.holds(at, 4, end, "NFLOG attribute"):
            return None
        size, kind = number(walk, at, 2, order), number(walk, at + 2, 2, order)
        if size < 4:
            walk.malformed(at, "NFLOG attribute", f"length is {size}, below 4")
            return None
        if kind == _NFLOG_PAYLOAD:
            payload_end = min(end, at + size)
            if family not in _NFLOG_FAMILIES:
                return _rest(walk, at + 4, payload_end)
            return _NFLOG_FAMILIES[family], at + 4, payload_end
        at += size + -size % 4
    return None


def _typed(name: str, size: int, type_at: int) -> _Parser:
    """The parser of a header of `size` octets with an EtherType at `type_at`."""

    def parse(walk: Walk, at: int, end: int) -> Following:
        if not walk.holds(at, size, end, name):
            return None
        kind = number(walk, at + type_at, 2)
        _add(walk, at, name, kind)
        return kind, at + size, end

    return parse


def _skipping(name: str, size: int, inner: _Parser) -> _Parser:
    """The parser of a header of `size` octets that say nothing of what follows."""

    def parse(walk: Walk, at: int, end: int) -> Following:
        return inner(walk, at + size, end) if walk.holds(at, size, end, name) else None

    return parse


def _ip_of_either_version(walk: Walk, at: int, end: int) -> Following:
    return (by_version(walk, at), at, end) if walk.holds(at, 1, end, "IP") else None


LINK_HEADERS: dict[LinkType, _Parser] = {
    LinkType.IEEE802_5: _token_ring,
    LinkType.PPP: ppp,
    LinkType.FDDI: _fddi,
    LinkType.PPP_HDLC: ppp,
    LinkType.PPP_ETHER: _ppp_over_ethernet,
    LinkType.ATM_RFC1483: logical_link,
    LinkType.C_HDLC: _cisco_hdlc,
    LinkType.IEEE802_11: _wireless,
    LinkType.ATM_CLIP: _classical_ip_over_atm,
    LinkType.FRELAY: _frame_relay,
    LinkType.ENC: _skipping("enc", 12, _ip_of_either_version),
    LinkType.IEEE802_11_PRISM: _prism,
    LinkType.IP_OVER_FC: _skipping("IP over Fibre Channel", 16, logical_link),
    LinkType.SUNATM: _sun_atm,
    LinkType.IEEE802_11_RADIOTAP: _radiotap,
    LinkType.APPLE_IP_OVER_IEEE1394: _typed("IEEE 1394", 18, 16),
    LinkType.IEEE802_11_AVS: _prism,
    LinkType.PPP_PPPD: _skipping("PPP", 2, ppp),
    LinkType.PPI: _per_packet_information,
    LinkType.PPP_WITH_DIR: _skipping("PPP", 1, ppp),
    LinkType.C_HDLC_WITH_DIR: _skipping("Cisco HDLC", 1, _cisco_hdlc),
    LinkType.FRELAY_WITH_DIR: _skipping("Frame Relay", 1, _frame_relay),
    LinkType.NFLOG: _netfilter_log,
    LinkType.IPOIB: _typed("IP over InfiniBand", 44, 40),
}
"""By the link type of a capture."""
