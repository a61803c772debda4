"""The observations of one step, indexed so that one can be looked up by another."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING

from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.sockets.flow_ends import find_sides
from lab.analysis.sockets.socket_calls import SocketCalls
from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Dropped
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.flows.strikes import Struck
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.flow_ends import FlowSide
    from lab.analysis.sockets.states import StateSeen
    from lab.analysis.sockets.unix_queues import QueueSeen
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.model.event import EventId
    from lab.records import HeldSocket, TaskEvent


@frozen
class Evidence:
    """A step's calls, frames and kernel events, by each other; see gather_evidence."""

    crossings: Mapping[EventId, Crossing]
    flows: tuple[Flow, ...]
    conversations: Mapping[FlowId, TcpConversation]
    system_calls: tuple[SystemCall, ...]
    """In order of entry."""
    calls: SocketCalls
    """The same by socket."""
    endpoints: Mapping[str, Endpoint]
    sides: Mapping[FlowSide, Endpoint]
    states: tuple[StateSeen, ...]
    queues: tuple[QueueSeen, ...]
    drops: tuple[Dropped, ...]
    struck: tuple[Struck, ...]
    held: tuple[HeldSocket, ...]
    """Sockets as their kernels held them at moments of the step."""
    exits: Mapping[str, tuple[tuple[int, int], ...]]
    """By program when its processes ended, in order of time, and their pids."""

    def tcp_ends(self) -> Iterator[tuple[TcpConversation, bool, Endpoint]]:
        """The TCP connections' ends that are traced programs' sockets, and whether the client's."""
        for (flow, is_client), endpoint in self.sides.items():
            conversation = self.conversations.get(flow)
            if conversation is not None:
                yield conversation, is_client, endpoint

    def host_of(self, state: StateSeen) -> str:
        """The host of the socket whose state it is."""
        if state.owner in self.endpoints:
            return self.endpoints[state.owner].host
        if state.side is None:
            return ""
        flow = self.conversations[state.side[0]].flow
        first = flow.crossings[0]
        ends = transport_endpoints(first.packet)
        a_sent = ends is not None and ends[0] == flow.a
        return first.sender if a_sent == state.side[1] else first.receiver

    def ended(self, program: str, after_ns: int, before_ns: int) -> list[int]:
        """Pids of a program's processes that ended between two times."""
        exits = self.exits.get(program, ())
        at = bisect_left(exits, (after_ns, 0))
        return [pid for _, pid in exits[at : bisect_left(exits, (before_ns, 0))]]

    def arrival_ns(self, frame: EventId | None) -> int | None:
        """When a frame arrived; None where it was not seen arriving, or there is none."""
        return None if frame is None else self.crossings[frame].received_ns

    def departure_ns(self, frame: EventId | None) -> int | None:
        """When a frame left; None where it was not seen leaving, or there is none."""
        return None if frame is None else self.crossings[frame].sent_ns


def gather_evidence(
    *,
    crossings: Iterable[Crossing] = (),
    flows: Iterable[Flow] = (),
    conversations: Iterable[TcpConversation] = (),
    system_calls: Iterable[SystemCall] = (),
    endpoints: Iterable[Endpoint] = (),
    states: Iterable[StateSeen] = (),
    queues: Iterable[QueueSeen] = (),
    drops: Iterable[Dropped] = (),
    struck: Iterable[Struck] = (),
    held: Iterable[HeldSocket] = (),
    tasks: Iterable[TaskEvent] = (),
) -> Evidence:
    """Everything that was observed in one step, collected from its parts."""
    flows, system_calls = tuple(flows), tuple(system_calls)
    by_id = {endpoint.id: endpoint for endpoint in endpoints}
    return Evidence(
        crossings=MappingProxyType({crossing.id: crossing for crossing in crossings}),
        flows=flows,
        conversations=MappingProxyType({each.flow.id: each for each in conversations}),
        system_calls=system_calls,
        calls=SocketCalls(system_calls),
        endpoints=MappingProxyType(by_id),
        sides=MappingProxyType(find_sides(flows, by_id.values())),
        states=tuple(states),
        queues=tuple(queues),
        drops=tuple(drops),
        struck=tuple(struck),
        held=tuple(held),
        exits=MappingProxyType(_exits(tasks)),
    )


def _exits(tasks: Iterable[TaskEvent]) -> dict[str, tuple[tuple[int, int], ...]]:
    """By program when processes ended, not threads, and their pids."""
    exits: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for task in sorted(tasks, key=lambda task: task.time_ns):
        if task.kind == "exit" and task.tid == task.pid:
            exits[task.program].append((task.time_ns, task.pid))
    return {program: tuple(ended) for program, ended in exits.items()}
