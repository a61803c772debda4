"""Crossings grouped into flows: the conversations of TCP and UDP, as tshark numbers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.flows.crossing import FlowEnds, Protocol
from lab.analysis.packets.fragments import REASSEMBLY_TIMEOUT_NS, datagram_of, piece_of
from lab.analysis.packets.packet import (
    Extension,
    IPAddress,
    IPv4,
    IPv6,
    Malformed,
    Packet,
    Tcp,
    TcpFlags,
    TcpStart,
    Udp,
    UdpStart,
)
from lab.frozen import frozen
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from lab.analysis.flows.crossing import Crossing, Hop
    from lab.analysis.packets.packet import Layer

_SEQUENCE_SPACE = 1 << 32
_FIN, _SYN, _RST, _ACK = (
    int(flag) for flag in (TcpFlags.FIN, TcpFlags.SYN, TcpFlags.RST, TcpFlags.ACK)
)
_SHOWN_HEADER_BYTES = 16
"""So much of a TCP header, up to its window, is enough for tshark to number a stream."""

_PROTOCOL_BY_NUMBER: dict[int, Protocol] = {6: "tcp", 17: "udp"}


@frozen
class FlowId:
    """What events and endpoints call a flow of a step by."""

    protocol: Protocol
    number: int

    def __str__(self) -> str:
        """As reports show it: "tcp 0"."""
        return f"{self.protocol} {self.number}"


@frozen
class Flow:
    """All that two endpoints sent to each other in one conversation."""

    number: int
    """From 0 for each protocol, in order of first frame: tshark's tcp.stream, udp.stream
    (but for one rule of `group_flows`)."""
    protocol: Protocol
    a: SocketAddress
    """The side that began: the sender of a SYN, the receiver of a SYN-ACK whose SYN was not
    captured, else the sender of the first packet."""
    b: SocketAddress
    crossings: tuple[Crossing, ...]
    errors: tuple[Crossing, ...]
    """ICMP errors that quote a packet of this flow."""
    parts: tuple[Crossing, ...] = ()
    """What carries a packet of this flow in part: the fragments of a datagram but the one that
    completed it, and packets that the capture cut between their ports and their header's end."""

    @property
    def id(self) -> FlowId:
        """What events and endpoints call it by."""
        return FlowId(self.protocol, self.number)


class SequenceBase:
    """What a TCP conversation's segments so far say of where sequence numbers begin, and of ends.

    Sides are the one that sent the first packet, True, and the other.
    """

    __slots__ = ("_base", "_has_fin", "_was_reset")

    def __init__(self) -> None:
        self._base: dict[bool, int] = {}
        """The initial sequence number of each side, as far as it is known or implied."""
        self._has_fin = False
        """Whether either side has sent a FIN with ACK since the last SYN without ACK."""
        self._was_reset = False
        """The same of a RST."""

    def is_reused_by(self, side: bool, seq: int, ack: int, flags: int) -> bool:
        """Whether a segment of that side opens another conversation on the same endpoints."""
        if not flags & _SYN or side not in self._base:
            return False
        if self._base[side] != seq:
            return True
        return self._was_reset or (self._has_fin and not self._repeats_its_answer(side, ack, flags))

    def _repeats_its_answer(self, side: bool, ack: int, flags: int) -> bool:
        """Whether it is this conversation's SYN-ACK.

        Where both a SYN-ACK and its SYN were sent again, the answer to the second SYN may come
        when the client has sent all that it has, its FIN among it.
        """
        syn = self._base.get(not side)
        is_answer = bool(flags & _ACK)
        return is_answer and syn is not None and (syn + 1) % _SEQUENCE_SPACE == ack

    def note(self, side: bool, other: bool, seq: int, ack: int, flags: int) -> None:
        """Remember what a segment says or implies: initial sequence numbers, an end.

        `side` has sent it to `other`, which is the same where a socket talks to itself.
        """
        base = self._base
        if flags & _SYN:
            base[side] = seq
        elif side not in base:
            base[side] = (seq - 1) % _SEQUENCE_SPACE
        if flags & _ACK and other not in base:
            base[other] = (ack - 1) % _SEQUENCE_SPACE
        if flags & _RST:
            self._was_reset = True
        elif flags & (_FIN | _ACK) == _FIN | _ACK:
            # RFC 9293, 3.10.7.4, drops a FIN without ACK.
            self._has_fin = True
        elif flags & (_SYN | _ACK) == _SYN:
            self._has_fin = self._was_reset = False


class _Builder:
    """A flow while it grows."""

    __slots__ = ("base", "crossings", "errors", "number", "parts", "protocol")

    def __init__(self, protocol: Protocol) -> None:
        self.protocol: Protocol = protocol
        self.number: int | None = None
        """None until a whole packet is seen."""
        self.crossings: list[Crossing] = []
        self.errors: list[Crossing] = []
        self.parts: list[Crossing] = []
        self.base = SequenceBase()
        """Of TCP."""

    def build(self) -> Flow:
        assert self.number is not None, "flows are numbered before they are built"
        a, b = _initiator_first(self.crossings or self.parts)
        crossings, errors, parts = map(tuple, (self.crossings, self.errors, self.parts))
        return Flow(self.number, self.protocol, a, b, crossings, errors, parts)


def group_flows(crossings: Iterable[Crossing]) -> tuple[Flow, ...]:
    """The TCP and UDP flows in order of first frame, numbered as tshark numbers streams.

    Packets between the same two endpoints, in either direction, are one flow. A SYN or
    SYN-ACK of a side whose initial sequence number is known begins another one where it has
    another number, or where a FIN with ACK or a RST has been sent since the last SYN. That number
    is the one of its last SYN, else the one implied by its own first segment (`seq - 1`) or by
    what the peer acknowledged (`ack - 1`). Other than with tshark, a SYN-ACK that repeats the
    conversation's own belongs to it after a FIN too.
    So is UDP that carries a tunnel, which makes no flow here: there are the flows inside.
    Flows of which no packet is whole, nor cut as late as behind a TCP header's window, have no
    stream in tshark: they are numbered last.
    Source: experiments with tshark 4.6.9 (tests/analysis/test_flow.py). 4.0 goes by the number
    alone, and there and in 4.2 a SYN-ACK never begins a stream.
    """
    grouping = _Grouping()
    for crossing in crossings:
        grouping.add(crossing)
    return grouping.flows()


class _Grouping:
    """Flows while they grow, and who is to have the next packet."""

    __slots__ = ("counts", "fragments", "latest", "numbered", "numberless", "whole")

    def __init__(self) -> None:
        self.numbered: list[_Builder] = []
        self.numberless: list[_Builder] = []
        """Those of which no whole packet was seen yet."""
        self.latest: dict[FlowEnds, tuple[_Builder, bool]] = {}
        """And whether it is the side that sent the first packet."""
        self.counts: dict[Protocol, int] = {"tcp": 0, "udp": 0}
        self.fragments: dict[Hashable, list[Crossing]] = {}
        self.whole: dict[Hashable, _Builder] = {}
        """Whose datagram was made whole last, by what its fragments have in common."""

    def add(self, crossing: Crossing) -> None:
        head = crossing.head
        if head is not None:
            self._add_segment(crossing, head.ends, (head.seq, head.ack, head.flags))
            return
        packet = crossing.packet
        if packet.inner:
            self._number_carrier(packet)
        ends = ends_of(crossing)
        if ends is None:
            self._add_without_transport(crossing)
            return
        tcp = packet.tcp
        segment = (0, 0, 0) if tcp is None else (tcp.seq, tcp.ack, int(tcp.flags))
        builder = self._add_segment(crossing, ("udp" if tcp is None else "tcp", *ends), segment)
        if packet.reassembled and (key := datagram_of(packet)) is not None:
            builder.parts += self.fragments.pop(key, ())
            self.whole[key] = builder

    def _add_segment(
        self, crossing: Crossing, ends: FlowEnds, segment: tuple[int, int, int]
    ) -> _Builder:
        """Add a packet to the flow that it is of. `segment`: seq, ack and flags of one of TCP."""
        is_tcp = ends[0] == "tcp"
        builder, side = self.latest.get(ends, (None, True))
        if builder is None or (is_tcp and builder.base.is_reused_by(side, *segment)):
            builder, side = self._begin(*ends), True
        if not builder.crossings:
            self._number(builder)
            self.numbered.append(builder)
        builder.crossings.append(crossing)
        if is_tcp:
            builder.base.note(side, side if ends[1] == ends[2] else not side, *segment)
        return builder

    def flows(self) -> tuple[Flow, ...]:
        for key, crossings in self.fragments.items():
            self._add_fragments(key, crossings)
        for builder in self.numberless:
            if not builder.crossings:
                self._number(builder)
                self.numbered.append(builder)
        return tuple(builder.build() for builder in self.numbered)

    def _number(self, builder: _Builder) -> None:
        if builder.number is None:
            builder.number = self.counts[builder.protocol]
            self.counts[builder.protocol] += 1

    def _number_carrier(self, packet: Packet) -> None:
        ends = carrier_of(packet)
        if ends is not None:
            self._number(self._latest(ends) or self._begin(*ends))

    def _latest(self, ends: FlowEnds) -> _Builder | None:
        return self.latest.get(ends, (None, True))[0]

    def _begin(
        self, protocol: Protocol, source: SocketAddress, destination: SocketAddress
    ) -> _Builder:
        builder = _Builder(protocol)
        self.latest[protocol, destination, source] = builder, False
        self.latest[protocol, source, destination] = builder, True
        return builder

    def _add_without_transport(self, crossing: Crossing) -> None:
        mention = mention_of(crossing)
        if mention is None:
            return
        if mention.ends is None or mention.datagram is not None:
            self._add_fragment(crossing, mention)
            return
        builder = self._latest(mention.ends)
        if mention.is_quoted:
            if builder is not None:
                builder.errors.append(crossing)
            return
        if builder is None:
            builder = self._begin(*mention.ends)
            self.numberless.append(builder)
        if mention.is_numbered:
            self._number(builder)
        builder.parts.append(crossing)

    def _add_fragment(self, crossing: Crossing, mention: Mention) -> None:
        key = mention.datagram
        waiting = self.fragments.setdefault(key, [])
        if waiting and crossing.time_ns - waiting[0].time_ns > REASSEMBLY_TIMEOUT_NS:
            self._add_fragments(key, waiting)
            waiting = self.fragments[key] = []
        waiting.append(crossing)

    def _add_fragments(self, key: Hashable, crossings: Sequence[Crossing]) -> None:
        """Add what was never made whole to the flow that its ports name, or that it repeats."""
        ports = (ends for each in crossings if (ends := _first_fragments_ends(each)))
        ends = next(ports, None)
        builder = self.whole.get(key) if ends is None else self._latest(ends)
        if builder is not None:
            builder.parts += crossings


@frozen
class Mention:
    """What a packet without a whole transport header says of which flow it belongs to."""

    ends: FlowEnds | None
    """The flow's, as the packet has them; None where a fragment does not have them."""
    is_quoted: bool = False
    """Whether the packet is an ICMP error, and quotes one of that flow."""
    is_numbered: bool = False
    """Whether so much of its header is there that tshark numbers a stream."""
    datagram: Hashable | None = None
    """What all fragments of its datagram have in common; None where it is no fragment."""


def mention_of(crossing: Crossing) -> Mention | None:
    """Of a packet that has no transport header of its own; None where it names no flow."""
    packet = crossing.packet
    if (quoted := _quoted(packet)) is not None:
        return Mention((quoted[0], *(crossing.ends or quoted[1:])), is_quoted=True)
    if (cut := cut_endpoints(packet)) is not None:
        shown = cut[0] == "tcp" and _cut_header_bytes(packet) >= _SHOWN_HEADER_BYTES
        return Mention(cut, is_numbered=shown)
    if (key := datagram_of(packet)) is not None:
        return Mention(_first_fragments_ends(crossing), datagram=key)
    return None


def carrier_of(packet: Packet) -> FlowEnds | None:
    """The datagram around a tunnel, which tshark numbers, though the packets inside are shown."""
    ends = _endpoints(packet.layers[: packet.inner]) if packet.inner else None
    return None if ends is None else ("udp", *ends)


def ends_of(crossing: Crossing) -> tuple[SocketAddress, SocketAddress] | None:
    """Source and destination of a TCP or UDP packet, each as its own host has it; else None.

    Where no NAT is on its way both are as its sender sent it.
    """
    head = crossing.head
    if head is not None:
        return head.ends[1:]
    ends = transport_endpoints(crossing.packet)
    return None if ends is None else crossing.ends or ends


def ends_seen(flow: Flow) -> tuple[SocketAddress, SocketAddress]:
    """The flow's `a` as `b` has it, and its `b` as `a` has it: a NAT may have made others of them.

    As they are where no frame tells otherwise.
    """
    seen = {flow.a: flow.a, flow.b: flow.b}
    for crossing in flow.crossings:
        if not crossing.hops:
            continue
        ends, sent, arrived = (
            ends_of(crossing),
            _ends_on(crossing.hops[0]) if crossing.head else transport_endpoints(crossing.packet),
            _ends_on(crossing.hops[-1]),
        )
        if ends is None or sent is None or arrived is None:
            continue
        seen[ends[1]] = sent[1]
        if not crossing.lost:
            seen[ends[0]] = arrived[0]
    return seen[flow.a], seen[flow.b]


def _ends_on(hop: Hop) -> tuple[SocketAddress, SocketAddress] | None:
    """Source and destination as they are on a link."""
    head = hop.head
    return transport_endpoints(hop.packet) if head is None else head.ends[1:]


def transport_endpoints(packet: Packet) -> tuple[SocketAddress, SocketAddress] | None:
    """Source and destination of a TCP or UDP packet; None for any other.

    In a tunnel the addresses are the innermost header's: the ones its ports belong to. Of a
    packet on its way by source routing they are those where it begins and ends.
    """
    return _endpoints(packet.own)


def cut_endpoints(packet: Packet) -> FlowEnds | None:
    """Of a packet that the capture cut between its ports and the end of its header.

    None for any other: also where the sender itself left the header incomplete.
    """
    last = packet.layers[-1] if packet.layers else None
    if not isinstance(last, Malformed) or not last.truncated:
        return None
    return _ends_of_start(packet.own)


def _cut_header_bytes(packet: Packet) -> int:
    """How much of the header is there of a packet that is cut in it."""
    return len(packet.frame.data) - packet.layers[-1].offset


def _endpoints(layers: Sequence[Layer]) -> tuple[SocketAddress, SocketAddress] | None:
    for layer, source, destination in _final_ends(layers):
        if isinstance(layer, Tcp | Udp):
            return (
                SocketAddress(source, layer.source_port),
                SocketAddress(destination, layer.destination_port),
            )
    return None


def _final_ends(layers: Iterable[Layer]) -> Iterator[tuple[Layer, IPAddress, IPAddress]]:
    """Each header after an IP header, and from whom to whom that is in the end.

    Source routing and home addresses taken into account: what TCP and UDP have for addresses.
    Source: RFC 1122, 3.2.1.8; RFC 8200, 8.1; RFC 6275, 6.3.
    """
    source: IPAddress | None = None
    destination: IPAddress | None = None
    for layer in layers:
        if isinstance(layer, IPv4):
            source = layer.source
            destination = layer.final if layer.options else layer.destination
        elif isinstance(layer, IPv6):
            source, destination = layer.source, layer.destination
        elif source is not None and destination is not None:
            if isinstance(layer, Extension):
                destination = layer.final or destination
                source = layer.home_address or source
            yield layer, source, destination


def _quoted(packet: Packet) -> FlowEnds | None:
    """The flow of the packet that an ICMP error quotes."""
    icmp = packet.icmp
    if icmp is None or not icmp.quoted:
        return None
    ends = _endpoints(icmp.quoted)
    if ends is not None:
        is_tcp = any(isinstance(layer, Tcp) for layer in icmp.quoted)
        return "tcp" if is_tcp else "udp", *ends
    # RFC 792 asks routers for 8 bytes of it only: no whole TCP header, but both ports.
    return _ends_of_start(icmp.quoted)


def _ends_of_start(layers: Sequence[Layer]) -> FlowEnds | None:
    """The same from layers that end in the transport header."""
    for layer, source, destination in _final_ends(layers):
        if isinstance(layer, TcpStart | UdpStart):
            protocol: Protocol = "tcp" if isinstance(layer, TcpStart) else "udp"
            return (
                protocol,
                SocketAddress(source, layer.source_port),
                SocketAddress(destination, layer.destination_port),
            )
    return None


def _first_fragments_ends(crossing: Crossing) -> FlowEnds | None:
    """The ports in a datagram's first fragment."""
    packet = crossing.packet
    piece, ip, data = piece_of(packet), packet.ip, packet.payload
    if piece is None or ip is None or piece.start or len(data) < 4:
        return None
    protocol = _PROTOCOL_BY_NUMBER.get(piece.protocol)
    if protocol is None:
        return None
    if crossing.ends is not None:
        return protocol, *crossing.ends
    source = SocketAddress(ip.source, int.from_bytes(data[:2], "big"))
    return protocol, source, SocketAddress(ip.destination, int.from_bytes(data[2:4], "big"))


def _initiator_first(crossings: Sequence[Crossing]) -> tuple[SocketAddress, SocketAddress]:
    accepted: Crossing | None = None
    for crossing in crossings:
        head = crossing.head
        if head is None:
            tcp = crossing.packet.tcp
            flags = 0 if tcp is None else int(tcp.flags)
        else:
            flags = head.flags
        if not flags & _SYN:
            continue
        if not flags & _ACK:
            return _known_endpoints(crossing)
        accepted = accepted or crossing
    source, destination = _known_endpoints(accepted or crossings[0])
    return (destination, source) if accepted else (source, destination)


def _known_endpoints(crossing: Crossing) -> tuple[SocketAddress, SocketAddress]:
    ends = ends_of(crossing)
    if ends is None:
        cut = cut_endpoints(crossing.packet)
        assert cut is not None, "only packets with endpoints are put into flows"
        ends = cut[1:]
    return ends
