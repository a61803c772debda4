"""compare.html: the steps of a run beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from lab.analysis.comparison import COMPARED, compare_steps, comparison_rows
from lab.analysis.timeline import Timeline
from lab.ladder.model import Ladder
from lab.model.claim import Judgement, Outcome
from lab.model.counted import counted
from lab.report.html.plain_page import PageSection, plain_page
from lab.report.svg.side_by_side import draw_side_by_side
from lab.scene.build import build_scene


def compare_page(
    timelines: Sequence[Timeline],
    ladders: Sequence[Ladder],
    judgements: Sequence[Judgement],
    *,
    title: str,
    question: str,
    outcome: Outcome,
) -> str:
    """The page: the table, the ladders to one scale, and the claims."""
    columns = compare_steps(timelines)
    rows = [(name, *cells) for name, cells in comparison_rows(columns)]
    panels = [
        (
            timeline.step,
            f"{counted(column.frames, 'frame')}, {column.wire_bytes} bytes on the wire",
            build_scene(ladder),
        )
        for timeline, column, ladder in zip(timelines, columns, ladders, strict=True)
    ]
    claims = [("verdict", "claim", "why")] + [
        (each.verdict.outcome.value, each.text, each.verdict.why) for each in judgements
    ]
    sections = [
        PageSection("What each takes", rows, notes=COMPARED),
        PageSection("The ladders, to one scale", picture=draw_side_by_side(panels)),
        PageSection("Claims", claims),
    ]
    return plain_page(title, question or title, outcome.value, sections)
