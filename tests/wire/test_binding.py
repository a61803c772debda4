"""Which link a rule is about, and whose frames on it."""

from __future__ import annotations

import pytest

from lab.errors import PointedError
from lab.wire.binding import bound

PAIR = [(("client", "eth0"), ("server", "eth0"))]
STAR = [
    (("h1", "eth0"), ("switch", "eth0")),
    (("h2", "eth0"), ("switch", "eth1")),
    (("h1", "eth1"), ("h2", "eth1")),
    (("h1", "eth2"), ("h2", "eth2")),
    (("web-1", "eth0"), ("switch", "eth2")),
]
ONE, OTHER, BOTH = frozenset({0}), frozenset({1}), frozenset({0, 1})


@pytest.mark.parametrize(
    ("way", "links", "place", "sides"),
    [
        ("client>server", PAIR, 0, ONE),
        ("server>client", PAIR, 0, OTHER),
        ("client-server", PAIR, 0, BOTH),
        ("server-client", PAIR, 0, BOTH),
        ("switch>h2", STAR, 1, OTHER),
        ("h1/eth1>h2/eth1", STAR, 2, ONE),
        ("h2/eth2-h1/eth2", STAR, 3, BOTH),
        ("h1>switch/eth0", STAR, 0, ONE),
        ("web-1>switch", STAR, 4, ONE),
        ("switch-web-1", STAR, 4, BOTH),
    ],
)
def test_a_link_is_found(
    way: str,
    links: list[tuple[tuple[str, str], tuple[str, str]]],
    place: int,
    sides: frozenset[int],
) -> None:
    ((number, rule, found),) = bound([f"{way} drop"], links)
    assert (number, rule.way.text, found) == (place, way, sides)


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("client>serve", "'client>serve': no link of the network; those are client-server"),
        ("client>client", "no link"),
        ("client/eth1>server", "no link"),
    ],
)
def test_no_link(way: str, why: str) -> None:
    with pytest.raises(PointedError, match=why):
        bound([f"{way} drop"], PAIR)


def test_two_links_between_the_same_hosts_need_their_interfaces() -> None:
    with pytest.raises(PointedError) as raised:
        bound(["h1>h2 drop"], STAR)
    text = str(raised.value)
    assert "'h1>h2': more than one link of the network" in text
    assert "h1/eth1-h2/eth1, h1/eth2-h2/eth2" in text
    assert "h2-switch" in text
