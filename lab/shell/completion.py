"""What a word of a session's line may be completed to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.frozen import frozen
from lab.shell.grammar import COMMANDS, Names
from lab.wire.grammar import ACTIONS
from lab.wire.rule import Term


@frozen
class Candidates:
    """What may stand at a place of a line."""

    words: tuple[str, ...] = ()
    programs: bool = False
    """Whether a program's name may, too."""
    files: bool = False
    """Whether a file's name may, too."""


def candidates(before: str, names: Names) -> Candidates:
    """What may follow these words of a line."""
    words = before.split()
    if not words:
        return Candidates((*COMMANDS, *names.hosts))
    if words[0] in names.hosts:
        if len(words) == 1:
            return Candidates(programs=True, files=True)
        return Candidates(tuple(names.addresses), files=True)
    if words[0] == "wire":
        return Candidates(_of_rule(words[1:], names))
    if words[0] == "link":
        return Candidates(tuple(ways_of(names, "-")) if len(words) == 1 else ("down", "up"))
    return Candidates()


def ways_of(names: Names, signs: str) -> Iterator[str]:
    """The links' names in rules: client-server, client>server, server>client."""
    for one, other in names.links:
        same = sum({a[0], b[0]} == {one[0], other[0]} for a, b in names.links)
        first, second = (end[0] if same == 1 else "/".join(end) for end in (one, other))
        for sign in signs:
            yield f"{first}{sign}{second}"
            if sign == ">":
                yield f"{second}>{first}"


def _of_rule(words: Sequence[str], names: Names) -> tuple[str, ...]:
    if not words:
        return tuple(ways_of(names, "->"))
    if len(words) == 1:
        return (*ACTIONS, "off")
    return (*(term.value for term in Term), "every", "from")
