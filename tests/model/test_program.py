from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.model.program import Program

WORDS = {"python": "/usr/bin/python3", "server": "198.51.100.2", "family": "4"}


def expanded(*argv: str) -> tuple[str, ...]:
    return Program("p", "client", argv).expanded(WORDS).argv


def test_words_are_replaced_wherever_they_are() -> None:
    assert expanded("{python}", "-4", "[{server}]:80", "{family}{family}") == (
        "/usr/bin/python3",
        "-4",
        "[198.51.100.2]:80",
        "44",
    )


def test_doubled_braces_are_braces() -> None:
    assert expanded("{{server}}") == ("{server}",)


def test_all_else_stays_as_it_was() -> None:
    program = Program("p", "client", ("{python}",), signals_ready=True, deadline_s=2.5)
    done = program.expanded(WORDS)
    assert done == Program("p", "client", ("/usr/bin/python3",), True, 2.5)


@pytest.mark.parametrize(
    "argument",
    ["{srever}", "{}", "{0}", "{server", "server}", "{server.x}", "{server[x]}", "{server[99]}",
     "{server:d}", "{server!z}"],
)  # fmt: skip
def test_an_unknown_word_is_the_authors_mistake(argument: str) -> None:
    with pytest.raises(UsageError, match="program p: unknown word") as error:
        expanded("{python}", argument)
    assert repr(argument) in str(error.value)
