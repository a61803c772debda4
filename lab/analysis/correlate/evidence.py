"""What instruments saw of one step, put so that one can be looked up by the other."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.sockets.flow_ends import find_sides
from lab.analysis.sockets.socket_calls import SocketCalls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Dropped
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.states import StateSeen
    from lab.analysis.sockets.unix_queues import QueueSeen
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.model.event import EventId
    from lab.records import TaskEvent


class Evidence:
    """A step's calls, frames and kernel events, by each other."""

    __slots__ = (
        "_exits", "calls", "conversations", "crossings", "drops", "endpoints", "flows",
        "queues", "sides", "states", "system_calls",
    )  # fmt: skip

    def __init__(
        self,
        crossings: Sequence[Crossing],
        flows: Sequence[Flow],
        conversations: Sequence[TcpConversation],
        drops: Sequence[Dropped] = (),
        tasks: Iterable[TaskEvent] = (),
    ) -> None:
        self.crossings = {crossing.id: crossing for crossing in crossings}
        self.flows = flows
        self.conversations = {each.flow.id: each for each in conversations}
        self.drops = drops
        self._exits: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for task in sorted(tasks, key=lambda task: task.time_ns):
            if task.kind == "exit" and task.tid == task.pid:
                self._exits[task.program].append((task.time_ns, task.pid))
        self.add_calls((), (), ())

    def add_calls(
        self,
        calls: Sequence[SystemCall],
        endpoints: Iterable[Endpoint],
        states: Sequence[StateSeen],
        queues: Sequence[QueueSeen] = (),
    ) -> None:
        """What the programs did, which is decoded by the help of what is known of the wire."""
        self.system_calls = calls
        self.calls = SocketCalls(calls)
        self.endpoints = {endpoint.id: endpoint for endpoint in endpoints}
        self.sides = find_sides(self.flows, self.endpoints.values())
        self.states = states
        self.queues = queues

    def tcp_ends(self) -> Iterator[tuple[TcpConversation, bool, Endpoint]]:
        """The ends of TCP connections that are traced programs': of which, whether its client's."""
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
        exits = self._exits.get(program, [])
        at = bisect_left(exits, (after_ns, 0))
        return [pid for _, pid in exits[at : bisect_left(exits, (before_ns, 0))]]

    def arrival_ns(self, frame: EventId | None) -> int | None:
        """When a frame arrived; None where it was not seen arriving, or there is none."""
        return None if frame is None else self.crossings[frame].received_ns

    def departure_ns(self, frame: EventId | None) -> int | None:
        """When a frame left; None where it was not seen leaving, or there is none."""
        return None if frame is None else self.crossings[frame].sent_ns
