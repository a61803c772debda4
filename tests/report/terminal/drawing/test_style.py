from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lab.report.terminal.drawing.style import Style

UTF8, ASCII = Style(80, ascii_only=False), Style(80, ascii_only=True)
HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b2J",
    "bell\a back\b\b del\x7f",
    "line\nfeed\r return\ttab\v\f",
    "nul\0",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
    "\u2028\u2029\x85",
    "\udc1b surrogate",
    "zero\u200bwidth \ufeff",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_a_terminal_would_obey_is_shown_as_its_number(text: str) -> None:
    for style in (UTF8, ASCII):
        shown = style.safe(text)
        assert shown.isprintable()
        assert "\\x" in shown


def test_plain_text_stays_as_it_is() -> None:
    assert UTF8.safe("send(3, 'ä漢😀')") == "send(3, 'ä漢😀')"
    assert ASCII.safe("send(3, b'\\x00')") == "send(3, b'\\x00')"


def test_ascii_shows_other_characters_as_their_numbers() -> None:
    assert ASCII.safe("ä漢😀") == "\\xe4\\u6f22\\U0001f600"


def test_an_ascii_page_draws_with_ascii() -> None:
    drawn = (ASCII.line, ASCII.left, ASCII.right, ASCII.lost)
    assert drawn == ("-", "<", ">", "x")
    assert (UTF8.line, UTF8.left, UTF8.right, UTF8.lost) == ("─", "◀", "▶", "✗")


def test_a_heading_is_as_wide_as_the_page() -> None:
    assert ASCII.heading("Claims").plain == "-- Claims " + "-" * 70
    assert len(ASCII.heading("x" * 200).plain) == 80
    assert ASCII.heading("x" * 200).plain.endswith("x... --")


def test_a_text_that_fits_is_not_cut() -> None:
    assert UTF8.cut("x" * 80, 80) == "x" * 80
    assert UTF8.cut("x" * 81, 80) == "x" * 77 + "..."


def test_of_a_narrow_column_as_much_is_left_as_it_has_room_for() -> None:
    assert [UTF8.cut("abcdef", columns) for columns in range(6)] == [
        "", "a", "a.", "a..", "a...", "ab...",
    ]  # fmt: skip


def test_a_wrapped_text_begins_its_other_lines_with_the_indent() -> None:
    assert UTF8.wrap("one two three", 9, "  ") == ["one two", "  three"]
    assert UTF8.wrap("", 9) == [""]


@examples(150)
@given(st.text(max_size=80), st.integers(8, 40), st.booleans())
def test_no_text_is_wider_than_asked_or_hides_a_control_character(
    text: str, columns: int, ascii_only: bool
) -> None:
    style = Style(80, ascii_only)
    for line in [*style.wrap(text, columns, "  "), style.cut(text, columns)]:
        assert cell_len(line) <= columns
        assert line.isprintable()
        assert line.isascii() or not ascii_only
