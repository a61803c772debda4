from __future__ import annotations

import pytest

from lab.model.event import EventId, EventKind
from lab.report.terminal.drawing.board import (
    CLOSING,
    FEWEST_COLUMNS,
    MOMENTARY,
    OPENING,
    Board,
    Gutter,
    Stamp,
    elapsed,
)
from lab.report.terminal.drawing.style import Style

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
    board = Board(PRETTY, [Gutter(1, False), Gutter(2, True)], 1000)
    there = " " * 60 + "there"
    lines = [
        board.line([("open", "")], stamp=Stamp(1000, False, 0, A, OPENING)),
        board.line([(there, "")], stamp=Stamp(2_500_000, True, 1, B, OPENING)),
        board.line([("x", "")]),
    ]
    assert [line.plain for line in lines] == [
        "    0.000 ┌ open" + " " * 64,
        "   ∥2.499 │" + " " * 61 + "there ─┐",
        "          │ x" + " " * 66 + "│",
    ]


@pytest.mark.parametrize("time_ns", [0, 99_999_999_000, 99_999_999_000_000, 10**18, -(10**18)])
def test_a_concurrent_events_time_takes_no_more_room(time_ns: int) -> None:
    board = Board(PRETTY, [Gutter(0, False), Gutter(0, True)], 0)
    (line,) = [board.line([("x", "")], stamp=Stamp(time_ns, is_concurrent=True)).plain]
    assert len(line) == 80
    assert line[:10].strip().startswith("∥") and line[9:11] == " x"


def three(width: int = 80) -> Board:
    gutters = [
        Gutter(1, False, has_line=True),
        Gutter(2, False, is_inner=True, has_line=True),
        Gutter(0, True, has_line=True),
    ]
    return Board(Style(width, ascii_only=False), gutters, 0)


def test_each_of_three_lanes_has_its_line_and_a_field() -> None:
    board = three()
    lines = [
        board.line([("first", "")], stamp=Stamp(0, False, 0, A, OPENING)),
        board.line([("second", "")], (1, 1), Stamp(None, False, 1, B, OPENING)),
        board.line([("over both", "")], (0, 1)),
    ]
    assert [len(line.plain) for line in lines] == [80, 80, 80]
    assert lines[0].plain.split() == ["0.000", "┌", "first", "┊", "┊"]
    assert lines[1].plain.split() == ["│", "┌─", "second", "┊"]
    assert lines[2].plain.split() == ["│", "over", "both", "┊"]


def test_a_text_takes_the_next_field_too_where_no_call_is_open_between() -> None:
    board = three()
    assert board.free_fields(0, 20) == (0, 0)
    assert board.free_fields(0, 50) == (0, 1)
    assert board.free_fields(2, 50) == (0, 1)
    board.line(stamp=Stamp(None, False, 1, B, OPENING))
    assert board.free_fields(0, 50) == (0, 0)
    assert board.free_fields(2, 50) == (1, 1)
    board.line(stamp=Stamp(None, False, 1, B, CLOSING))
    assert board.free_fields(1, 50) == (1, 1)
    assert board.free_fields(2, 50) == (0, 1)


def test_an_arrow_that_passes_a_lane_crosses_its_open_calls() -> None:
    board = three()
    board.line(stamp=Stamp(None, False, 1, B, OPENING))
    columns = board.columns(0, 1)
    crossed = board.crossed("─" * columns, 0, 1)
    assert len(crossed) == columns and crossed.count("┼") == 1
    at = board.fields[0] + 1
    assert crossed[at] == "┼" and board.line().plain[10 + board.gutters[0].width + at] == "│"


def test_a_page_too_narrow_for_its_lanes_gets_wider() -> None:
    gutters = [Gutter(0, n == 8, is_inner=0 < n < 8, has_line=True) for n in range(9)]
    board = Board(PRETTY, gutters, 0)
    assert set(board.fields) == {FEWEST_COLUMNS}
    assert len(board.line().plain) > 80


@pytest.mark.parametrize(
    ("time_ns", "shown"),
    [
        (0, "0.000"),
        (1_234_567, "1.235"),
        (99_999_999_000_000, "99999999"),
        (99_999_999_000, "99999.999"),
        (10**18, "1.0e+12"),
        (-5_000_000, "-5.000"),
        (-(10**18), "-1.0e+12"),
    ],
)
def test_any_elapsed_time_fits_into_nine_columns(time_ns: int, shown: str) -> None:
    assert elapsed(time_ns + 7, 7) == shown
