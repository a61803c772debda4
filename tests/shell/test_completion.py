from __future__ import annotations

import pytest

from lab.shell.completion import Candidates, candidates
from lab.shell.grammar import COMMANDS, Names
from lab.wire.grammar import ACTIONS

LINKS = ((("h1", "eth0"), ("s1", "eth0")), (("h2", "eth0"), ("s1", "eth1")))
NAMES = Names(("h1", "h2", "s1"), {"h1": "192.0.2.1", "h2": "192.0.2.2"}, {}, LINKS)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", Candidates((*COMMANDS, "h1", "h2", "s1"))),
        ("  ", Candidates((*COMMANDS, "h1", "h2", "s1"))),
        ("h1 ", Candidates(programs=True, files=True)),
        ("s1 ip ", Candidates(("h1", "h2"), files=True)),
        ("h1 ping -c1 ", Candidates(("h1", "h2"), files=True)),
        (
            "wire ",
            Candidates(("h1-s1", "h1>s1", "s1>h1", "h2-s1", "h2>s1", "s1>h2")),
        ),
        ("wire h1-s1 ", Candidates((*ACTIONS, "off"))),
        ("link ", Candidates(("h1-s1", "h2-s1"))),
        ("link h1-s1 ", Candidates(("down", "up"))),
        ("jobs ", Candidates()),
        ("nonsense ", Candidates()),
    ],
)
def test_what_may_follow(before: str, expected: Candidates) -> None:
    assert candidates(before, NAMES) == expected


def test_a_match_may_follow_an_action() -> None:
    assert {"SYN", "retransmission", "every"} <= set(candidates("wire h1>s1 drop ", NAMES).words)


def test_links_that_join_the_same_hosts_have_their_interfaces_names() -> None:
    links = ((("a", "eth0"), ("b", "eth0")), (("a", "eth1"), ("b", "eth1")))
    names = Names(("a", "b"), {}, {}, links)
    assert candidates("link ", names).words == ("a/eth0-b/eth0", "a/eth1-b/eth1")
