"""Which connection a socket's state is of."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.calls.address import socket_address
from lab.analysis.flows.flow import ends_seen
from lab.analysis.sockets.flow_ends import is_a_side
from lab.model.event import EventId, EventKind
from lab.records import Obtained

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.flows.flow import Flow
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.flow_ends import FlowSide
    from lab.model.address import SocketAddress
    from lab.records import SocketState

_FIRST_OLD = ("CLOSE", "LISTEN")
"""What a socket's first change is from. Its name may have been another's before."""

_Ends = tuple["SocketAddress | None", "SocketAddress | None"]
"""A socket's own address and its peer's."""


class StateSeen(NamedTuple):
    """A socket's state, and whose it is."""

    id: EventId
    state: SocketState
    side: FlowSide | None
    """None where it is no flow's: a listening socket's."""
    owner: str
    """The endpoint's id; "" where it is no traced program's, or none had it yet."""


def select_states(
    states: Sequence[SocketState],
    owners: Iterable[str],
    flows: Iterable[Flow],
    endpoints: Iterable[Endpoint],
) -> tuple[StateSeen, ...]:
    """The states of a step's sockets, in order of time: those of its endpoints and flows.

    `owners` are the endpoints' ids in the states' order, "" if unknown.
    """
    if not states:
        return ()
    ordered = sorted(zip(states, owners, strict=True), key=lambda each: each[0].time_ns)
    by_id = {flow.id: flow for flow in flows}
    sides: dict[str, FlowSide] = {}
    for endpoint in endpoints:
        if endpoint.flow is not None and endpoint.flow in by_id:
            is_a = is_a_side(endpoint, by_id[endpoint.flow])
            sides[endpoint.id] = endpoint.flow, is_a
    by_address = find_state_sides([state for state, _ in ordered], by_id.values())
    known = (
        (state, sides.get(owner, side), owner)
        for (state, owner), side in zip(ordered, by_address, strict=True)
    )
    seen = (each for each in known if each[1] is not None or each[2])
    return tuple(
        StateSeen(EventId(EventKind.STATE, number), *each) for number, each in enumerate(seen, 1)
    )


def find_state_sides(
    states: Sequence[SocketState], flows: Iterable[Flow]
) -> tuple[FlowSide | None, ...]:
    """For each state, in order of time, the side of a TCP flow that has its addresses."""
    by_ends: dict[_Ends, list[tuple[int, FlowSide]]] = {}
    for flow in flows:
        if flow.protocol == "tcp":
            began_ns, id = flow.crossings[0].time_ns, flow.id
            a_seen, b_seen = ends_seen(flow)
            for near, far in ((flow.a, b_seen), (flow.b, a_seen)):
                found = by_ends.setdefault((near, far), [])
                found.append((began_ns, (id, near is flow.a)))
    return tuple(
        _side_at(by_ends.get(ends, []), state)
        for state, ends in zip(states, _ends(states), strict=True)
    )


def _side_at(began: Sequence[tuple[int, FlowSide]], state: SocketState) -> FlowSide | None:
    """The flow at that time, of those between the same two ends; SYN_SENT precedes its flow."""
    if len(began) < 2:
        return began[0][1] if began else None
    at = bisect_right([time_ns for time_ns, _ in began], state.time_ns)
    is_ahead = state.new == "SYN_SENT" and state.obtained is Obtained.MEASURED
    place = at if is_ahead else at - 1
    return began[place][1] if 0 <= place < len(began) else None


def _ends(states: Sequence[SocketState]) -> list[_Ends]:
    """Both addresses of each state.

    The kernel reports CLOSE -> SYN_SENT before the socket has a port, and LISTEN -> SYN_RECV
    while the new socket has its listener's addresses: both get those of the state that follows.
    """
    following: dict[str, _Ends] = {}
    found: list[_Ends] = []
    for state in reversed(states):
        ends = (
            socket_address(state.local_address, state.local_port),
            socket_address(state.remote_address, state.remote_port),
        )
        if not state.local_port or not state.remote_port:
            ends = following.get(state.socket, ends)
        if state.old in _FIRST_OLD:
            following.pop(state.socket, None)
        else:
            following[state.socket] = ends
        found.append(ends)
    return found[::-1]
