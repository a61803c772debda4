"""Crossings grouped into flows: the conversations of TCP and UDP, as tshark numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lab.analysis.packets.packet import Icmp, IPv4, IPv6, Packet, Tcp, TcpFlags, Udp
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import Layer

Protocol = Literal["tcp", "udp"]

_Quoted = tuple[Protocol, SocketAddress, SocketAddress]
"""A packet's protocol, source and destination."""

_SEQUENCE_SPACE = 1 << 32
_PROTOCOL_BY_NUMBER: dict[int, Protocol] = {6: "tcp", 17: "udp"}


@dataclass(frozen=True, slots=True)
class FlowId:
    """What events and endpoints call a flow of a step by."""

    protocol: Protocol
    number: int

    def __str__(self) -> str:
        """As reports show it: "tcp 0"."""
        return f"{self.protocol} {self.number}"


@dataclass(frozen=True, slots=True)
class Flow:
    """All that two endpoints sent to each other in one conversation."""

    number: int
    """From 0 for each protocol, in order of first frame: tshark's tcp.stream, udp.stream."""
    protocol: Protocol
    a: SocketAddress
    """The side that began: the sender of a SYN, the receiver of a SYN-ACK whose SYN was not
    captured, else the sender of the first packet."""
    b: SocketAddress
    crossings: tuple[Crossing, ...]
    errors: tuple[Crossing, ...]
    """ICMP errors that quote a packet of this flow."""

    @property
    def id(self) -> FlowId:
        """What events and endpoints call it by."""
        return FlowId(self.protocol, self.number)


class _Builder:
    """A flow while it grows."""

    __slots__ = ("base", "crossings", "errors", "has_ended", "number", "protocol")

    def __init__(self, protocol: Protocol, number: int) -> None:
        self.protocol: Protocol = protocol
        self.number = number
        self.crossings: list[Crossing] = []
        self.errors: list[Crossing] = []
        self.base: dict[SocketAddress, int] = {}
        """The initial sequence number of each sender, as far as it is known or implied."""
        self.has_ended = False
        """Whether either side has sent a FIN with ACK or a RST since the last SYN without ACK."""

    def is_reused_by(self, source: SocketAddress, tcp: Tcp) -> bool:
        """Whether this segment opens another conversation on the same endpoints."""
        if not tcp.flags & TcpFlags.SYN or source not in self.base:
            return False
        return self.has_ended or self.base[source] != tcp.seq

    def note(self, source: SocketAddress, destination: SocketAddress, tcp: Tcp) -> None:
        """Remember what this segment says or implies: initial sequence numbers, an end."""
        if tcp.flags & TcpFlags.SYN:
            self.base[source] = tcp.seq
        else:
            self.base.setdefault(source, (tcp.seq - 1) % _SEQUENCE_SPACE)
        if tcp.flags & TcpFlags.ACK:
            self.base.setdefault(destination, (tcp.ack - 1) % _SEQUENCE_SPACE)
        if tcp.flags & TcpFlags.RST or _is_fin(tcp):
            self.has_ended = True
        elif _is_syn(tcp):
            self.has_ended = False

    def build(self) -> Flow:
        a, b = _initiator_first(self.crossings)
        crossings, errors = tuple(self.crossings), tuple(self.errors)
        return Flow(self.number, self.protocol, a, b, crossings, errors)


def group_flows(crossings: Iterable[Crossing]) -> tuple[Flow, ...]:
    """The TCP and UDP flows in order of first frame, numbered as tshark numbers streams.

    Packets between the same two endpoints, in either direction, are one flow. A SYN or
    SYN-ACK of a side whose initial sequence number is known begins another one where it has
    another number, or where a FIN with ACK or a RST has been sent since the last SYN. That number
    is the one of its last SYN, else the one implied by its own first segment (`seq - 1`) or by
    what the peer acknowledged (`ack - 1`).
    Source: experiments with tshark 4.6.9 (tests/analysis/test_flow.py). 4.0 goes by the number
    alone, and there and in 4.2 a SYN-ACK never begins a stream.
    """
    builders: list[_Builder] = []
    latest: dict[tuple[Protocol, SocketAddress, SocketAddress], _Builder] = {}
    counts: dict[Protocol, int] = {"tcp": 0, "udp": 0}
    for crossing in crossings:
        ends = transport_endpoints(crossing.packet)
        if ends is None:
            quoted = _quoted(crossing.packet)
            builder = latest.get(quoted) if quoted else None
            if builder is not None:
                builder.errors.append(crossing)
            continue
        source, destination = ends
        tcp = crossing.packet.tcp
        protocol: Protocol = "udp" if tcp is None else "tcp"
        builder = latest.get((protocol, source, destination))
        if builder is None or (tcp is not None and builder.is_reused_by(source, tcp)):
            builder = _Builder(protocol, counts[protocol])
            counts[protocol] += 1
            builders.append(builder)
            latest[protocol, source, destination] = builder
            latest[protocol, destination, source] = builder
        builder.crossings.append(crossing)
        if tcp is not None:
            builder.note(source, destination, tcp)
    return tuple(builder.build() for builder in builders)


def transport_endpoints(packet: Packet) -> tuple[SocketAddress, SocketAddress] | None:
    """Source and destination of a TCP or UDP packet; None for any other.

    In a tunnel the addresses are the innermost header's: the ones its ports belong to.
    """
    return _endpoints(packet.layers)


def _endpoints(layers: Sequence[Layer]) -> tuple[SocketAddress, SocketAddress] | None:
    ip: IPv4 | IPv6 | None = None
    for layer in layers:
        if isinstance(layer, IPv4 | IPv6):
            ip = layer
        elif isinstance(layer, Tcp | Udp) and ip is not None:
            source = SocketAddress(ip.source, layer.source_port)
            return source, SocketAddress(ip.destination, layer.destination_port)
    return None


def _quoted(packet: Packet) -> _Quoted | None:
    """The flow of the packet that an ICMP error quotes."""
    icmp = packet.icmp
    if icmp is None or not icmp.quoted:
        return None
    ends = _endpoints(icmp.quoted)
    if ends is not None:
        is_tcp = any(isinstance(layer, Tcp) for layer in icmp.quoted)
        return "tcp" if is_tcp else "udp", *ends
    return _quoted_in_part(packet, icmp)


def _quoted_in_part(
    packet: Packet, icmp: Icmp
) -> tuple[Protocol, SocketAddress, SocketAddress] | None:
    """The same from a quotation that ends in the transport header.

    RFC 792 asks routers for 8 bytes of it only: no whole TCP header, but both ports.
    """
    ip = icmp.quoted[0]
    if not isinstance(ip, IPv4) or ip.fragment_offset or packet.reassembled:
        return None
    protocol = _PROTOCOL_BY_NUMBER.get(ip.protocol)
    start = ip.offset + ip.header_bytes
    ports = packet.frame.data[start : start + 4]
    if protocol is None or len(ports) < 4:
        return None
    source = SocketAddress(ip.source, int.from_bytes(ports[:2], "big"))
    return protocol, source, SocketAddress(ip.destination, int.from_bytes(ports[2:], "big"))


def _is_fin(tcp: Tcp) -> bool:
    """Whether it is a FIN that a receiver takes: RFC 9293, 3.10.7.4, drops one without ACK."""
    flags = TcpFlags.FIN | TcpFlags.ACK
    return tcp.flags & flags == flags


def _is_syn(tcp: Tcp) -> bool:
    return tcp.flags & (TcpFlags.SYN | TcpFlags.ACK) == TcpFlags.SYN


def _initiator_first(crossings: Sequence[Crossing]) -> tuple[SocketAddress, SocketAddress]:
    accepted: Crossing | None = None
    for crossing in crossings:
        tcp = crossing.packet.tcp
        if tcp is None or not tcp.flags & TcpFlags.SYN:
            continue
        if _is_syn(tcp):
            return _known_endpoints(crossing)
        accepted = accepted or crossing
    source, destination = _known_endpoints(accepted or crossings[0])
    return (destination, source) if accepted else (source, destination)


def _known_endpoints(crossing: Crossing) -> tuple[SocketAddress, SocketAddress]:
    ends = transport_endpoints(crossing.packet)
    assert ends is not None, "only packets with endpoints are put into flows"
    return ends
