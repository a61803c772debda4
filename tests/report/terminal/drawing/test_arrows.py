from __future__ import annotations

from dataclasses import replace

import pytest
from transcript import converse

from lab.analysis.story import phases
from lab.ladder.capture import capture_ladder
from lab.ladder.frames import part_of
from lab.ladder.model import FrameRow, Part, TransferRow
from lab.model.event import EventId, EventKind
from lab.report.terminal.drawing.arrows import (
    below,
    draw_arrow,
    draw_transfer,
    rest_of,
    with_more_on_it,
)
from lab.report.terminal.drawing.style import Style

TALK = """
0.001 client > server SYN seq=100 win=1000 mss=1460 ws=7
0.002 server > client SYN,ACK seq=900 ack=101 win=1000 mss=1460 ws=7
"""
PRETTY, ASCII = Style(80, ascii_only=False), Style(80, ascii_only=True)


READ = EventId(EventKind.SYSTEM_CALL, 1, "server")


def arrows(part: Part, delay_ns: int = 2_000_000) -> list[FrameRow]:
    """The two segments, or that part of them, with that time on their way."""
    talk = converse(TALK)
    ladder = capture_ladder(talk.flow, talk, phases([], [talk]))
    rows = [row for row in ladder.rows if isinstance(row, FrameRow)]
    late = [replace(row, received_ns=(row.sent_ns or 0) + delay_ns) for row in rows]
    return [part_of(row, part, row.time_ns, False) for row in late]


def transfer(source: int, target: int, moved: int) -> TransferRow:
    return TransferRow(source, target, READ, (), moved)


def test_the_halves_of_an_arrow_to_the_right() -> None:
    syn, _ = arrows(Part.START)
    assert draw_arrow(syn, 40, PRETTY) == "─SYN seq=0 win=1000──────────┄┄┄┄┄┄┄┄┄┄┄"
    syn, _ = arrows(Part.END)
    assert draw_arrow(syn, 40, PRETTY) == "┄+2.000 ms┄┄┄┄┄┄┄┄┄┄SYN seq=0 win=1000─▶"


def test_the_halves_of_an_arrow_to_the_left() -> None:
    _, answer = arrows(Part.START)
    assert draw_arrow(answer, 40, ASCII) == "......-----SYN ACK seq=0 ack=1 win=1000-"
    _, answer = arrows(Part.END)
    assert draw_arrow(answer, 44, ASCII) == "<-SYN ACK seq=0 ack=1 win=1000....+2.000 ms."


@pytest.mark.parametrize("wire", [30, 36, 40, 80])
@pytest.mark.parametrize("style", [PRETTY, ASCII])
def test_halves_are_as_wide_as_the_wire(wire: int, style: Style) -> None:
    for part in Part:
        for row in arrows(part, 9_345_678_000):
            assert len(draw_arrow(row, wire, style)) == wire


def test_a_narrow_arrow_leaves_out_the_delay_and_says_below_what_its_label_left_out() -> None:
    syn, answer = arrows(Part.END)
    assert draw_arrow(syn, 20, PRETTY) == "┄┄┄┄┄┄SYN seq=0...─▶"
    assert rest_of(answer, 20, PRETTY) == "... ack=1 win=1000"


def test_what_a_segment_says_is_on_its_arrow_or_below_it_and_never_cut() -> None:
    syn, _ = arrows(Part.WHOLE)
    saying = replace(syn, details=(), says="DNS query 0x0007 A a.")
    on_it = with_more_on_it(saying, 60, PRETTY)
    assert on_it.text == "SYN seq=0 win=1000 DNS query 0x0007 A a."
    assert list(below(on_it, 60)) == []
    narrow = with_more_on_it(saying, 40, PRETTY)
    assert narrow.text == "SYN seq=0 win=1000"
    assert list(below(narrow, 40)) == ["DNS query 0x0007 A a."]


def test_a_payload_is_cut_where_its_room_ends() -> None:
    (row, _) = arrows(Part.WHOLE)
    assert list(below(replace(row, details=(), payload=b"x" * 99), 20)) == ["'" + "x" * 16 + "..."]
    assert list(below(replace(row, details=(), payload=b"x" * 18), 20)) == [f"'{'x' * 18}'"]


@pytest.mark.parametrize("columns", [58, 66, 100])
def test_an_arrow_points_to_the_reader_and_fills_its_room(columns: int) -> None:
    right = draw_transfer(transfer(0, 1, 12), columns, PRETTY)
    left = draw_transfer(transfer(1, 0, 1), columns, PRETTY)
    assert len(right) == len(left) == columns
    assert right.startswith("·") and right.endswith("·▶") and "transfer, 12 bytes " in right
    assert left.startswith("◀·") and left.endswith("·") and "local transfer, 1 byte " in left


def test_within_one_lane_there_is_no_arrow() -> None:
    for lane in (0, 1):
        assert draw_transfer(transfer(lane, lane, 2), 60, PRETTY) == "·· local transfer, 2 bytes ··"
