from __future__ import annotations

import pytest
import traced_runs as t
from event_ids import event

from lab.report.terminal.sides import sides_of
from lab.report.terminal.style import Style
from lab.report.terminal.through_kernel import Passage, draw_passage, passages_of

STYLE = Style(80, ascii_only=False)


def test_a_read_passes_what_it_returned_from_its_writers_side() -> None:
    timeline = t.unix_talk()
    assert passages_of(timeline, sides_of(timeline)) == {
        event("server#1"): Passage(7, from_right=False, to_right=True),
        event("client#2"): Passage(1, from_right=True, to_right=False),
    }


def test_what_a_wire_carried_is_no_passage() -> None:
    assert passages_of(t.talk(), sides_of(t.talk())) == {}


@pytest.mark.parametrize("columns", [58, 66, 100])
def test_an_arrow_points_to_the_reader_and_fills_its_room(columns: int) -> None:
    right = draw_passage(Passage(12, False, True), columns, STYLE)
    left = draw_passage(Passage(1, True, False), columns, STYLE)
    assert len(right) == len(left) == columns
    assert right.startswith("·") and right.endswith("·▶") and "12 bytes through" in right
    assert left.startswith("◀·") and left.endswith("·") and "1 byte through" in left


def test_within_one_side_there_is_no_arrow() -> None:
    left = draw_passage(Passage(2, False, False), 60, STYLE)
    right = draw_passage(Passage(2, True, True), 60, STYLE)
    assert left == "·· 2 bytes through the kernel ··"
    assert right == left.rjust(60)
