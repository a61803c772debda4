"""Where the headers of a frame begin, and what rules ask of them."""

from __future__ import annotations

import struct

_ETHERNET_BYTES = 14
_VLAN_TYPES = frozenset({0x8100, 0x88A8})
_VLAN_BYTES = 4
_IPV4, _IPV6, ETHERTYPE_ARP = 0x0800, 0x86DD, 0x0806
_IPV4_HEADER_BYTES, _IPV6_HEADER_BYTES = 20, 40
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60
_FRAGMENT_HEADER_BYTES = 8
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_TCP_HEADER_BYTES, _UDP_HEADER_BYTES = 20, 8
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

_DISCOVERY = frozenset(bytes((kind,)) for kind in (*range(130, 138), 143))

_TYPE = struct.Struct("!H")
_PLAIN = struct.Struct("!12xHBxHxxHxB")
"""Of most frames: EtherType; of an IPv4 header without options its version and length, the packet's
length, the fragment's place, the protocol."""
_PLAIN_END, _PLAIN_IPV4 = 34, 0x45
_PORTS = struct.Struct("!HH")
_SEQUENCE = struct.Struct("!I")


class Headers:
    """A frame's headers, found once. What it does not have is 0, places are -1."""

    __slots__ = (
        "data", "end", "ether_type", "flags", "ip", "is_fragment", "payload", "payload_bytes",
        "protocol", "seq", "transport", "version",
    )  # fmt: skip

    def __init__(self, data: bytes) -> None:
        """Find them in a frame that begins with its Ethernet header."""
        self.data = data
        self.ether_type = self.version = self.protocol = self.flags = self.seq = 0
        self.ip = self.transport = self.payload = -1
        self.payload_bytes = 0
        self.is_fragment = False
        self.end = end = len(data)
        at = _ETHERNET_BYTES
        if end >= _PLAIN_END:
            kind, first, length, fragment, protocol = _PLAIN.unpack_from(data)
            if kind == _IPV4 and first == _PLAIN_IPV4 and not fragment & 0x3FFF:
                self.ether_type, self.ip, self.version, self.protocol = kind, at, 4, protocol
                self.transport = _PLAIN_END
                if at + length < end:
                    self.end = at + length
                self._find_transport()
                return
        if end < at:
            return
        (self.ether_type,) = _TYPE.unpack_from(data, 12)
        while self.ether_type in _VLAN_TYPES and len(data) >= at + _VLAN_BYTES:
            (self.ether_type,) = _TYPE.unpack_from(data, at + 2)
            at += _VLAN_BYTES
        if self.ether_type == _IPV4:
            self._find_ipv4(at)
        elif self.ether_type == _IPV6:
            self._find_ipv6(at)
        if self.transport >= 0:
            self._find_transport()

    @property
    def ports(self) -> tuple[int, int] | None:
        """The source's and the destination's; None where it has no TCP or UDP header."""
        return _PORTS.unpack_from(self.data, self.transport) if self.payload >= 0 else None

    @property
    def sequence_bytes(self) -> int:
        """How many sequence numbers a segment takes. Source: RFC 9293, 3.4."""
        return self.payload_bytes + bool(self.flags & SYN) + bool(self.flags & FIN)

    @property
    def window(self) -> int:
        """A TCP segment's window, as the header has it."""
        return int.from_bytes(self.data[self.transport + 14 : self.transport + 16], "big")

    @property
    def conversation(self) -> bytes:
        """What distinguishes a TCP segment's sender's end of a connection from all others."""
        if self.version == 4:
            addresses = self.data[self.ip + 12 : self.ip + 20]
        else:
            addresses = self.data[self.ip + 8 : self.ip + 40]
        return addresses + self.data[self.transport : self.transport + 4]

    @property
    def is_neighbour_discovery(self) -> bool:
        """Whether it is ARP, or ICMPv6 by which hosts find routers, neighbours and group members.

        Source: RFC 4861, 4; RFC 2710, 3; RFC 3810, 5.
        """
        if self.ether_type == ETHERTYPE_ARP:
            return True
        is_icmp = self.version == 6 and self.protocol == ICMPV6
        return is_icmp and self.data[self.transport : self.transport + 1] in _DISCOVERY

    def _find_ipv4(self, at: int) -> None:
        data = self.data
        if len(data) < at + _IPV4_HEADER_BYTES or data[at] >> 4 != 4:
            return
        self.ip, self.version, self.protocol = at, 4, data[at + 9]
        self.end = min(self.end, at + int.from_bytes(data[at + 2 : at + 4], "big"))
        fragment = int.from_bytes(data[at + 6 : at + 8], "big")
        self.is_fragment = bool(fragment & 0x3FFF)
        if not fragment & 0x1FFF:
            self.transport = at + (data[at] & 0xF) * 4

    def _find_ipv6(self, at: int) -> None:
        data = self.data
        if len(data) < at + _IPV6_HEADER_BYTES or data[at] >> 4 != 6:
            return
        self.ip, self.version = at, 6
        self.end = min(self.end, at + 40 + int.from_bytes(data[at + 4 : at + 6], "big"))
        kind, at = data[at + 6], at + _IPV6_HEADER_BYTES
        while kind in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION):
            if len(data) < at + _FRAGMENT_HEADER_BYTES:
                return
            if kind == _FRAGMENT:
                self.is_fragment = True
                if int.from_bytes(data[at + 2 : at + 4], "big") & 0xFFF8:
                    self.protocol = data[at]
                    return
                size = _FRAGMENT_HEADER_BYTES
            else:
                size = (data[at + 1] + 1) * 8
            kind, at = data[at], at + size
        self.protocol, self.transport = kind, at

    def _find_transport(self) -> None:
        data, at, end, protocol = self.data, self.transport, self.end, self.protocol
        if protocol == TCP and end >= at + _TCP_HEADER_BYTES:
            self.flags = data[at + 13]
            (self.seq,) = _SEQUENCE.unpack_from(data, at + 4)
            self.payload = payload = at + (data[at + 12] >> 4) * 4
        elif protocol == UDP and end >= at + _UDP_HEADER_BYTES:
            self.payload = payload = at + _UDP_HEADER_BYTES
        else:
            return
        if end > payload:
            self.payload_bytes = end - payload
