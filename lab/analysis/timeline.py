"""Everything a step of a run shows, in order: what is judged and reported on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lab.syscalls.source import uses_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.analysis.calls.agreement import Agreement
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.correlate.correlation import Correlation, Dropped
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.counters import Counters
    from lab.analysis.flows.bracket import Bracket
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.flows.neighbours import NeighbourWait
    from lab.analysis.flows.strikes import Struck
    from lab.analysis.order.events import Order
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.socket_calls import SocketCalls
    from lab.analysis.sockets.states import StateSeen
    from lab.analysis.sockets.unix_queues import QueueSeen
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.model.event import EventId
    from lab.records import HeldSocket, ProgramRun, Recording, SocketSeen, SourceLine


@dataclass(frozen=True)
class Timeline:
    """One step of a recording, understood.

    What is looked up of each connection is put together once; `dataclasses.replace` forgets it.
    """

    recording: Recording
    step: str
    bracket: Bracket
    crossings: tuple[Crossing, ...]
    flows: tuple[Flow, ...]
    conversations: tuple[TcpConversation, ...]
    """One for each TCP flow, in the same order."""
    programs: tuple[ProgramRun, ...]
    calls: dict[str, tuple[PrintedCall, ...]]
    """By program, as it printed them."""
    system_calls: tuple[SystemCall, ...]
    """In order of entry; those on sockets, pipes, and descriptors that wait for them."""
    endpoints: tuple[Endpoint, ...]
    states: tuple[StateSeen, ...]
    """Changes of TCP states of this step's sockets."""
    drops: tuple[Dropped, ...]
    struck: tuple[Struck, ...]
    """What rules of wires did, in order of time."""
    queues: tuple[QueueSeen, ...]
    """What was left to read in unix sockets."""
    order: Order
    correlation: Correlation
    sockets: tuple[SocketSeen, ...]
    """Unix sockets, seen while a program waited for that."""

    @cached_property
    def opened(self) -> Mapping[FlowId, TcpConversation]:
        """The connections that were opened, by their flows."""
        return {talk.flow.id: talk for talk in self.conversations if talk.handshake is not None}

    @cached_property
    def crossing_of(self) -> Mapping[int, Crossing]:
        """The crossings by their numbers."""
        from lab.analysis.flows.by_number import by_number

        return by_number(self.crossings)

    @cached_property
    def neighbour_waits(self) -> Mapping[int, NeighbourWait]:
        """By the numbers of crossings since when they waited for their neighbours' addresses."""
        from lab.analysis.flows.neighbours import neighbour_waits

        return neighbour_waits(self.crossings)

    @cached_property
    def call_of(self) -> Mapping[EventId, SystemCall]:
        """The system calls by their ids."""
        return {call.id: call for call in self.system_calls}

    @cached_property
    def endpoint_of(self) -> Mapping[str, Endpoint]:
        """The endpoints by their ids."""
        return {endpoint.id: endpoint for endpoint in self.endpoints}

    @cached_property
    def line_of(self) -> Mapping[EventId, SourceLine]:
        """The source lines that made system calls, by the calls' ids, as far as they were noted."""
        lines = self.recording.source_lines
        uses = [use for use in self.recording.line_uses if use.step == self.step]
        found = zip(self.system_calls, uses_of(self.system_calls, uses), strict=True)
        return {call.id: lines[use.line] for call, use in found if use is not None}

    @cached_property
    def agreements(self) -> Mapping[str, Agreement]:
        """What programs printed of their calls beside what was traced; none where nothing was."""
        from lab.analysis.calls.agreement import compare

        traced: dict[str, list[SystemCall]] = {run.name: [] for run in self.programs}
        for call in self.system_calls:
            traced.setdefault(call.program, []).append(call)
        return {
            program: compare(program, printed, traced[program])
            for program, printed in self.calls.items()
            if self.system_calls
        }

    @cached_property
    def socket_calls(self) -> SocketCalls:
        """The system calls by what they do to which socket."""
        from lab.analysis.sockets.socket_calls import SocketCalls

        return SocketCalls(self.system_calls)

    @cached_property
    def evidence(self) -> Evidence:
        """The same, indexed so that one can be looked up by another."""
        from lab.analysis.correlate.evidence import gather_evidence

        return gather_evidence(
            crossings=self.crossings,
            flows=self.flows,
            conversations=self.conversations,
            system_calls=self.system_calls,
            endpoints=self.endpoints,
            states=self.states,
            queues=self.queues,
            drops=self.drops,
            struck=self.struck,
            held=self.held,
            tasks=(task for task in self.recording.trace.tasks if task.step == self.step),
        )

    @cached_property
    def held(self) -> tuple[HeldSocket, ...]:
        """Sockets as their kernels held them at moments of the step, in order of time."""
        from lab.analysis.sockets.held import held_of_step

        return held_of_step(self.recording, self.step)

    def sent_between(self, crossing: Crossing) -> tuple[int, int]:
        """Between which times its host's IP sent a packet, in ns: mostly both are its frame's.

        One that waited for its neighbour's hardware address was sent before its frame left.
        """
        wait, left_ns = self.neighbour_waits.get(crossing.number), crossing.time_ns
        if wait is None:
            return left_ns, left_ns
        return wait.since_ns, wait.since_ns if wait.is_first else left_ns

    def sysctl(self, host: str, name: str) -> str | None:
        """What the run set this sysctl of the host to, as the kernel has it; None: it did not.

        `name` is as the scenario or the command line has it: "net.ipv4.tcp_syn_linear_timeouts".
        """
        found = (each for each in self.recording.sysctls if (each.host, each.name) == (host, name))
        return next((each.value for each in found), None)

    def counters(self, host: str) -> Counters:
        """What the host's kernel counted in this step, by nstat(8)'s names.

        `timeline.counters("client")["TcpExtTCPTimeouts"]` is by how much it changed, or None if
        unknown.
        """
        from lab.analysis.counters import counters_of

        recording = self.recording
        return counters_of(recording.counters, recording.counter_names, self.step, host)

    @property
    def failures(self) -> tuple[str, ...]:
        """The programs that failed or disturbed the run, a sentence each."""
        failed = (f"program {run.name} {run.failure}" for run in self.programs if run.failure)
        found = (str(each) for each in self.recording.disturbances if each.step == self.step)
        return (*failed, *found)
