from __future__ import annotations

import pytest

from lab.analysis.select.frame_numbers import parse_frame_numbers
from lab.errors import PointedError


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3", {3}),
        ("3-5", {3, 4, 5}),
        ("5-5", {5}),
        ("8-", {8, 9}),
        ("1,3-4,9-", {1, 3, 4, 9}),
        ("4-6,5-7", {4, 5, 6, 7}),
        ("999999999999", set()),
    ],
)
def test_ranges_have_both_their_ends(text: str, numbers: set[int]) -> None:
    found = parse_frame_numbers(text)
    assert {number for number in range(1, 10) if number in found} == numbers


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", ""), ("0", "0"), ("0-3", "0-3"), ("-3", "-3"), ("3,x,5", "x"), ("1,5-3", "5-3"),
        ("1,,2", ""), ("1,", ""), ("1-2-3", "1-2-3"), ("\u0663", "\u0663"), ("1 ", "1 "),
        ("9" * 13, "9" * 13),
    ],
)  # fmt: skip
def test_what_is_no_number_is_pointed_at(text: str, wrong: str) -> None:
    with pytest.raises(PointedError) as refused:
        parse_frame_numbers(text)
    assert text[refused.value.start : refused.value.end] == wrong
    assert str(refused.value).startswith("--frames: ")
