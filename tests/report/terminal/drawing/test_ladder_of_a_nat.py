"""A recorded run of two clients behind a NAT: each link has its arrow, and the NAT's in words."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.ladder.build import build_ladder
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.run_ladder import draw_run_ladder

GOLDEN = Path(__file__).parent / "nat"
SAME_PORT, UNSOLICITED = range(2)


@cache
def timelines_of(name: str) -> tuple[Timeline, ...]:
    return build_timelines(r.recording_of(name))


def drawn(name: str, step: int, width: int) -> str:
    timeline = timelines_of(name)[step]
    lines = draw_run_ladder(timeline, build_ladder(timeline), Style(width, ascii_only=False))
    return "".join(line.plain.rstrip() + "\n" for line in lines)


@pytest.mark.parametrize(
    ("name", "step", "width"),
    [
        ("nat4", SAME_PORT, 120),
        ("nat4", UNSOLICITED, 120),
        ("nat4", UNSOLICITED, 80),
        ("nat6", UNSOLICITED, 160),
    ],
)
def test_a_nat_reads_as_it_did(name: str, step: int, width: int, tmp_path: Path) -> None:
    text = drawn(name, step, width)
    file = f"{timelines_of(name)[step].step}-{name}-{width}.txt"
    actual = tmp_path / file
    actual.write_text(text, "utf-8")
    golden = GOLDEN / file
    assert text == golden.read_text("utf-8"), f"if that is meant, copy {actual} to {golden}"


@pytest.mark.parametrize("name", ["nat4", "nat6"])
@pytest.mark.parametrize("width", [100, 120])
def test_no_line_is_wider_than_the_page(name: str, width: int) -> None:
    for step in (SAME_PORT, UNSOLICITED):
        assert max(map(len, drawn(name, step, width).splitlines())) <= width
