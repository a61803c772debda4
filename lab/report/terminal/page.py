"""The report for a terminal: question and verdict, ladder, claims."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from lab.frozen import frozen
from lab.ladder.brief import MOST_ROWS, brief
from lab.ladder.steps import SameFrames, frames_beside, has_frames, likenesses
from lab.report.terminal.claims import draw_claims, draw_claims_briefly
from lab.report.terminal.drawing.causes import draw_causes, draw_causes_briefly
from lab.report.terminal.drawing.style import MIN_COLUMNS, USUAL_COLUMNS, Style
from lab.report.terminal.opening import (
    draw_evidence,
    draw_opening,
    draw_power,
    draw_secrets,
    draw_warnings,
)
from lab.report.terminal.programs import draw_failed, draw_programs, draw_sockets
from lab.report.terminal.run_ladder import draw_brief_ladder, draw_run_ladder
from lab.report.terminal.source import draw_source
from lab.report.terminal.tables import draw_counters, draw_held, draw_table

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.ladder.model import Ladder
    from lab.model.claim import Judgement
    from lab.model.lesson import Lesson
    from lab.model.table import Table

PAGE_LINES = 115
"""As many a brief page has at most, unless its first ladder has more with FEWEST_ROWS."""
FEWEST_ROWS = 30


class _Console(Console):
    """rich's console, which would exit with status 1 where its reader has gone."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command line. rich calls this while it handles the error."""
        raise BrokenPipeError


class Page:
    """A place to print to: a terminal, a pipe or a file.

    As wide as the terminal, but at least 60 columns; 80 where there is none and COLUMNS does not
    say otherwise. Colour is rich's to decide, for a pager as for the terminal behind it; with
    NO_COLOR there is no bold either.
    """

    def __init__(self, file: TextIO | None = None, ascii_only: bool = False) -> None:
        is_paged = file is not None and file is not sys.stdout and sys.stdout.isatty()
        file = file or sys.stdout
        encoding = (file.encoding or "ascii").lower()
        ascii_only = ascii_only or not encoding.startswith("utf")
        self._console = _Console(
            file=file,
            highlight=False,
            emoji=False,
            markup=False,
            force_terminal=True if is_paged else None,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
        )
        width = max(MIN_COLUMNS, self._console.width or USUAL_COLUMNS)
        self._console.width = width  # with COLUMNS=0 rich would print nothing
        self.style = Style(width, ascii_only)

    def print(self, lines: Iterable[Text]) -> None:
        """Print lines as they are, neither wrapped nor cropped, but without blanks at their end."""
        console = self._console
        is_plain = console.color_system is None
        for line in lines:
            line.rstrip()
            if is_plain and "\t" not in line.plain:
                # What rich prints as well where nothing is coloured, in a twentieth of the time.
                console.file.write(f"{line.plain}\n")
                continue
            console.print(line, no_wrap=True, overflow="ignore", crop=False)


@frozen
class About:
    """What a page about a run shows beside its timelines and verdicts."""

    title: str
    lesson: Lesson | None = None
    table: Table | None = None


def draw_brief(
    timelines: Sequence[Timeline],
    ladders: Sequence[Ladder],
    judgements: Sequence[Judgement],
    about: About,
    style: Style,
) -> Iterator[Text]:
    """A run as a person reads it: question, verdict, answer, ladders, causes, claims.

    Of several steps a table says what each put on the wire. Ladders are drawn as far as they are
    new and the page is no longer than it may be.
    """
    failures = [failure for timeline in timelines for failure in timeline.failures]
    before = [
        *draw_opening(about.title, about.lesson, judgements, failures, style),
        *draw_power(timelines, style),
        *draw_secrets(timelines, style),
        *draw_warnings(timelines, style),
        *(line for timeline in timelines for line in draw_failed(timeline, style)),
    ]
    if about.table is not None:
        before += [Text(), *draw_table(about.table, style)]
    claims = [
        *draw_causes_briefly(timelines, style),
        style.heading("Claims"),
        *draw_claims_briefly(judgements, style),
    ]
    is_several = len(timelines) > 1
    room = PAGE_LINES - len(before) - len(claims) - (len(timelines) + 1) * is_several
    drawn = [
        _drawn(ladder, timeline.step if is_several else "", room, style)
        for timeline, ladder in zip(timelines, ladders, strict=True)
    ]
    like = likenesses(ladders)
    if about.table is not None:  # it stands for what went over no wire
        drawn = [
            lines if frames else []
            for lines, frames in zip(drawn, map(has_frames, ladders), strict=True)
        ]
    chosen = list(_chosen(drawn, like, room))
    yield from before
    if is_several:
        yield Text()
        yield from _draw_steps(timelines, ladders, like, chosen, style)
    for number in chosen:
        yield from drawn[number]
    yield from claims


def draw_report(
    timelines: Sequence[Timeline],
    ladders: Sequence[Ladder],
    judgements: Sequence[Judgement],
    about: About,
    style: Style,
) -> Iterator[Text]:
    """All of one run: its steps in order, with their programs and ladders; the claims in full."""
    failures = [failure for timeline in timelines for failure in timeline.failures]
    yield from draw_opening(about.title, about.lesson, judgements, failures, style)
    yield from draw_evidence(timelines, style)
    yield from draw_secrets(timelines, style)
    yield from draw_warnings(timelines, style)
    if about.table is not None:
        yield Text()
        yield from draw_table(about.table, style)
    explained: set[str] = set()
    for timeline, ladder in zip(timelines, ladders, strict=True):
        if len(timelines) > 1:
            yield Text()
            yield style.banner(timeline.step)
        yield from draw_programs(timeline, style)
        yield from draw_sockets(timeline, style)
        yield from draw_run_ladder(timeline, ladder, style, explained)
        yield from draw_causes(timeline, style)
        yield from draw_source(timeline, style)
        yield from draw_held(timeline, style)
        yield from draw_counters(timeline, style)
    yield Text()
    yield style.heading("Claims")
    yield from draw_claims(judgements, style)


def _drawn(ladder: Ladder, title: str, room: int, style: Style) -> list[Text]:
    """The ladder in as many lines, or in those of FEWEST_ROWS where that is more."""
    most = MOST_ROWS
    while True:
        shorter = brief(ladder, most)
        lines = list(draw_brief_ladder(shorter, style, title))
        if len(lines) <= room or most <= FEWEST_ROWS:
            return lines
        most = max(FEWEST_ROWS, min(most - 1, len(shorter.rows) * room // len(lines)))


def _chosen(
    drawn: Sequence[Sequence[Text]], like: Sequence[SameFrames | None], room: int
) -> Iterator[int]:
    """The steps whose ladders are drawn: the first, and what is new and has room beside it."""
    for number, (lines, likeness) in enumerate(zip(drawn, like, strict=True)):
        if lines and likeness is None and (number == 0 or len(lines) <= room):
            yield number
            room -= len(lines)


def _draw_steps(
    timelines: Sequence[Timeline],
    ladders: Sequence[Ladder],
    like: Sequence[SameFrames | None],
    chosen: Sequence[int],
    style: Style,
) -> Iterator[Text]:
    """A line for each step: what it put on the wire, and why its ladder is not below."""
    names = [timeline.step for timeline in timelines]
    wide = max(map(len, names))
    for number, (timeline, ladder, likeness) in enumerate(
        zip(timelines, ladders, like, strict=True)
    ):
        text = frames_beside(ladder, likeness, names)
        if likeness is None and number not in chosen and ladder.rows:
            text += "; -v draws it"
        first, *others = style.wrap(text, style.width - wide - 2)
        line = Text(f"{style.safe(timeline.step):<{wide}}  ", "bold blue")
        line.append(first)
        yield line
        for more in others:
            yield Text(" " * (wide + 2) + more)
