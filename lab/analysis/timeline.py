"""Everything a run shows, in order: what claims are judged by and reports are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.analysis.bracket import Bracket
    from lab.analysis.crossing import Crossing
    from lab.analysis.flow import Flow
    from lab.analysis.tcp import TcpConversation
    from lab.analysis.transcript import Call
    from lab.records import Recording


@dataclass(frozen=True, slots=True)
class Timeline:
    """A recording, understood."""

    recording: Recording
    bracket: Bracket
    crossings: tuple[Crossing, ...]
    flows: tuple[Flow, ...]
    conversations: tuple[TcpConversation, ...]
    """One for each TCP flow, in the same order."""
    calls: dict[str, tuple[Call, ...]]
    """By program."""
