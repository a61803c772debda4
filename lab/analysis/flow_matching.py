"""Sockets beside the flows on the wire that are theirs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.packet import TcpFlags
from lab.analysis.socket_address import place_of
from lab.analysis.socket_facts import takes
from lab.analysis.system_calls import SEND_CALLS
from lab.syscall_memory import pointee

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.analysis.flow import Flow
    from lab.analysis.socket_facts import SocketFacts
    from lab.descriptors import Followed
    from lab.records import Syscall, Trace

_NAMES_DESTINATION = {"sendto": (4, ""), "sendmsg": (1, "name")}
"""Where a call says where to: the argument and the part of what it points to."""


class _Wire:
    """A step's flows, and which side of them has a socket already."""

    def __init__(self, flows: Sequence[Flow], hosts: dict[str, str]) -> None:
        self.flows = flows
        self.hosts = hosts
        """By program."""
        self.by_places: dict[tuple[str, str, str], list[Flow]] = defaultdict(list)
        self.taken: set[tuple[str, str]] = set()
        """Ids of flows with the side, by its place."""
        self.senders: set[tuple[str, str]] = set()
        """Hosts and places from which a socket is known to have sent datagrams."""
        for flow in flows:
            a, b = str(flow.a), str(flow.b)
            self.by_places[flow.protocol, a, b].append(flow)
            self.by_places[flow.protocol, b, a].append(flow)

    def take(self, socket: SocketFacts, flow: Flow, local: str, remote: str) -> None:
        """The flow is this socket's; its addresses are known from now on."""
        socket.flow = flow_id(flow)
        socket.local, socket.remote = local, remote
        self.taken.add((socket.flow, local))

    def is_free(self, flow: Flow, local: str) -> bool:
        return (flow_id(flow), local) not in self.taken


def flow_id(flow: Flow) -> str:
    """What a flow is called: "tcp 0"."""
    return f"{flow.protocol} {flow.number}"


def match_flows(
    trace: Trace,
    followed: Followed,
    facts: dict[int, SocketFacts],
    flows: Sequence[Flow],
    hosts: dict[str, str],
) -> None:
    """Puts into `facts` each socket's flow, and addresses where the flow alone tells them."""
    wire = _Wire(flows, hosts)
    tcp = [socket for socket in facts.values() if socket.wire_protocol == "tcp"]
    for socket in tcp:
        _match_by_places(wire, trace, socket)
    for socket in tcp:
        _match_connecting(wire, trace, socket)
    _match_accepted(wire, facts, tcp)
    udp = {n: socket for n, socket in facts.items() if socket.wire_protocol == "udp"}
    _match_datagrams(wire, trace, followed, udp)


def _match_by_places(wire: _Wire, trace: Trace, socket: SocketFacts) -> None:
    """Both addresses are known: the first such flow that another socket does not have.

    Of a port used again there are several; a socket's comes after its connect() was called.
    A single one is its own whatever the times say: what is wrong with those must be seen.
    """
    remote = socket.remote or (socket.sought if socket.connect is not None else "")
    if not socket.has_place or not remote:
        return
    since_ns = _since(trace, socket)
    free = [
        flow
        for flow in wire.by_places["tcp", socket.local, remote]
        if wire.is_free(flow, socket.local)
    ]
    later = [flow for flow in free if flow.crossings[0].time_ns >= since_ns]
    if later or len(free) == 1:
        wire.take(socket, (later or free)[0], socket.local, socket.remote)


def _since(trace: Trace, socket: SocketFacts) -> int:
    return 0 if socket.connect is None else trace.syscalls[socket.connect].entry_ns


def _match_connecting(wire: _Wire, trace: Trace, socket: SocketFacts) -> None:
    """Only where to is known: the first flow there that left its host after that was asked for."""
    if socket.flow or socket.connect is None or not socket.sought or socket.has_place:
        return
    since_ns, host = _since(trace, socket), wire.hosts.get(socket.program, "")
    for flow in wire.flows:
        first = flow.crossings[0]
        if (
            flow.protocol == "tcp"
            and str(flow.b) == socket.sought
            and wire.is_free(flow, str(flow.a))
            and first.time_ns >= since_ns
            and first.sender in ("", host)
        ):
            wire.take(socket, flow, str(flow.a), socket.remote)
            return


def _match_accepted(wire: _Wire, facts: dict[int, SocketFacts], tcp: list[SocketFacts]) -> None:
    """Accepted sockets of which something is missing: the oldest whole handshake is theirs.

    Source: accept(2), "the first connection request on the queue of pending connections".
    """
    whole = sorted(
        (opened_ns, flow.number, flow)
        for flow in wire.flows
        if flow.protocol == "tcp" and (opened_ns := handshake_end(flow)) is not None
    )
    accepted = [s for s in tcp if s.accepted_ns is not None and not s.flow]
    for socket in sorted(accepted, key=lambda socket: socket.accepted_ns or 0):
        listener = facts.get(-1 if socket.listener is None else socket.listener)
        bound = socket.local or (listener.local if listener else "")
        host = wire.hosts.get(socket.program, "")
        for opened_ns, _, flow in whole:
            local, remote = str(flow.b), str(flow.a)
            if (
                wire.is_free(flow, local)
                and takes(bound, local)
                and socket.remote in ("", remote)
                and opened_ns <= (socket.accepted_ns or 0)
                and flow.crossings[0].receiver in ("", host)
            ):
                wire.take(socket, flow, local, remote)
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
    wire: _Wire, trace: Trace, followed: Followed, udp: dict[int, SocketFacts]
) -> None:
    """UDP: the flow of the socket's own address, which its first send may tell.

    A socket that talked with several peers has several flows: none of them is its own.
    """
    for number, (destination, entry_ns) in _first_sends(trace, followed, udp).items():
        if not udp[number].local:
            udp[number].local = _place_of_sender(wire, udp[number], destination, entry_ns)
    for socket in udp.values():
        found = _flows_at(wire, socket) if socket.local else []
        if len(found) == 1:
            wire.take(socket, found[0], socket.local, socket.remote)


def _first_sends(
    trace: Trace, followed: Followed, udp: dict[int, SocketFacts]
) -> dict[int, tuple[str, int]]:
    """Of each socket where its first datagram went, "" if that is not known, and when."""
    first: dict[int, tuple[str, int]] = {}
    for call, acts_on in zip(trace.syscalls, followed.acts_on, strict=True):
        is_sent = call.name in SEND_CALLS and call.result is not None and call.result >= 0
        if is_sent and acts_on in udp and acts_on not in first:
            first[acts_on] = _destination(call) or udp[acts_on].remote, call.entry_ns
    return first


def _destination(call: Syscall) -> str:
    place = _NAMES_DESTINATION.get(call.name)
    memory = pointee(call, *place) if place else None
    return place_of(memory.data) if memory else ""


def _place_of_sender(wire: _Wire, socket: SocketFacts, destination: str, entry_ns: int) -> str:
    """The source of the first flow there that left its host since, and is no other socket's."""
    host = wire.hosts.get(socket.program, "")
    for flow in wire.flows:
        local, first = str(flow.a), flow.crossings[0]
        if (
            flow.protocol == "udp"
            and destination in ("", str(flow.b))
            and (host, local) not in wire.senders
            and first.time_ns >= entry_ns
            and first.sender in ("", host)
        ):
            wire.senders.add((host, local))
            return local
    return ""


def _flows_at(wire: _Wire, socket: SocketFacts) -> list[Flow]:
    """The UDP flows with the socket's address at its host."""
    host = wire.hosts.get(socket.program, "")
    return [
        flow
        for flow in wire.flows
        if flow.protocol == "udp"
        and any(
            takes(socket.local, local) and at in ("", host) and socket.remote in ("", remote)
            for local, remote, at in _sides(flow)
        )
    ]


def _sides(flow: Flow) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Each side's own place, the other's, and the host that it is at."""
    first, a, b = flow.crossings[0], str(flow.a), str(flow.b)
    return (a, b, first.sender), (b, a, first.receiver)
