from __future__ import annotations

from lab.analysis.difference.difference import (
    Aligned,
    Compared,
    Found,
    RunDifference,
    StepDifference,
)
from lab.report.terminal.difference import draw_difference
from lab.report.terminal.drawing.style import Style


def drawn(frames: list[Aligned], claims: tuple[Compared, ...] = ()) -> list[str]:
    step = StepDifference("one", (), tuple(frames), ())
    lines = draw_difference(RunDifference((step,), claims), Style(80, ascii_only=True))
    return [line.plain.rstrip() for line in lines]


def test_what_is_the_same_far_from_a_difference_is_counted() -> None:
    frames = [Aligned(f"f{number}", Found.BOTH) for number in range(9)]
    frames.insert(5, Aligned("new\x1b[2J", Found.SECOND))
    assert drawn(frames)[-8:] == [
        "  frames: 9 the same, 1 in one run alone",
        "    ... 3 the same",
        "    f3",
        "    f4",
        r"  + new\x1b[2J",
        "    f5",
        "    f6",
        "    ... 2 the same",
    ]


def test_only_claims_that_differ_are_listed() -> None:
    claims = (
        Compared("A holds.", "HOLDS", "HOLDS", Found.BOTH),
        Compared("B holds.", "HOLDS", "BROKEN", Found.OTHERWISE),
    )
    said = drawn([], claims)
    assert "  1 verdict the same" in said
    assert any(line.startswith("!= B holds.") and line.endswith("BROKEN") for line in said)
    assert not any("A holds." in line for line in said)


def test_widths_are_kept() -> None:
    claims = (Compared("word " * 60, "HOLDS", "UNDECIDED", Found.OTHERWISE),)
    assert all(len(line) <= 80 for line in drawn([Aligned("x" * 200, Found.FIRST)], claims))
