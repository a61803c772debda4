from __future__ import annotations

import pytest

from lab.errors import PointedError
from lab.shell.line import LineWord, needs_shell, words_of


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  a  bc ", ["a", "bc"]),
        ("a 'b c' d", ["a", "'b c'", "d"]),
        ('a "b \\" c"', ["a", '"b \\" c"']),
        (r"a\ b c", [r"a\ b", "c"]),
        ("a&&b|c", ["a", "&&", "b", "|", "c"]),
        ("a '&' &", ["a", "'&'", "&"]),
    ],
)
def test_a_line_is_parted_as_by_a_shell(line: str, words: list[str]) -> None:
    found = words_of(line)
    assert [word.text for word in found] == words
    assert [line[word.start : word.end] for word in found] == words


def test_an_operator_is_none_where_it_is_quoted() -> None:
    assert words_of("'&' &") == [LineWord("'&'", 0), LineWord("&", 4, is_operator=True)]


@pytest.mark.parametrize(("line", "place"), [("a 'b", 2), ('a "b c', 2), ("ab 'c' 'd", 7)])
def test_a_quote_that_is_not_closed_is_pointed_at(line: str, place: int) -> None:
    with pytest.raises(PointedError, match="not closed") as caught:
        words_of(line)
    assert caught.value.start == place


def test_a_backslash_needs_what_follows_it() -> None:
    with pytest.raises(PointedError, match="nothing follows it"):
        words_of("a \\")


@pytest.mark.parametrize(
    "line",
    [
        "ping -c1 h2 | head -1",
        "echo $HOME",
        'echo "$HOME"',
        "echo `id`",
        'echo "`id`"',
        "ls *.py",
        "X=1 env",
        "cat < /etc/hosts",
        "a; b",
        "ls ~",
    ],
)
def test_a_command_that_needs_a_shell(line: str) -> None:
    assert needs_shell(words_of(line))


@pytest.mark.parametrize(
    "line",
    [
        "ping -c1 h2",
        "echo '$HOME' '*' '|'",
        'echo "a | b" "*"',
        r"echo \$HOME",
        "curl http://[2001:db8::1]:80/",
        "env X=1",
        "a~b c#d",
    ],
)
def test_a_command_that_needs_none(line: str) -> None:
    assert not needs_shell(words_of(line))
