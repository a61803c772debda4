from __future__ import annotations

import pytest
from rich.text import Text

from lab.model.event import EventId, EventKind
from lab.report.terminal.lanes import CLOSING, MOMENTARY, OPENING, Board, Gutter
from lab.report.terminal.style import Style

PRETTY = Style(80, ascii_only=False)
A, B, C, D, E = (EventId(EventKind.SYSTEM_CALL, number, "client") for number in range(1, 6))


def drawn(gutter: Gutter, *events: tuple[EventId, int] | None) -> list[str]:
    """The gutter on line after line; None is a line of something else."""
    return [gutter.draw(*event) if event else gutter.draw() for event in events]


def test_a_call_is_a_bracket_from_its_entry_to_its_exit() -> None:
    lines = drawn(Gutter(1, False), None, (A, OPENING), None, (A, CLOSING), None)
    assert lines == ["  ", "┌ ", "│ ", "└ ", "  "]


def test_on_the_right_brackets_are_mirrored() -> None:
    lines = drawn(Gutter(1, True), (A, OPENING), None, (A, CLOSING), (B, MOMENTARY))
    assert lines == [" ┐", " │", " ┘", " ╴"]


def test_calls_that_are_open_at_once_have_a_column_each() -> None:
    gutter = Gutter(3, False)
    assert drawn(
        gutter,
        (A, OPENING),
        (B, OPENING),
        (C, MOMENTARY),
        (A, CLOSING),
        None,
        (D, OPENING),
        (B, CLOSING),
    ) == ["┌── ", "│┌─ ", "││╶ ", "└┼─ ", " │  ", "┌┼─ ", "│└─ "]


def test_the_mirror_image_crosses_columns_too() -> None:
    gutter = Gutter(2, True)
    assert drawn(gutter, (A, OPENING), (B, OPENING), (A, CLOSING)) == [" ─┐", " ┐│", " ┼┘"]


def test_more_than_three_are_counted() -> None:
    gutter = Gutter(5, False)
    for call in (A, B, C):
        gutter.draw(call, OPENING)
    assert drawn(gutter, (D, OPENING), (E, OPENING), None, (D, CLOSING), None) == [
        "│││+1┌ ",
        "│││+2┌ ",
        "│││+2  ",
        "│││+2└ ",
        "│││+1  ",
    ]
    assert gutter.width == 7


@pytest.mark.parametrize("mirrored", [True, False])
def test_every_line_of_a_gutter_is_as_wide(mirrored: bool) -> None:
    gutter = Gutter(12, mirrored)
    calls = [EventId(EventKind.SYSTEM_CALL, number, "client") for number in range(12)]
    lines = drawn(gutter, *((c, OPENING) for c in calls), None, *((c, CLOSING) for c in calls))
    assert {len(line) for line in lines} == {gutter.width}


def test_a_side_without_calls_takes_no_room() -> None:
    gutter = Gutter(0, True)
    assert (gutter.width, gutter.draw()) == (0, "")


def test_a_board_keeps_both_edges_in_their_place() -> None:
    board = Board(PRETTY, Gutter(1, False), Gutter(2, True), 1000)
    lines = [
        board.call_line(Text("open"), A, OPENING, False, 1000, False),
        board.call_line(Text("there"), B, OPENING, True, 2_500_000, True),
        board.line(Text("x")),
    ]
    assert [line.plain for line in lines] == [
        "    0.000 ┌ open" + " " * 64,
        "   ∥2.499 │" + " " * 61 + "there ─┐",
        "          │ x" + " " * 66 + "│",
    ]


@pytest.mark.parametrize("time_ns", [0, 99_999_999_000, 99_999_999_000_000, 10**18, -(10**18)])
def test_a_concurrent_events_time_takes_no_more_room(time_ns: int) -> None:
    board = Board(PRETTY, Gutter(0, False), Gutter(0, True), 0)
    (line,) = [board.line(Text("x"), time_ns, is_concurrent=True).plain]
    assert len(line) == 80
    assert line[:10].strip().startswith("∥") and line[9:11] == " x"
