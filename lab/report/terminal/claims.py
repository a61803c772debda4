"""Claims and their verdicts: in full and in brief, and how a page ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from lab.model.claim import Judgement, Outcome
from lab.model.counted import counted
from lab.report.terminal.drawing.style import OUTCOME_COLOURS, OUTCOME_COLUMNS, Style
from lab.report.terminal.opening import draw_verdict

if TYPE_CHECKING:
    from lab.model.event import EventId

INDENT = " " * OUTCOME_COLUMNS


def draw_claims(judgements: Iterable[Judgement], style: Style) -> Iterator[Text]:
    """Each claim with its statements, its reason, its source and its evidence."""
    for judgement in judgements:
        claim, verdict = judgement.claim, judgement.verdict
        statements = f" [{' '.join(claim.statements)}]" if claim.statements else ""
        yield from _sentence(judgement, judgement.text + statements, style)
        room = style.width - OUTCOME_COLUMNS
        for more in style.wrap(verdict.why, room):
            yield Text(INDENT + more)
        trail = f"{claim.source}. Seen in: {_shortened(verdict.evidence)}"
        for more in style.wrap(trail, room):
            yield Text(INDENT + more, "dim")


def draw_claims_briefly(judgements: Iterable[Judgement], style: Style) -> Iterator[Text]:
    """Each claim's sentence; of one that does not hold its reason as well."""
    room = style.width - OUTCOME_COLUMNS
    for judgement in judgements:
        yield from _sentence(judgement, judgement.text, style)
        if judgement.verdict.outcome is not Outcome.HOLDS:
            for more in style.wrap(judgement.verdict.why, room):
                yield Text(INDENT + more, "dim")


def draw_summary(
    title: str, judgements: Sequence[Judgement], style: Style, failures: Iterable[str] = ()
) -> Iterator[Text]:
    """A run in a few lines: its title, programs that failed, each claim with its verdict."""
    yield style.heading(title)
    for failure in failures:
        for piece in style.wrap(failure, style.width):
            yield Text(piece, "bold red")
    yield from draw_claims_briefly(judgements, style)


def draw_quietly(
    title: str, judgements: Sequence[Judgement], failures: Sequence[str], style: Style
) -> Iterator[Text]:
    """The verdict alone, in one line with the run's title; the programs that failed below it."""
    line = draw_verdict(judgements, style)
    room = style.width - line.cell_len - 2
    if room > len("tcp"):
        line.append(f"  {style.cut(title, room)}", "dim")
    yield line
    for failure in failures:
        for piece in style.wrap(failure, style.width - OUTCOME_COLUMNS):
            yield Text(INDENT + piece, "bold red")


def draw_total(judgements: Sequence[Judgement], runs: int, took_s: float, style: Style) -> Text:
    """What came of several runs: "HOLDS 204 claims: 199 HOLDS, 5 SKIPPED, in 15 runs, 21 s"."""
    line = draw_verdict(judgements, style)
    line.append(f", in {counted(runs, 'run')}, {took_s:.0f} s")
    return line


def draw_closing(folder: Path, note: str, replay: str, style: Style) -> Iterator[Text]:
    """The last lines: where the artifacts are, and what to do with them.

    `replay` is the command that judges the run again; it is never wrapped, to be copied whole.
    """
    yield Text(style.safe(f"Artifacts: {folder}"))
    if note:
        yield Text(style.safe(f"  {note}"), "yellow")
    yield Text(style.safe(f"Judge it again: {replay}"), "dim")


def _sentence(judgement: Judgement, text: str, style: Style) -> Iterator[Text]:
    first, *rest = style.wrap(text, style.width - OUTCOME_COLUMNS)
    yield _line(judgement, first)
    for more in rest:
        yield Text(INDENT + more, _weight(judgement))


def _line(judgement: Judgement, text: str) -> Text:
    outcome = judgement.verdict.outcome
    name = (f"{outcome.value:<{OUTCOME_COLUMNS}}", OUTCOME_COLOURS[outcome])
    return Text.assemble(name, (text, _weight(judgement)))


def _weight(judgement: Judgement) -> str:
    """A claim that holds is what one expects."""
    return "" if judgement.verdict.outcome is Outcome.HOLDS else "bold"


def _shortened(evidence: tuple[EventId, ...], most: int = 8) -> str:
    """Event ids; the report.json has them all."""
    shown = ", ".join(map(str, evidence[:most]))
    left = len(evidence) - most
    return (shown or "no event") + (f" and {left} more" if left > 0 else "")
