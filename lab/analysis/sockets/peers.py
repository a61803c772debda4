"""Which of a step's sockets are the two ends of one connection."""

from __future__ import annotations

from collections import defaultdict, deque
from operator import itemgetter
from typing import TYPE_CHECKING

from lab.analysis.sockets.facts import SOCK_DGRAM, takes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lab.analysis.flows.flow import FlowId
    from lab.analysis.sockets.facts import SocketFacts
    from lab.model.address import EndpointAddress
    from lab.records import Trace

_Ends = tuple[str, "EndpointAddress | None", "EndpointAddress | None"]
"""A protocol, a socket's own address and its peer's."""

_Pair = tuple[int, int]
"""The numbers of two sockets that are each other's peers."""


def match_peers(
    trace: Trace, facts: Mapping[int, SocketFacts], flows: Mapping[int, FlowId]
) -> dict[int, int]:
    """Each socket's peer, by number, if the peer is a socket of the step too.

    `flows` are the sockets' flows, where known.
    """
    peers = {s.number: s.peer for s in facts.values() if s.peer is not None}
    wired = [socket for socket in facts.values() if socket.wire_protocol]
    peers |= _both_ways(_pairs_by_flow(wired, flows))
    peers |= _both_ways(_pairs_by_places(s for s in wired if s.number not in peers))
    unix = [socket for socket in facts.values() if socket.is_unix]
    return peers | _both_ways(_unix_pairs(trace, unix))


def _both_ways(pairs: Iterable[_Pair]) -> dict[int, int]:
    return {one: other for pair in pairs for one, other in (pair, pair[::-1])}


def _pairs_by_flow(wired: Iterable[SocketFacts], flows: Mapping[int, FlowId]) -> Iterator[_Pair]:
    ends: dict[FlowId, list[int]] = defaultdict(list)
    for socket in wired:
        flow = flows.get(socket.number)
        if flow is not None:
            ends[flow].append(socket.number)
    for numbers in ends.values():
        if len(numbers) == 2:
            yield numbers[0], numbers[1]


def _pairs_by_places(wired: Iterable[SocketFacts]) -> Iterator[_Pair]:
    """Connections that no frame showed, such as those of a host with itself."""
    waiting: dict[_Ends, deque[int]] = defaultdict(deque)
    for socket in wired:
        if not (socket.has_place and socket.remote):
            continue
        others = waiting[socket.wire_protocol, socket.remote, socket.local]
        if others:
            yield socket.number, others.popleft()
        else:
            here = socket.wire_protocol, socket.local, socket.remote
            waiting[here].append(socket.number)


def _unix_pairs(trace: Trace, sockets: Sequence[SocketFacts]) -> Iterator[_Pair]:
    """connect() and accept() in the order of the listening socket's queue.

    Where a path could not be read, and only one socket of the step listens, it is that one.
    """
    listeners = [socket for socket in sockets if socket.listening_ns is not None]
    queues: dict[int, deque[int]] = defaultdict(deque)
    for socket in _in_order_of_connecting(trace, sockets):
        listener = _listener_of(trace, socket, listeners)
        if listener is not None:
            queues[listener.number].append(socket.number)
    accepted = [s for s in sockets if s.accepted_ns is not None and s.listener is not None]
    for socket in sorted(accepted, key=lambda socket: socket.accepted_ns or 0):
        queue = queues[-1 if socket.listener is None else socket.listener]
        if queue:
            yield socket.number, queue.popleft()


def _in_order_of_connecting(trace: Trace, sockets: Iterable[SocketFacts]) -> list[SocketFacts]:
    """The stream and packet sockets that connected.

    In order of return: where the queue was full, one has waited.
    """
    connected = [
        (call.exit_ns or call.entry_ns, socket.number, socket)
        for socket in sockets
        if socket.connect is not None and socket.type != SOCK_DGRAM
        for call in [trace.syscalls[socket.connect]]
        if socket.remote or call.result == 0
    ]
    return [socket for _, _, socket in sorted(connected, key=itemgetter(0, 1))]


def _listener_of(
    trace: Trace, socket: SocketFacts, listeners: list[SocketFacts]
) -> SocketFacts | None:
    """The last one that listened at that name when the call was made."""
    assert socket.connect is not None, "only sockets that connected are asked about"
    call = trace.syscalls[socket.connect]
    end_ns = call.entry_ns if call.exit_ns is None else call.exit_ns
    if not socket.remote:
        return listeners[0] if len(listeners) == 1 else None
    found = [
        listener
        for listener in listeners
        if (listener.listening_ns or 0) <= end_ns and takes(listener.local, socket.remote)
    ]
    return max(found, key=lambda listener: listener.listening_ns or 0, default=None)
