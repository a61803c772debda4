from __future__ import annotations

import pytest

from lab.expect.values import at_least, at_most, contains, is_as_expected, shown, starts_with


@pytest.mark.parametrize(
    ("expected", "actual", "is_so"),
    [
        (3, 3, True),
        (3, 4, False),
        (range(2, 4), 3, True),
        (range(2, 4), 4, False),
        ({1, 5}, 5, True),
        ((1, 5), 2, False),
        (at_most(3), 3, True),
        (at_most(3), 4, False),
        (at_least(3), 3, True),
        (at_least(3), 2, False),
        (at_least(3), b"many", False),
        ("ab", b"ab", True),
        (b"ab", b"abc", False),
        (contains("b"), b"abc", True),
        (contains("b"), 7, False),
        (starts_with(b"ab"), b"abc", True),
        (starts_with("b"), b"abc", False),
    ],
)
def test_a_value_is_the_same_one_of_several_or_passes_a_test(
    expected: object, actual: object, is_so: bool
) -> None:
    assert is_as_expected(expected, actual) is is_so


def test_values_are_shown_on_one_line_and_cut() -> None:
    assert shown(range(2, 4)) == "2 to 3"
    assert shown({7, 5}) == "one of 5, 7"
    assert shown(contains("x")) == "contains b'x'"
    assert shown(b"a\nb") == r"b'a\nb'"
    assert len(shown(b"x" * 100)) == 60
