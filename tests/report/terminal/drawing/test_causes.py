from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
from rich.cells import cell_len

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.report.terminal.drawing.causes import MOST_CAUSES, draw_causes, draw_causes_briefly
from lab.report.terminal.drawing.style import Style

TIMELINES = build_timelines(s.recording_of("traced-reset4"))


def briefly(*timelines: Timeline, width: int = 80) -> list[str]:
    return [line.plain for line in draw_causes_briefly(timelines, Style(width, ascii_only=False))]


def test_at_first_there_are_three_and_the_step_of_each() -> None:
    page = briefly(*TIMELINES)
    assert page[0].startswith("── What happened, and why (2 causes more with -v) ──")
    steps = [line.split(":")[0].strip() for line in page if line.startswith("  unread: ")]
    assert steps == ["unread"]
    assert sum(line.startswith(("  unread: ", "  crash: ", "  linger: ")) for line in page) == 3
    assert not any("Nobody listens" in line for line in page), "the least surprising of five"
    assert MOST_CAUSES == 3


def test_of_one_step_the_step_is_not_named_and_the_source_is_below() -> None:
    page = briefly(TIMELINES[1])
    assert page[1].startswith("  Nobody listens on 198.51.100.2:4343")
    assert page[-1] == "    RFC 9293, 3.10.7.1; connect(2), ECONNREFUSED"


def test_with_all_of_it_there_is_what_shows_each() -> None:
    page = [line.plain for line in draw_causes(TIMELINES[2], Style(200, ascii_only=False))]
    below = "    reset-half-open: RFC 9293, 3.5.1. Seen in: f20"
    assert page[1].startswith("── What happened, and why ──")
    assert any(line.startswith(below) for line in page)


def test_what_is_only_likely_says_what_would_decide_it() -> None:
    bracket = replace(TIMELINES[0].bracket, incomplete=("lost",))
    page = " ".join(" ".join(briefly(replace(TIMELINES[0], bracket=bracket))).split())
    assert "Likely: server#7" in page
    assert "To decide it: a recording without gaps (lost)" in page


def test_a_run_that_goes_well_has_no_such_heading() -> None:
    (timeline,) = build_timelines(s.recording_of("traced-tcp4"))
    assert briefly(timeline) == []
    assert list(draw_causes(timeline, Style(80, ascii_only=False))) == []


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    assert max(map(cell_len, briefly(*TIMELINES, width=width))) <= width
