"""Everything a step of a run shows, in order: what is judged and reported on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.correlate.correlation import Correlation, Dropped
    from lab.analysis.flows.bracket import Bracket
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.order.events import Order
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.states import StateSeen
    from lab.analysis.sockets.unix_queues import QueueSeen
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.records import ProgramRun, Recording, SocketSeen


@dataclass(frozen=True, slots=True)
class Timeline:
    """One step of a recording, understood."""

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
    queues: tuple[QueueSeen, ...]
    """What was left to read in unix sockets."""
    order: Order
    correlation: Correlation
    sockets: tuple[SocketSeen, ...]
    """Unix sockets, seen while a program waited for that."""

    @property
    def failures(self) -> tuple[str, ...]:
        """The programs that failed or disturbed the run, a sentence each."""
        failed = (f"program {run.name} {run.failure}" for run in self.programs if run.failure)
        found = (str(each) for each in self.recording.disturbances if each.step == self.step)
        return (*failed, *found)
