"""Everything a step of a run shows, in order: what is judged and reported on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.analysis.bracket import Bracket
    from lab.analysis.crossing import Crossing
    from lab.analysis.flow import Flow
    from lab.analysis.tcp import TcpConversation
    from lab.analysis.transcript import Call
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
    calls: dict[str, tuple[Call, ...]]
    """By program."""
    sockets: tuple[SocketSeen, ...]
