from __future__ import annotations

import pytest

from lab.report.svg.visible import cut, visible, visible_bytes, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('plain <b> & "quoted" ✗ é', 'plain <b> & "quoted" ✗ é'),
        ("a\0b\x1b[2J\n", "a\\x00b\\x1b[2J\\x0a"),
        ("exe\u202etxt\u2066", "exe\\u202etxt\\u2066"),
        ("\ud800\U000e0001", "\\ud800\\U000e0001"),
        ("\u2028", "\\u2028"),
    ],
)
def test_what_cannot_be_seen_is_shown_by_its_number(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_bytes_are_shown_as_python_has_them() -> None:
    assert visible_bytes(b"Hello\n\0", 10) == r"'Hello\n\x00'"
    assert visible_bytes(b"Hello", 4) == "'Hell'..."


def test_a_cut_text_is_as_long_as_there_is_room() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 4) == "abc…"


def test_lines_stay_lines() -> None:
    assert visible_lines("a\n\x1b[2J\r\n") == "a\n\\x1b[2J\\x0d\n"
