"""What the composer gives back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.frozen import frozen
from lab.model.claim import Judgement, Outcome

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.select.selection import Selection
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline
    from lab.ladder.model import Ladder
    from lab.model.family import Family
    from lab.model.lesson import Lesson
    from lab.model.scenario import Scenario
    from lab.model.table import Table
    from lab.pcap.capture import CaptureFile
    from lab.records import Recording


@dataclass(frozen=True)
class Result:
    """A judged run."""

    timelines: tuple[Timeline, ...]
    """One for each step."""
    judgements: tuple[Judgement, ...]
    scenario: str
    title: str
    """What was run, for a heading: "tcp over IPv4: a stream between a client and a server"."""
    judged_by: Scenario
    """The scenario whose claims were judged."""
    folder: Path
    """Where the artifacts are."""
    note: str = ""
    """What is to be said of them."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """What report.json holds."""
        from lab.report.document.report import report_document

        return report_document(self.timelines, self.judgements)

    def fields(self) -> Iterator[tuple[str, object]]:
        """The same field by field, for a run whose document is large."""
        from lab.report.document.report import report_fields

        return report_fields(self.timelines, self.judgements)

    @cached_property
    def ladders(self) -> tuple[Ladder, ...]:
        """One for each step, to be drawn."""
        from lab.ladder.build import build_ladder

        return tuple(map(build_ladder, self.timelines))

    @property
    def ladder(self) -> Ladder:
        """The first step's: the only one of most runs."""
        return self.ladders[0]

    @property
    def heading(self) -> str:
        """The title; "tcp over IPv4" where a question follows it."""
        return self.title if self.lesson is None else run_name(self.scenario, self.family)

    @property
    def family(self) -> Family | None:
        """The IP version; None where the run has none, or both."""
        return self.recording.family

    @property
    def lesson(self) -> Lesson | None:
        """The scenario's question and its answer; None where it has none."""
        return self.judged_by.lesson

    @cached_property
    def table(self) -> Table | None:
        """The scenario's table of this run; None where it has none."""
        make = self.judged_by.table
        return None if make is None else make(*self.timelines)

    @property
    def recording(self) -> Recording:
        """What was observed."""
        return self.timelines[0].recording

    @property
    def outcome(self) -> Outcome:
        """The worst of its claims: BROKEN, then UNDECIDED, then HOLDS; skipped ones hold."""
        from lab.analysis.judging import overall

        return overall(self.judgements)

    @property
    def failures(self) -> tuple[str, ...]:
        """The programs that failed, a sentence each."""
        return tuple(failure for timeline in self.timelines for failure in timeline.failures)


@frozen
class Shown:
    """A capture file, understood as far as it goes."""

    capture: CaptureFile
    crossings: tuple[Crossing, ...]
    flows: tuple[Flow, ...]
    conversations: tuple[TcpConversation, ...]
    packets: tuple[int, ...]
    """The numbers that the crossings' frames have in the file; of one seen twice, the first."""
    canaries: int
    """Frames left out because a lab sent them to itself."""
    selection: Selection | None = None
    """What was asked for, where that was not all: `crossings`, `flows` and `packets` are that."""


def run_name(scenario: str, family: Family | None) -> str:
    """ "tcp over IPv4"."""
    return scenario if family is None else f"{scenario} over IPv{family.value}"


def exit_status(results: Sequence[Result]) -> int:
    """What a command that made these runs exits with: 2 where a program failed, else by verdict."""
    from lab.analysis.judging import overall

    if any(result.failures for result in results):
        return 2
    judgements = [judgement for result in results for judgement in result.judgements]
    return {Outcome.HOLDS: 0, Outcome.BROKEN: 1, Outcome.UNDECIDED: 4}[overall(judgements)]
