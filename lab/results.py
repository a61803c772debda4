"""What the composer gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.expect.expectations import Expectations
from lab.frozen import frozen
from lab.model.claim import Judgement, Outcome

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.select.selection import Selection
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline
    from lab.expect.subject import Subject
    from lab.ladder.model import Ladder
    from lab.model.family import Family
    from lab.model.lesson import Lesson
    from lab.model.scenario import Scenario
    from lab.model.table import Table
    from lab.pcap.capture import CaptureFile
    from lab.records import Recording


@dataclass(frozen=True)
class Result(Expectations):
    """A judged run, of which something can be expected (docs/expect.md)."""

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

    def subjects(self) -> tuple[Subject, ...]:
        """Its steps."""
        from lab.expect.subject import subjects_of_run

        return subjects_of_run(self.timelines)

    def in_step(self, name: str) -> Result:
        """One step of it, of which something can be expected by itself.

        Raises UsageError for one that it does not have.
        """
        found = tuple(timeline for timeline in self.timelines if timeline.step == name)
        if not found:
            steps = ", ".join(timeline.step for timeline in self.timelines)
            raise UsageError(f"the run has no step {name!r}; it has {steps}")
        part = replace(self, timelines=found)
        part.__dict__["_expected"] = self.expected  # what is expected of a part is of the whole
        return part

    def drawn(self) -> tuple[Sequence[Ladder], Sequence[Timeline], Sequence[str]]:
        """Its ladders, its steps, and the files that are in its folder, or how to get them."""
        from shlex import quote

        capture, page = self.folder / "recording.pcapng", self.folder / "report.html"
        said = []
        if capture.exists():
            said.append(f"capture: {capture}")
        if page.exists():
            said.append(f"report: {page}")
        elif capture.exists():
            said.append(f"report: `wirelab report {quote(str(self.folder))}` writes it")
        return self.ladders, self.timelines, said

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


class Capture(Expectations):
    """A capture file from anywhere, of which something can be expected (docs/expect.md).

    Its crossings have their frames' numbers in the file, as Wireshark has them.
    """

    def __init__(self, shown: Shown) -> None:
        self.shown = shown

    def subjects(self) -> tuple[Subject, ...]:
        """The file."""
        from lab.expect.subject import subject_of_file

        shown = self.shown
        broken = shown.capture.broken
        return (subject_of_file(shown.crossings, shown.flows, shown.conversations, broken),)

    def drawn(self) -> tuple[Sequence[Ladder], Sequence[Timeline], Sequence[str]]:
        """A ladder of each flow, and the file's name."""
        return self.ladders, (), [f"capture: {self.shown.capture.name}"]

    @cached_property
    def ladders(self) -> tuple[Ladder, ...]:
        """One for each flow, to be drawn, with the frames' numbers in the file."""
        from lab.analysis.flow_summary import frames_of
        from lab.analysis.story import phases
        from lab.ladder.capture import capture_ladder

        talk_of = {talk.flow.id: talk for talk in self.shown.conversations}
        ladders = []
        for flow in self.shown.flows:
            talk = talk_of.get(flow.id)
            phase_of = phases(frames_of(flow), (talk,) if talk else ())
            names = {number: f"f{number}" for number in phase_of}
            ladders.append(capture_ladder(flow, talk, phase_of, names))
        return tuple(ladders)


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
