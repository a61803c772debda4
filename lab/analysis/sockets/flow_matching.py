"""Sockets beside the flows on the wire that are theirs."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.calls.address import address_of
from lab.analysis.calls.decode import SEND_CALLS
from lab.analysis.flows.flow import ends_seen
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.facts import takes
from lab.model.address import SocketAddress
from lab.syscalls.memory import pointer_argument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.sockets.facts import SocketFacts
    from lab.model.address import EndpointAddress
    from lab.records import Syscall, Trace
    from lab.syscalls.descriptors import Followed

_NAMES_DESTINATION = {"sendto": (4, ""), "sendmsg": (1, "name")}
"""Where a call says where to: the argument and the part of what it points to."""


_Ends = tuple[str, "EndpointAddress | None", "EndpointAddress | None"]
"""A protocol, a socket's own address and its peer's."""

_FirstSend = tuple["EndpointAddress | None", int]
"""Where a socket's first datagram went, None if that is unknown, and when."""


class FlowMatch(NamedTuple):
    """A socket's flow, and its addresses as the flow completes them."""

    flow: FlowId | None
    """None where the wire gives an address alone."""
    local: EndpointAddress | None
    remote: EndpointAddress | None


class _Side(NamedTuple):
    """A flow as one of its two sides has it."""

    number: int
    """Among the sides of the step's flows."""
    flow: Flow
    local: SocketAddress
    remote: SocketAddress
    """The other side as this one has it."""
    host: str
    """Where this side is; "" if unknown."""
    begins: bool

    @property
    def first_ns(self) -> int:
        """When the flow's first packet was first seen."""
        return self.flow.crossings[0].time_ns

    def is_at(self, host: str) -> bool:
        return self.host in ("", host)


class _Wire:
    """The sides of a step's flows."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self.sides: list[_Side] = []
        for flow in flows:
            self.sides += _sides(flow, len(self.sides))
        self.by_places: dict[_Ends, list[_Side]] = defaultdict(list)
        self.datagram_senders: list[_Side] = []
        self.connecting: dict[EndpointAddress, list[_Side]] = defaultdict(list)
        """By where to; in order of time, as flows are."""
        self.by_port: dict[tuple[str, int], list[_Side]] = defaultdict(list)
        for side in self.sides:
            protocol = side.flow.protocol
            self.by_places[protocol, side.local, side.remote].append(side)
            self.by_port[protocol, side.local.port].append(side)
            if side.begins and protocol == "tcp":
                self.connecting[side.remote].append(side)
            elif side.begins:
                self.datagram_senders.append(side)


def _sides(flow: Flow, number: int) -> tuple[_Side, _Side]:
    """Both sides of a flow, numbered from there on."""
    first = flow.crossings[0]
    near, far = first.sender, first.receiver
    if flow.protocol == "tcp" and _source_port(flow) != flow.a.port:
        near, far = far, near  # the SYN was not captured: the first packet is an answer
    a_seen, b_seen = ends_seen(flow)
    return (
        _Side(number, flow, flow.a, b_seen, near, True),
        _Side(number + 1, flow, flow.b, a_seen, far, False),
    )


def _source_port(flow: Flow) -> int:
    tcp = flow.crossings[0].packet.tcp
    return flow.a.port if tcp is None else tcp.source_port


def _port(address: EndpointAddress | None) -> int | None:
    return address.port if isinstance(address, SocketAddress) else None


def match_flows(
    trace: Trace,
    followed: Followed,
    facts: Mapping[int, SocketFacts],
    flows: Sequence[Flow],
    hosts: Mapping[str, str],
) -> dict[int, FlowMatch]:
    """By their numbers the sockets that have a flow on the wire.

    `hosts` are the programs'.
    """
    if not facts:
        return {}
    wire = _Wire(flows)
    connections = _Connections(wire, trace, facts, hosts)
    connections.match()
    udp = {n: socket for n, socket in facts.items() if socket.wire_protocol == "udp"}
    first_sends = _first_sends(trace, followed, udp)
    return connections.found | _match_datagrams(wire, first_sends, udp, hosts)


class _Connections:
    """TCP sockets and flows while they are being matched."""

    def __init__(
        self,
        wire: _Wire,
        trace: Trace,
        facts: Mapping[int, SocketFacts],
        hosts: Mapping[str, str],
    ) -> None:
        self.found: dict[int, FlowMatch] = {}
        self._taken: set[int] = set()
        self._wire = wire
        self._trace = trace
        self._facts = facts
        self._tcp = [socket for socket in facts.values() if socket.wire_protocol == "tcp"]
        self._hosts = hosts

    def match(self) -> None:
        """Find what can be found; what is more certain comes first."""
        for socket in self._tcp:
            self._match_by_places(socket)
        for socket in self._tcp:
            self._match_connecting(socket)
        self._match_accepted()

    def _match_by_places(self, socket: SocketFacts) -> None:
        """Both addresses are known: the first such flow that another socket does not have.

        Of a port used again there are several; a socket's comes after its connect() was called.
        A single one is its own whatever the times say: what is wrong with those must be seen.
        """
        remote = socket.remote or socket.sought
        if not socket.has_place or not remote:
            return
        since_ns = self._since(socket)
        sides = self._wire.by_places["tcp", socket.local, remote]
        free = [side for side in sides if side.number not in self._taken]
        later = [side for side in free if side.first_ns >= since_ns]
        if later or len(free) == 1:
            self._take((later or free)[0], socket, socket.local, socket.remote)

    def _match_connecting(self, socket: SocketFacts) -> None:
        """Only the destination is known: the first flow there that began after connect()."""
        if socket.number in self.found or socket.sought is None or socket.has_place:
            return
        sides = self._wire.connecting[socket.sought]
        for side in sides[bisect_left(sides, self._since(socket), key=_first_ns) :]:
            if side.is_at(self._host_of(socket)) and side.number not in self._taken:
                self._take(side, socket, side.local, socket.remote)
                return

    def _match_accepted(self) -> None:
        """Accepted sockets that have no flow yet: each gets the oldest complete handshake.

        Source: accept(2), "the first connection request on the queue of pending connections".
        """
        opened = [
            (opened_ns, side.flow.number, side)
            for side in self._wire.sides
            if not side.begins and side.number not in self._taken and side.flow.protocol == "tcp"
            for opened_ns in [handshake_end(side.flow)]
            if opened_ns is not None
        ]
        opened.sort(key=itemgetter(0, 1))
        accepted = [
            (socket.accepted_ns, socket.number, socket)
            for socket in self._tcp
            if socket.accepted_ns is not None and socket.number not in self.found
        ]
        for accepted_ns, _, socket in sorted(accepted, key=itemgetter(0, 1)):
            bound, host = socket.local or self._listening_at(socket), self._host_of(socket)
            for place, (opened_ns, _, side) in enumerate(opened):
                if opened_ns > accepted_ns:
                    break
                is_right = takes(bound, side.local) and socket.remote in (None, side.remote)
                if is_right and side.is_at(host):
                    self._take(side, socket, side.local, side.remote)
                    del opened[place]
                    break

    def _take(
        self,
        side: _Side,
        socket: SocketFacts,
        local: EndpointAddress | None,
        remote: EndpointAddress | None,
    ) -> None:
        """This side is the socket's, which has these addresses."""
        self._taken.add(side.number)
        self.found[socket.number] = FlowMatch(side.flow.id, local, remote)

    def _since(self, socket: SocketFacts) -> int:
        """When connect() was called; 0 where it was not."""
        return 0 if socket.connect is None else self._trace.syscalls[socket.connect].entry_ns

    def _host_of(self, socket: SocketFacts) -> str:
        return self._hosts.get(socket.program, "")

    def _listening_at(self, accepted: SocketFacts) -> EndpointAddress | None:
        """The local address of the socket that listened; None if unknown."""
        if accepted.listener is None or accepted.listener not in self._facts:
            return None
        match = self.found.get(accepted.listener)
        return self._facts[accepted.listener].local if match is None else match.local


def _first_ns(side: _Side) -> int:
    return side.first_ns


def handshake_end(flow: Flow) -> int | None:
    """When the segment that ends the handshake arrived, or left where no point saw it arrive.

    None where there is no such segment.
    """
    answered = False
    for crossing in flow.crossings:
        tcp = crossing.packet.tcp
        if tcp is None:
            continue
        opening = tcp.flags & (TcpFlags.SYN | TcpFlags.ACK)
        if opening == TcpFlags.SYN | TcpFlags.ACK:
            answered = True
        elif answered and opening == TcpFlags.ACK and tcp.source_port == flow.a.port:
            return crossing.time_ns if crossing.received_ns is None else crossing.received_ns
    return None


def _match_datagrams(
    wire: _Wire,
    first_sends: Mapping[int, _FirstSend],
    udp: Mapping[int, SocketFacts],
    hosts: Mapping[str, str],
) -> dict[int, FlowMatch]:
    """UDP: the flow of the socket's own address, which may follow from its first send.

    A socket that talked with several peers has several flows: none of them is its own.
    """
    senders: set[tuple[str, int | None]] = set()
    sent_from: dict[int, EndpointAddress | None] = {}
    for number, (destination, entry_ns) in first_sends.items():
        host, local = hosts.get(udp[number].program, ""), udp[number].local
        local = local or _address_of_sender(wire, host, destination, entry_ns, senders)
        sent_from[number] = local
        senders.add((host, _port(local)))
    found: dict[int, FlowMatch] = {}
    for number, socket in udp.items():
        local = sent_from.get(number, socket.local)
        sides = _sides_at(wire, local, socket.remote, hosts.get(socket.program, ""))
        if len(sides) == 1 or local != socket.local:
            flow = sides[0].flow.id if len(sides) == 1 else None
            found[number] = FlowMatch(flow, local, socket.remote)
    return found


def _first_sends(
    trace: Trace, followed: Followed, udp: Mapping[int, SocketFacts]
) -> dict[int, _FirstSend]:
    first: dict[int, _FirstSend] = {}
    for call, acts_on in zip(trace.syscalls, followed.acts_on, strict=True):
        is_sent = call.name in SEND_CALLS and call.result is not None and call.result >= 0
        if is_sent and acts_on is not None and acts_on in udp and acts_on not in first:
            first[acts_on] = _destination(call) or udp[acts_on].remote, call.entry_ns
    return first


def _destination(call: Syscall) -> EndpointAddress | None:
    place = _NAMES_DESTINATION.get(call.name)
    memory = pointer_argument(call, *place) if place else None
    return address_of(memory.data) if memory else None


def _address_of_sender(
    wire: _Wire,
    host: str,
    destination: EndpointAddress | None,
    entry_ns: int,
    senders: set[tuple[str, int | None]],
) -> SocketAddress | None:
    """The source of the first flow there that left the host since, and is no other socket's."""
    for side in wire.datagram_senders:
        if (
            destination in (None, side.remote)
            and side.first_ns >= entry_ns
            and side.is_at(host)
            and (host, side.local.port) not in senders
        ):
            return side.local
    return None


def _sides_at(
    wire: _Wire, local: EndpointAddress | None, remote: EndpointAddress | None, host: str
) -> list[_Side]:
    """The sides of UDP flows with a socket's address at its host, and its peer's if it has one.

    Of a flow within one socket, which sends to itself, the first.
    """
    port = _port(local)
    if port is None:
        return []
    found = {
        side.flow.number: side
        for side in reversed(wire.by_port["udp", port])
        if takes(local, side.local) and side.is_at(host) and remote in (None, side.remote)
    }
    return list(found.values())
