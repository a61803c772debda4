from __future__ import annotations

import pytest

from lab.shell.completion import Candidates, candidates
from lab.shell.grammar import COMMANDS, Names

NAMES = Names(("h1", "h2", "s1"), {"h1": "192.0.2.1", "h2": "192.0.2.2"}, {})


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", Candidates((*COMMANDS, "h1", "h2", "s1"))),
        ("  ", Candidates((*COMMANDS, "h1", "h2", "s1"))),
        ("h1 ", Candidates(programs=True, files=True)),
        ("s1 ip ", Candidates(("h1", "h2"), files=True)),
        ("h1 ping -c1 ", Candidates(("h1", "h2"), files=True)),
        ("jobs ", Candidates()),
        ("nonsense ", Candidates()),
    ],
)
def test_what_may_follow(before: str, expected: Candidates) -> None:
    assert candidates(before, NAMES) == expected
