"""What a word of a session's line may be completed to."""

from __future__ import annotations

from lab.frozen import frozen
from lab.shell.grammar import COMMANDS, Names


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
    return Candidates()
