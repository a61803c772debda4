"""How a page begins: what was asked, what the run decided, and how it was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from lab.analysis.key_logs import about_secrets
from lab.model.claim import Judgement, Outcome
from lab.model.counted import counted
from lab.report.terminal.drawing.style import OUTCOME_COLOURS, OUTCOME_COLUMNS, Style

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.model.lesson import Lesson
    from lab.records import RanAs

MOST_EVENTS = 5
"""As many events are named as what an answer rests on."""


def draw_opening(
    title: str,
    lesson: Lesson | None,
    judgements: Sequence[Judgement],
    failures: Sequence[str],
    style: Style,
) -> Iterator[Text]:
    """The title, the question, the verdict, the programs that failed, the answer."""
    for line in style.wrap(title, style.width):
        yield Text(line, "bold")
    if lesson is not None:
        yield from _entry("Question", lesson.question, style)
        yield from _entry("Predict", lesson.predict, style)
        yield from _entry("Look at", lesson.look, style)
    yield draw_verdict(judgements, style)
    if lesson is not None:
        yield from _entry("Answer", _answer(lesson, judgements), style)
    for failure in failures:
        for line in style.wrap(failure, style.width - 2, "  "):
            yield Text(f"  {line}", "bold red")


def draw_verdict(judgements: Sequence[Judgement], style: Style) -> Text:
    """The worst outcome, and how many claims came out how."""
    counts = Counter(judgement.verdict.outcome for judgement in judgements)
    worse = (Outcome.BROKEN, Outcome.UNDECIDED, Outcome.HOLDS)
    outcome = next((each for each in worse if counts[each]), Outcome.SKIPPED)
    line = Text.assemble((f"{outcome.value:<{OUTCOME_COLUMNS}}", OUTCOME_COLOURS[outcome]))
    outcomes = ", ".join(f"{counts[each]} {each.value}" for each in Outcome if counts[each])
    line.append(style.safe(f"{counted(len(judgements), 'claim')}: {outcomes or 'none'}"))
    return line


def draw_evidence(timelines: Sequence[Timeline], style: Style) -> Iterator[Text]:
    """How complete the recording is, by which instruments, as whom the programs ran."""
    recording = timelines[0].recording
    brackets = [timeline.bracket for timeline in timelines]
    seen = (
        f"{counted(sum(len(b.frames) for b in brackets), 'frame')} at "
        f"{counted(len(recording.points), 'point')}, "
        f"{brackets[0].dropped} dropped, {sum(b.canaries_seen for b in brackets)} of "
        f"{sum(b.canaries_sent for b in brackets)} canaries seen"
    )
    facts = (
        seen,
        *map(str, recording.instruments),
        *(f"sysctl of {each}" for each in recording.sysctls),
        *_ran_as(recording.ran_as),
    )
    for fact in facts:
        for line in style.wrap(fact, style.width - 2, "  "):
            yield Text(f"  {line}", "dim")


def draw_power(timelines: Sequence[Timeline], style: Style) -> Iterator[Text]:
    """As whom the programs ran, where that was root: a user wants to know it unasked."""
    who = timelines[0].recording.ran_as
    for fact in _ran_as(who) if who is not None and who.uid == 0 else ():
        for line in style.wrap(fact, style.width - 2, "  "):
            yield Text(f"  {line}", "dim")


def draw_secrets(timelines: Sequence[Timeline], style: Style) -> Iterator[Text]:
    """That secrets are in the files: whoever passes these on has to know it unasked."""
    for fact in about_secrets(timelines[0].recording.key_logs):
        for line in style.wrap(fact, style.width - 2, "  "):
            yield Text(f"  {line}", "dim")


def draw_warnings(timelines: Sequence[Timeline], style: Style) -> Iterator[Text]:
    """What makes a recording less than whole."""
    recording = timelines[0].recording
    incomplete = dict.fromkeys(r for timeline in timelines for r in timeline.bracket.incomplete)
    facts = [
        *((f"INCOMPLETE CAPTURE: {reason}", "bold red") for reason in incomplete),
        *((f"still open at the end: {line}", "bold yellow") for line in recording.unfinished),
    ]
    for fact, colour in facts:
        for line in style.wrap(fact, style.width - 2, "  "):
            yield Text(f"  {line}", colour)


def _entry(name: str, text: str, style: Style, colour: str = "") -> Iterator[Text]:
    first, *others = style.wrap(text, style.width - OUTCOME_COLUMNS)
    yield Text.assemble((f"{name:<{OUTCOME_COLUMNS}}", "bold blue"), (first, colour))
    for more in others:
        yield Text(" " * OUTCOME_COLUMNS + more, colour)


def _answer(lesson: Lesson, judgements: Sequence[Judgement]) -> str:
    """The answer with the events that show it; else the claim that this run does not show."""
    checks = [claim.check for claim in lesson.claims]
    deciding = [j for check in checks for j in judgements if j.claim.check == check]
    for judgement in deciding:
        if judgement.verdict.outcome is not Outcome.HOLDS:
            outcome, why = judgement.verdict.outcome.value, judgement.verdict.why
            return f"not shown by this run. {outcome}: {judgement.text} {why}"
    events = dict.fromkeys(str(e) for j in deciding for e in j.verdict.evidence)
    shown = [*events][:MOST_EVENTS]
    more = " ..." if len(events) > len(shown) else ""
    return f"{lesson.answer} [{' '.join(shown)}{more}]"


def _ran_as(who: RanAs | None) -> Iterator[str]:
    """As whom the programs ran, where that was not the lab itself, and what they were allowed."""
    if who is None:
        return
    *others, last = who.capabilities or ("no capability",)
    names = f"{', '.join(others)} and {last}" if others else last
    files = "with the host's files as they are"
    if not who.host_files:
        files = f"writing to {', '.join(who.writable) or 'no folder of the host'}"
    sockets = f"; unix sockets {', '.join(who.sockets)}" if who.sockets else ""
    yield f"programs ran as {who.user} (uid {who.uid}) with {names}, {files}{sockets}"
