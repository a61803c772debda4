"""Which of a step's sockets are the two ends of one connection."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from lab.analysis.sockets.facts import SOCK_DGRAM, takes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.flows.flow import FlowId
    from lab.analysis.sockets.facts import SocketFacts
    from lab.model.address import EndpointAddress
    from lab.records import Trace

_Ends = tuple[str, "EndpointAddress | None", "EndpointAddress | None"]
"""A protocol, a socket's own address and its peer's."""


def match_peers(trace: Trace, facts: dict[int, SocketFacts]) -> None:
    """Puts into `facts` each socket's peer, where that is a socket of the step too."""
    wired = [socket for socket in facts.values() if socket.wire_protocol]
    _match_by_flow(wired)
    _match_by_places(wired)
    _match_unix(trace, [socket for socket in facts.values() if socket.is_unix], facts)


def _join(one: SocketFacts, other: SocketFacts) -> None:
    one.peer, other.peer = other.number, one.number


def _match_by_flow(wired: Iterable[SocketFacts]) -> None:
    ends: dict[FlowId, list[SocketFacts]] = defaultdict(list)
    for socket in wired:
        if socket.flow:
            ends[socket.flow].append(socket)
    for pair in ends.values():
        if len(pair) == 2:
            _join(*pair)


def _match_by_places(wired: Iterable[SocketFacts]) -> None:
    """Connections that no frame showed, such as those of a host with itself."""
    waiting: dict[_Ends, deque[SocketFacts]] = defaultdict(deque)
    for socket in wired:
        if socket.peer is not None or not (socket.has_place and socket.remote):
            continue
        other = waiting[socket.wire_protocol, socket.remote, socket.local]
        if other:
            _join(socket, other.popleft())
        else:
            waiting[socket.wire_protocol, socket.local, socket.remote].append(socket)


def _match_unix(trace: Trace, sockets: list[SocketFacts], facts: dict[int, SocketFacts]) -> None:
    """connect() and accept() in the order of the listening socket's queue.

    Where a path could not be read, and only one socket of the step listens, it is that one.
    """
    listeners = [socket for socket in sockets if socket.listening_ns is not None]
    queues: dict[int, deque[SocketFacts]] = defaultdict(deque)
    for socket in _in_order_of_connecting(trace, sockets):
        listener = _listener_of(trace, socket, listeners)
        if listener is not None:
            queues[listener.number].append(socket)
    accepted = [s for s in sockets if s.accepted_ns is not None and s.listener is not None]
    for socket in sorted(accepted, key=lambda socket: socket.accepted_ns or 0):
        queue = queues[-1 if socket.listener is None else socket.listener]
        if queue:
            _join(socket, queue.popleft())


def _in_order_of_connecting(trace: Trace, sockets: list[SocketFacts]) -> list[SocketFacts]:
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
    return [socket for _, _, socket in sorted(connected)]


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
