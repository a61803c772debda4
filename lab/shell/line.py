"""A line of a session as words, each at its place, with quotes as a shell has them.

Source: POSIX.1-2017, Shell Command Language, 2.2 and 2.3.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lab.errors import PointedError

# What is quoted, what is escaped, and all else that neither parts words nor is an operator.
_WORD = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|&;<>()])+""")
_OPERATOR = re.compile(r"[|&;<>()]+")
_SINGLE = re.compile(r"'[^']*'|\\.")
_DOUBLE = re.compile(r'"(?:\\.|[^"\\])*"')
_EXPANDS = re.compile(r"[$`]")
_EXPANDS_UNQUOTED = re.compile(r"[$`*?]|^~|^#")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


class LineWord(NamedTuple):
    """A word or an operator, as it is written."""

    text: str
    start: int
    """Where it begins in the line, from 0."""
    is_operator: bool = False

    @property
    def end(self) -> int:
        """Where it ends: the place behind its last character."""
        return self.start + len(self.text)


def words_of(line: str) -> list[LineWord]:
    """The line's words and operators. Raises PointedError for a quote that is not closed."""
    found: list[LineWord] = []
    place = 0
    while place < len(line):
        if line[place].isspace():
            place += 1
        elif match := _OPERATOR.match(line, place):
            found.append(LineWord(match[0], place, True))
            place = match.end()
        elif match := _WORD.match(line, place):
            found.append(LineWord(match[0], place))
            place = match.end()
        else:
            what = "nothing follows it" if line[place] == "\\" else "this quote is not closed"
            raise fault(line, place, place + 1, what)
    return found


def needs_shell(words: list[LineWord]) -> bool:
    """Whether a command means more than its words: operators, variables, patterns."""
    return any(_is_special(word, is_first=not number) for number, word in enumerate(words))


def _is_special(word: LineWord, *, is_first: bool) -> bool:
    if word.is_operator or (is_first and _ASSIGNMENT.match(word.text)):
        return True
    text = _SINGLE.sub("''", word.text)
    if any(_EXPANDS.search(part) for part in _DOUBLE.findall(text)):
        return True
    return bool(_EXPANDS_UNQUOTED.search(_DOUBLE.sub('""', text)))


def fault(line: str, start: int, end: int, what: str) -> PointedError:
    """The error about that part of the line."""
    return PointedError(f"column {start + 1}", what, line, start, end)
