"""What a frame's bytes mean: one frozen record for each header.

Every layer has `offset`, its first byte's position in the frame (for a layer found only
after reassembly: in the reassembled bytes, which follow the IP or Fragment header).
Checksums carry what was computed: True or False, or None where it cannot be computed
(the bytes were cut or quoted, are a fragment's, or the protocol sent none).
"""

from __future__ import annotations

import enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from lab.frozen import frozen
from lab.records import Frame

IPAddress = IPv4Address | IPv6Address

_NEIGHBOUR_TYPES = frozenset({135, 136})
"""Neighbor Solicitation and Advertisement."""


_SOURCE_ROUTES = frozenset({131, 137})
"""Loose and strict, among the options of IPv4."""

_DESTINATION_OPTIONS, _HOME_ADDRESS = 60, 0xC9


class TcpFlags(enum.IntFlag):
    """Control bits of the TCP header; the three reserved bits are kept as they came.

    Source: RFC 9293, 3.1; AE: RFC 9768.
    """

    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    AE = 0x100

    def __and__(self, other: int) -> TcpFlags:
        """As IntFlag has it, in a tenth of the time: flags are looked at more than all else."""
        return known_flags(int(self) & int(other))


known_flags = lru_cache(1 << 12)(TcpFlags)
"""The flags of a number of 12 bits: there are no more."""


@frozen
class Ethernet:
    """14 bytes. Source: IEEE 802.3. `type` is a length where it is below 0x0600."""

    offset: int
    destination: str
    source: str
    type: int


@frozen
class Vlan:
    """4 bytes after the addresses. Source: IEEE 802.1Q; 0x88a8 outer tags too."""

    offset: int
    priority: int
    drop_eligible: bool
    identifier: int
    type: int


@frozen
class Cooked:
    """Linux cooked capture, v1 (16 bytes) or v2 (20). Source: LINKTYPE_LINUX_SLL, _SLL2."""

    offset: int
    version: int
    packet_type: int
    address: str
    protocol: int
    interface_index: int | None
    """v2 only."""


@frozen
class Loopback:
    """BSD loopback: a 4-byte address family. Source: LINKTYPE_NULL, LINKTYPE_LOOP."""

    offset: int
    family: int


@frozen
class Encapsulation:
    """A link-layer header of which only what follows it is read: PPP, LLC, IEEE 802.11 …"""

    offset: int
    name: str
    type: int
    """What it says of its contents, in its own numbers: PPP's protocol, an EtherType …"""


@frozen
class Tunnel:
    """The header of a tunnel: what follows is a packet of its own. Source: see tunnels.py."""

    offset: int
    name: str
    identifiers: tuple[int, ...]
    """VXLAN's VNI, GRE's key, GTP-U's TEID, a session, MPLS labels from the outermost in."""
    source: IPAddress | None
    """Of the IP packet that carries it; None where the link layer does."""
    destination: IPAddress | None


@frozen
class Arp:
    """Source: RFC 826. Addresses are None where their length is not Ethernet/IPv4's."""

    offset: int
    operation: int
    sender_hardware: str | None
    sender: IPv4Address | None
    target_hardware: str | None
    target: IPv4Address | None


@frozen
class IPv4:
    """Source: RFC 791."""

    offset: int
    source: IPv4Address
    destination: IPv4Address
    header_bytes: int
    dscp: int
    ecn: int
    total_bytes: int
    identification: int
    dont_fragment: bool
    more_fragments: bool
    fragment_offset: int
    """In bytes."""
    ttl: int
    protocol: int
    checksum: int
    checksum_ok: bool | None
    options: tuple[tuple[int, bytes], ...]
    """(type, data) in order, padding left out."""

    @property
    def final(self) -> IPv4Address:
        """Where a source-routed packet is going, as the pseudo-header has it (RFC 1122)."""
        for kind, data in self.options:
            # The first byte points at the next stop, counted from 1 at the option's type.
            if kind in _SOURCE_ROUTES and len(data) >= 5:
                return IPv4Address(data[-4:]) if data[0] <= len(data) + 2 else self.destination
        return self.destination


@frozen
class IPv6:
    """Source: RFC 8200."""

    offset: int
    source: IPv6Address
    destination: IPv6Address
    traffic_class: int
    flow_label: int
    payload_bytes: int
    next_header: int
    hop_limit: int


@frozen
class Extension:
    """An IPv6 extension header other than Fragment; AH after IPv4 too.

    Source: RFC 8200, 4; RFC 4302 (AH); RFC 6275 (mobility).

    `header` is its own protocol number (0 hop-by-hop, 43 routing, 51 AH, 60 destination
    options, 135 mobility).
    """

    offset: int
    header: int
    next_header: int
    header_bytes: int
    options: tuple[tuple[int, bytes], ...]
    """(type, data) of hop-by-hop and destination options, padding left out."""
    final: IPv6Address | None = None
    """Where a routing header sends the packet in the end; None once it is there."""

    @property
    def home_address(self) -> IPv6Address | None:
        """Of the sender, which the pseudo-header has as its source. Source: RFC 6275, 6.3."""
        for kind, data in self.options if self.header == _DESTINATION_OPTIONS else ():
            if kind == _HOME_ADDRESS and len(data) == 16:
                return IPv6Address(data)
        return None


@frozen
class Fragment:
    """IPv6 fragment header. Source: RFC 8200, 4.5."""

    offset: int
    next_header: int
    fragment_offset: int
    """In bytes."""
    more_fragments: bool
    identification: int


@frozen
class Icmp:
    """ICMP or ICMPv6 (`version` 4 or 6). Source: RFC 792, RFC 4443, RFC 4861.

    `target` is a neighbour solicitation's or advertisement's target, or a redirect's
    gateway; `link_layer` the source/target link-layer address option of RFC 4861;
    `quoted` the layers of the packet an error message quotes, as far as they go.
    """

    offset: int
    version: int
    type: int
    code: int
    checksum: int
    checksum_ok: bool | None
    identifier: int | None
    sequence: int | None
    mtu: int | None
    target: IPAddress | None
    link_layer: str | None
    quoted: tuple[Layer, ...]


@frozen
class TcpOption:
    """One option, by its IANA name.

    `value`: mss, window_scale → int; timestamps → (value, echo); sack → a flat tuple of
    left, right, left, right …; sack_permitted, nop, end → None; any other → bytes of data.
    """

    kind: int
    name: str
    value: int | tuple[int, ...] | bytes | None


@frozen
class Tcp:
    """Source: RFC 9293, 3.1; options RFC 7323, 2018, 7413."""

    offset: int
    source_port: int
    destination_port: int
    seq: int
    ack: int
    header_bytes: int
    flags: TcpFlags
    window: int
    """As in the header, unscaled."""
    checksum: int
    checksum_ok: bool | None
    urgent_pointer: int
    options: tuple[TcpOption, ...]
    payload_bytes: int
    """Length by the IP header: more than was captured where the frame was cut."""
    right_checksum: int | None = None
    """What the checksum ought to be; None unless it is wrong."""
    is_left_to_card: bool = False
    """Whether the checksum is wrong for being the pseudo-header's alone: the rest was left to
    the sender's network card."""

    def option(self, name: str) -> TcpOption | None:
        """The first option of that name."""
        return next((option for option in self.options if option.name == name), None)


@frozen
class TcpStart:
    """The ports and, if it is there, the sequence number of a TCP header whose rest is missing.

    An ICMP error need not quote more than 8 bytes (RFC 792); a capture may be cut anywhere.
    """

    offset: int
    source_port: int
    destination_port: int
    seq: int | None


@frozen
class Udp:
    """Source: RFC 768."""

    offset: int
    source_port: int
    destination_port: int
    length: int
    """By the UDP header: header and payload."""
    checksum: int
    checksum_ok: bool | None
    payload_bytes: int
    right_checksum: int | None = None
    """As of Tcp."""
    is_left_to_card: bool = False


@frozen
class UdpStart:
    """The ports of a UDP header whose rest is missing."""

    offset: int
    source_port: int
    destination_port: int


class HasData(Protocol):
    """What has bytes when it is asked."""

    @property
    def data(self) -> bytes:
        """All of them."""
        ...


class Payload:
    """Bytes of the application, or of a header that the lab does not dissect.

    They may be a part of a frame's, of which no copy is kept: `within` makes such a one; and that
    frame's may be read where they are stored, by `read_from`.
    """

    __slots__ = ("_end", "_start", "_whole", "offset")
    __match_args__ = ("offset", "data")

    offset: int

    def __init__(self, offset: int, data: bytes) -> None:
        self.offset = offset
        self._whole: bytes | HasData = data
        self._start, self._end = 0, len(data)

    @classmethod
    def within(cls, offset: int, whole: bytes, end: int) -> Payload:
        """What a frame has from `offset` to `end`."""
        made = cls(offset, whole)
        made._start, made._end = offset, end
        return made

    def part(self, start: int, end: int | None = None) -> Payload:
        """What of it is between two of its places, as a slice has them that are not negative."""
        last = self.size if end is None else min(end, self.size)
        if start == 0 and last == self.size:
            return self
        first = min(start, last)
        return self._other(self.offset + first, self._whole, self._start + first, last - first)

    def read_from(self, whole: HasData) -> Payload:
        """The same, of a frame's own bytes, without these: all of them are asked of that."""
        return self._other(self.offset, whole, self.offset, self.size)

    @classmethod
    def stored(cls, offset: int, size: int, whole: HasData) -> Payload:
        """So many bytes from `offset` on of a frame's, all of which are asked of that."""
        return cls._other(offset, whole, offset, size)

    @staticmethod
    def _other(offset: int, whole: bytes | HasData, start: int, size: int) -> Payload:
        made = object.__new__(Payload)
        made.offset, made._whole, made._start, made._end = offset, whole, start, start + size
        return made

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._end - self._start

    @property
    def data(self) -> bytes:
        """The bytes."""
        whole = self._whole
        return (whole if isinstance(whole, bytes) else whole.data)[self._start : self._end]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Payload):
            return NotImplemented
        return (self.offset, self.data) == (other.offset, other.data)

    def __hash__(self) -> int:
        return hash((self.offset, self.data))

    def __repr__(self) -> str:
        return f"Payload(offset={self.offset!r}, data={self.data!r})"


@frozen
class Malformed:
    """Bytes that make no sense, and why.

    The layers before it stand. Where the next header's place is known all the same
    (unreadable options, a length past the packet's end), layers follow it; else it is
    the last. `truncated`: the bytes are missing from the capture, or from an ICMP
    error's quotation, and the sender may be blameless.
    """

    offset: int
    layer: str
    reason: str
    truncated: bool = False


Layer = (
    Ethernet
    | Vlan
    | Cooked
    | Loopback
    | Encapsulation
    | Tunnel
    | Arp
    | IPv4
    | IPv6
    | Extension
    | Fragment
    | Icmp
    | Tcp
    | TcpStart
    | Udp
    | UdpStart
    | Payload
    | Malformed
)


@frozen
class Packet:
    """A dissected frame: its layers from the outside in.

    For the frame that completes a fragmented datagram, the layers of the whole datagram
    follow the last fragment's own, and `reassembled` says so.
    """

    frame: Frame
    layers: tuple[Layer, ...]
    reassembled: bool = False
    inner: int = 0
    """Where the layers after the last tunnel's header begin."""

    @property
    def own(self) -> tuple[Layer, ...]:
        """The layers of the packet itself, without those of tunnels around it."""
        return self.layers[self.inner :] if self.inner else self.layers

    # Loops, not next(): these are asked for each packet, again and again.

    @property
    def lifetime(self) -> int | None:
        """The TTL of IPv4, the hop limit of IPv6; None where there is neither."""
        ip = self.ip
        return None if ip is None else ip.ttl if isinstance(ip, IPv4) else ip.hop_limit

    @property
    def ip(self) -> IPv4 | IPv6 | None:
        """The outermost IP header; in a tunnel, of the packet inside."""
        for layer in self.own:
            if isinstance(layer, IPv4 | IPv6):
                return layer
        return None

    @property
    def tcp(self) -> Tcp | None:
        """The TCP header, never one quoted by an ICMP error."""
        for layer in self.own:
            if layer.__class__ is Tcp:
                return layer
        return None

    @property
    def udp(self) -> Udp | None:
        """The UDP header, never one quoted by an ICMP error."""
        for layer in self.own:
            if layer.__class__ is Udp:
                return layer
        return None

    @property
    def icmp(self) -> Icmp | None:
        """The ICMP or ICMPv6 header."""
        for layer in self.own:
            if layer.__class__ is Icmp:
                return layer
        return None

    @property
    def arp(self) -> Arp | None:
        """The ARP packet."""
        for layer in self.own:
            if layer.__class__ is Arp:
                return layer
        return None

    @property
    def resolves_neighbour(self) -> bool:
        """Whether it is a request for a hardware address or a reply to one: ARP or RFC 4861."""
        icmp = self.icmp
        return self.arp is not None or (
            icmp is not None and icmp.version == 6 and icmp.type in _NEIGHBOUR_TYPES
        )

    @property
    def carried(self) -> Payload | None:
        """The layer of the innermost captured bytes; None where there are none."""
        last = self.layers[-1] if self.layers else None
        return last if isinstance(last, Payload) else None

    @property
    def payload(self) -> bytes:
        """The innermost captured bytes; empty where there are none."""
        return b"" if self.carried is None else self.carried.data

    @property
    def malformed(self) -> Malformed | None:
        """The first thing that makes no sense, if any."""
        return next((layer for layer in self.layers if isinstance(layer, Malformed)), None)
