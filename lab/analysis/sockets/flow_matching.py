"""Sockets beside the flows on the wire that are theirs."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.calls.address import address_of
from lab.analysis.calls.decode import SEND_CALLS
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.facts import takes
from lab.model.address import SocketAddress
from lab.syscalls.memory import pointer_argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.flows.flow import Flow
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


class _Side:
    """A flow as one of its two sides has it."""

    __slots__ = ("begins", "flow", "host", "is_taken", "local", "remote")

    def __init__(self, flow: Flow, host: str, begins: bool) -> None:
        self.flow = flow
        self.local, self.remote = (flow.a, flow.b) if begins else (flow.b, flow.a)
        self.host = host
        """Where this side is; "" where that is not known."""
        self.begins = begins
        self.is_taken = False

    @property
    def first_ns(self) -> int:
        """When the flow's first packet was first seen."""
        return self.flow.crossings[0].time_ns

    def is_at(self, host: str) -> bool:
        return self.host in ("", host)

    def take(
        self, socket: SocketFacts, local: EndpointAddress | None, remote: EndpointAddress | None
    ) -> None:
        """This side is the socket's, which has these addresses."""
        self.is_taken = True
        socket.flow = self.flow.id
        socket.local, socket.remote = local, remote


class _Wire:
    """The sides of a step's flows."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self.sides = [side for flow in flows for side in _sides(flow)]
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


def _sides(flow: Flow) -> tuple[_Side, _Side]:
    first = flow.crossings[0]
    near, far = first.sender, first.receiver
    if flow.protocol == "tcp" and _source_port(flow) != flow.a.port:
        near, far = far, near  # the SYN was not captured: the first packet is an answer
    return _Side(flow, near, True), _Side(flow, far, False)


def _source_port(flow: Flow) -> int:
    tcp = flow.crossings[0].packet.tcp
    return flow.a.port if tcp is None else tcp.source_port


def _port(address: EndpointAddress | None) -> int | None:
    return address.port if isinstance(address, SocketAddress) else None


def match_flows(
    trace: Trace,
    followed: Followed,
    facts: dict[int, SocketFacts],
    flows: Sequence[Flow],
    hosts: dict[str, str],
) -> None:
    """Puts into `facts` each socket's flow, and addresses where the flow alone tells them.

    `hosts` are the programs'.
    """
    wire = _Wire(flows)
    tcp = [socket for socket in facts.values() if socket.wire_protocol == "tcp"]
    for socket in tcp:
        _match_by_places(wire, trace, socket)
    for socket in tcp:
        _match_connecting(wire, trace, socket, hosts.get(socket.program, ""))
    _match_accepted(wire, facts, tcp, hosts)
    udp = {n: socket for n, socket in facts.items() if socket.wire_protocol == "udp"}
    _match_datagrams(wire, _first_sends(trace, followed, udp), udp, hosts)


def _match_by_places(wire: _Wire, trace: Trace, socket: SocketFacts) -> None:
    """Both addresses are known: the first such flow that another socket does not have.

    Of a port used again there are several; a socket's comes after its connect() was called.
    A single one is its own whatever the times say: what is wrong with those must be seen.
    """
    remote = socket.remote or socket.sought
    if not socket.has_place or not remote:
        return
    since_ns = _since(trace, socket)
    free = [side for side in wire.by_places["tcp", socket.local, remote] if not side.is_taken]
    later = [side for side in free if side.first_ns >= since_ns]
    if later or len(free) == 1:
        (later or free)[0].take(socket, socket.local, socket.remote)


def _since(trace: Trace, socket: SocketFacts) -> int:
    return 0 if socket.connect is None else trace.syscalls[socket.connect].entry_ns


def _match_connecting(wire: _Wire, trace: Trace, socket: SocketFacts, host: str) -> None:
    """Only where to is known: the first flow there that left its host after that was asked for."""
    if socket.flow or socket.sought is None or socket.has_place:
        return
    sides = wire.connecting[socket.sought]
    for side in sides[bisect_left(sides, _since(trace, socket), key=_first_ns) :]:
        if side.is_at(host) and not side.is_taken:
            side.take(socket, side.local, socket.remote)
            return


def _first_ns(side: _Side) -> int:
    return side.first_ns


def _match_accepted(
    wire: _Wire, facts: dict[int, SocketFacts], tcp: Iterable[SocketFacts], hosts: dict[str, str]
) -> None:
    """Accepted sockets of which something is missing: the oldest whole handshake is theirs.

    Source: accept(2), "the first connection request on the queue of pending connections".
    """
    opened = [
        (opened_ns, side.flow.number, side)
        for side in wire.sides
        if not side.begins and not side.is_taken and side.flow.protocol == "tcp"
        for opened_ns in [handshake_end(side.flow)]
        if opened_ns is not None
    ]
    opened.sort()
    accepted = [
        (socket.accepted_ns, socket.number, socket)
        for socket in tcp
        if socket.accepted_ns is not None and not socket.flow
    ]
    for accepted_ns, _, socket in sorted(accepted):
        listener = facts.get(-1 if socket.listener is None else socket.listener)
        bound = socket.local or (listener.local if listener else None)
        for place, (opened_ns, _, side) in enumerate(opened):
            if opened_ns > accepted_ns:
                break
            is_right = takes(bound, side.local) and socket.remote in (None, side.remote)
            if is_right and side.is_at(hosts.get(socket.program, "")):
                side.take(socket, side.local, side.remote)
                del opened[place]
                break


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
    first_sends: dict[int, _FirstSend],
    udp: dict[int, SocketFacts],
    hosts: dict[str, str],
) -> None:
    """UDP: the flow of the socket's own address, which its first send may tell.

    A socket that talked with several peers has several flows: none of them is its own.
    """
    senders: set[tuple[str, int | None]] = set()
    for number, (destination, entry_ns) in first_sends.items():
        socket = udp[number]
        host = hosts.get(socket.program, "")
        if socket.local is None:
            socket.local = _address_of_sender(wire, host, destination, entry_ns, senders)
        senders.add((host, _port(socket.local)))
    for socket in udp.values():
        found = _sides_at(wire, socket, hosts.get(socket.program, ""))
        if len(found) == 1:
            found[0].take(socket, socket.local, socket.remote)


def _first_sends(
    trace: Trace, followed: Followed, udp: dict[int, SocketFacts]
) -> dict[int, _FirstSend]:
    first: dict[int, _FirstSend] = {}
    for call, acts_on in zip(trace.syscalls, followed.acts_on, strict=True):
        is_sent = call.name in SEND_CALLS and call.result is not None and call.result >= 0
        if is_sent and acts_on in udp and acts_on not in first:
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


def _sides_at(wire: _Wire, socket: SocketFacts, host: str) -> list[_Side]:
    """The sides of UDP flows with the socket's address at its host, and its peer's if it has one.

    Of a flow within one socket, which sends to itself, the first.
    """
    port = _port(socket.local)
    if port is None:
        return []
    found = {
        side.flow.number: side
        for side in reversed(wire.by_port["udp", port])
        if takes(socket.local, side.local)
        and side.is_at(host)
        and socket.remote in (None, side.remote)
    }
    return list(found.values())
