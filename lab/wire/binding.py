"""Which link of a network a rule is about, and whose frames on it."""

from __future__ import annotations

from collections.abc import Sequence

from lab.errors import PointedError
from lab.wire.grammar import parse_rule
from lab.wire.rule import Rule, Sense

LinkEnd = tuple[str, str]
"""A host and one of its interfaces."""


def bound(
    texts: Sequence[str], links: Sequence[tuple[LinkEnd, LinkEnd]]
) -> tuple[tuple[int, Rule, frozenset[int]], ...]:
    """The rules that these words are, each with the place of its link and whose frames it is about.

    Raises PointedError.
    """
    found = []
    for text in texts:
        rule = parse_rule(text)
        place, sides = find_link(rule, links)
        found.append((place, rule, sides))
    return tuple(found)


def find_link(rule: Rule, links: Sequence[tuple[LinkEnd, LinkEnd]]) -> tuple[int, frozenset[int]]:
    """The place of the rule's link among these, and whose frames it is about: 0 first, 1 second.

    A rule names hosts, or "host/interface" where two hosts have several links.
    Raises PointedError if there is no such link, or more than one.
    """
    found = [
        (place, sides)
        for place, ends in enumerate(links)
        if (sides := _sides(rule, ends)) is not None
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(link_name(ends, links) for ends in links)
    what = "no link" if not found else "more than one link"
    start = rule.text.index(rule.way.text)
    raise PointedError(
        f"wire rule {rule.text!r}, column {start + 1}",
        f"{what} of the network; those are {known or 'none'}",
        rule.text,
        start,
        start + len(rule.way.text),
    )


def _sides(rule: Rule, ends: tuple[LinkEnd, LinkEnd]) -> frozenset[int] | None:
    for one in _names(ends[0]):
        for other in _names(ends[1]):
            sense = rule.way.sense.value
            if rule.way.text == f"{one}{sense}{other}":
                return frozenset({0, 1} if rule.way.sense is Sense.BOTH else {0})
            if rule.way.text == f"{other}{sense}{one}":
                return frozenset({0, 1} if rule.way.sense is Sense.BOTH else {1})
    return None


def _names(end: LinkEnd) -> tuple[str, str]:
    return end[0], "/".join(end)


def link_name(ends: tuple[LinkEnd, LinkEnd], links: Sequence[tuple[LinkEnd, LinkEnd]]) -> str:
    """A link as a rule names it both ways, one of `links`: "client-server".

    With the interfaces' names where several links join the same hosts.
    """
    hosts = {ends[0][0], ends[1][0]}
    same = sum({one[0], other[0]} == hosts for one, other in links)
    return "-".join(end[0] if same == 1 else "/".join(end) for end in ends)
