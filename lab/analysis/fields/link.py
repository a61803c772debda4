"""The fields of headers below IP: Ethernet, VLAN tags, cooked captures, ARP."""

from __future__ import annotations

from collections.abc import Iterable

from lab.analysis.fields.field import Form, HeaderField
from lab.analysis.fields.layout import Bits, HeaderLayout, fields_at, named
from lab.analysis.packets.packet import Arp, Cooked, Ethernet, Loopback, Vlan

ETHER_TYPES = {
    0x0800: "IPv4",
    0x0806: "ARP",
    0x8100: "802.1Q VLAN tag",
    0x86DD: "IPv6",
    0x8847: "MPLS",
    0x8864: "PPPoE session",
    0x88A8: "802.1ad VLAN tag",
    0x88CC: "LLDP",
}
_OPERATIONS = {1: "request", 2: "reply"}
_PACKET_TYPES = {
    0: "to this host",
    1: "broadcast",
    2: "multicast",
    3: "to another host",
    4: "sent by this host",
}
_FIRST_TYPE = 0x0600
_BROADCAST, _GROUP_BIT = (1 << 48) - 1, 1 << 40


def _cast(address: int) -> str:
    if address == _BROADCAST:
        return "broadcast"
    return "multicast" if address & _GROUP_BIT else ""


_ADDRESSES = (
    Bits("destination", "eth.dst", 48, Form.MAC, meaning=_cast),
    Bits("source", "eth.src", 48, Form.MAC),
)
_ETHERNET = HeaderLayout(
    "Ethernet",
    "IEEE 802.3, 3.2",
    (*_ADDRESSES, Bits("type", "eth.type", 16, Form.HEX, meaning=named(ETHER_TYPES))),
)
_ETHERNET_WITH_LENGTH = HeaderLayout(
    "Ethernet", "IEEE 802.3, 3.2", (*_ADDRESSES, Bits("length", "eth.len", 16))
)
_VLAN = HeaderLayout(
    "VLAN tag",
    "IEEE 802.1Q, 9.6",
    (
        Bits("priority", "vlan.priority", 3),
        Bits("drop eligible", "vlan.dei", 1),
        Bits("VLAN identifier", "vlan.id", 12),
        Bits("type", "vlan.etype", 16, Form.HEX, meaning=named(ETHER_TYPES)),
    ),
)
_SLL = HeaderLayout(
    "Linux cooked capture",
    "LINKTYPE_LINUX_SLL",
    (
        Bits("packet type", "sll.pkttype", 16, meaning=named(_PACKET_TYPES)),
        Bits("hardware type", "sll.hatype", 16),
        Bits("address length", "sll.halen", 16),
        Bits("address", "", 64, Form.BYTES),
        Bits("protocol", "sll.etype", 16, Form.HEX, meaning=named(ETHER_TYPES)),
    ),
)
_SLL2 = HeaderLayout(
    "Linux cooked capture v2",
    "LINKTYPE_LINUX_SLL2",
    (
        Bits("protocol", "sll.etype", 16, Form.HEX, meaning=named(ETHER_TYPES)),
        Bits("reserved", "", 16, Form.HEX),
        Bits("interface index", "sll.ifindex", 32),
        Bits("hardware type", "sll.hatype", 16),
        Bits("packet type", "sll.pkttype", 8, meaning=named(_PACKET_TYPES)),
        Bits("address length", "sll.halen", 8),
        Bits("address", "", 64, Form.BYTES),
    ),
)
_LOOPBACK = HeaderLayout(
    "BSD loopback", "LINKTYPE_NULL", (Bits("address family", "", 32, Form.HEX),)
)
_ARP_HEAD = (
    Bits("hardware type", "arp.hw.type", 16, meaning=named({1: "Ethernet"})),
    Bits("protocol type", "arp.proto.type", 16, Form.HEX, meaning=named(ETHER_TYPES)),
    Bits("hardware address length", "arp.hw.size", 8),
    Bits("protocol address length", "arp.proto.size", 8),
    Bits("operation", "arp.opcode", 16, meaning=named(_OPERATIONS)),
)
_ARP = HeaderLayout(
    "ARP",
    "RFC 826",
    (
        *_ARP_HEAD,
        Bits("sender hardware address", "arp.src.hw_mac", 48, Form.MAC),
        Bits("sender protocol address", "arp.src.proto_ipv4", 32, Form.IPV4),
        Bits("target hardware address", "arp.dst.hw_mac", 48, Form.MAC),
        Bits("target protocol address", "arp.dst.proto_ipv4", 32, Form.IPV4),
    ),
)
_ARP_OF_OTHERS = HeaderLayout("ARP", "RFC 826", _ARP_HEAD)


def link_fields(
    data: bytes, layer: Ethernet | Vlan | Cooked | Loopback | Arp
) -> Iterable[HeaderField]:
    """The fields of one of these headers."""
    match layer:
        case Ethernet():
            layout = _ETHERNET if layer.type >= _FIRST_TYPE else _ETHERNET_WITH_LENGTH
        case Vlan():
            layout = _VLAN
        case Cooked():
            layout = _SLL if layer.version == 1 else _SLL2
        case Loopback():
            layout = _LOOPBACK
        case Arp():
            layout = _ARP_OF_OTHERS if layer.sender is None else _ARP
    return fields_at(data, layer.offset, layout, {})
