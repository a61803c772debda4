r"""A conversation kept as text, and what has changed against it.

A `*` in a line stands for anything, `\*` for itself; a line that begins with `?` may be missing. A
line that begins with `#` is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from lab.expect.expectation import Expectation, met, unmet
from lab.expect.shape import shape_of
from lab.model.claim import Contrast, Verdict, undecided

if TYPE_CHECKING:
    from lab.expect.subject import Subject

OPTIONAL, COMMENT = "?", "#"
_STARS = re.compile(r"(?<!\\)\*")
_SHOWN = 8
"""Of the lines that differ."""


def parse_snapshot(text: str) -> tuple[str, ...]:
    """The lines of a snapshot."""
    lines = (line.rstrip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith(COMMENT))


def merged(shapes: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """What several runs have in common: stars where lines vary, optional lines that some lack."""
    common = tuple(shapes[0])
    for shape in shapes[1:]:
        common = _merged(common, shape)
    return common


def looks_like(snapshot: str, name: str = "snapshot") -> Expectation:
    """The conversation has the shape of this snapshot."""
    wanted = parse_snapshot(snapshot)

    def check(subjects: Sequence[Subject]) -> Verdict:
        shape = shape_of(subjects)
        if not shape:
            return undecided("no connection and no datagram was seen")
        if _matches(wanted, shape):
            return met(f"{len(shape)} lines, as in the snapshot")
        contrasts = list(_contrasts(wanted, shape))
        first = contrasts[0]
        why = f"where the snapshot has {first.expected}, the conversation has {first.actual}"
        return unmet(why, contrasts)

    return Expectation(name, "The conversation has its recorded shape.", "docs/expect.md", check)


def _merged(common: Sequence[str], shape: Sequence[str]) -> tuple[str, ...]:
    bare = [_bare(line) for line in common]
    found: list[str] = []
    matcher = SequenceMatcher(None, list(map(_kind, bare)), list(map(_kind, shape)), autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            pairs = zip(common[first:last], shape[start:end], strict=True)
            found += (_marked(line, _with_stars(_bare(line), other)) for line, other in pairs)
        else:
            found += (_optional(line) for line in common[first:last])
            found += (_optional(line) for line in shape[start:end])
    return tuple(found)


def _kind(line: str) -> str:
    """What of a line tells which item it is: who does what, without numbers and payload."""
    if line.startswith("    "):
        return "payload"
    words = line.split(" ")
    return " ".join(word for word in words[:4] if not word.isdecimal() and word != "*")


def _with_stars(one: str, other: str) -> str:
    """The line with a star for what differs: of a header's line its value, else the words.

    Numbers beside a word that differs are under the star as well: of a time, what is the same in
    two runs is another in the next.
    """
    if _line_matches(one, other):
        return one
    begin, end = _beginning_of(one, other), _end_of(one, other)
    texts = [line[len(begin) : len(line) - len(end)] for line in (one, other)]
    header, colon, _ = texts[0].partition(": ")
    if colon and texts[1].startswith(f"{header}: ") and " " not in header:
        return f"{begin}{header}: *{end}"
    words, others = (text.split(" ") for text in texts)
    most = min(len(words), len(others))
    pairs = list(zip(words, others, strict=False))
    first = next((n for n, (a, b) in enumerate(pairs) if a != b), most)
    backwards = zip(words[::-1], others[::-1], strict=False)
    last = next((n for n, (a, b) in enumerate(backwards) if a != b), most)
    last = min(last, most - first)
    while first and _has_digit(words[first - 1]):
        first -= 1
    while last and _has_digit(words[-last]):
        last -= 1
    return begin + " ".join([*words[:first], "*", *words[len(words) - last :]]) + end


def _beginning_of(one: str, other: str) -> str:
    """How both lines begin: their indentation, and the quotation mark of payload."""
    begin = one[: len(one) - len(one.lstrip())]
    quote = one[len(begin) : len(begin) + 1]
    if quote in ("'", '"') and other.startswith(begin + quote):
        begin += quote
    return begin if other.startswith(begin) else ""


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)


def _end_of(one: str, other: str) -> str:
    """How both payload lines end, if alike: the end of the line and of its quotation."""
    for end in (r"\r\n'", r"\n'", "'", '"'):
        if one.endswith(end) and other.endswith(end):
            return end
    return ""


def _bare(line: str) -> str:
    return line[len(OPTIONAL) :] if line.startswith(OPTIONAL) else line


def _optional(line: str) -> str:
    return line if line.startswith(OPTIONAL) else OPTIONAL + line


def _marked(line: str, text: str) -> str:
    return OPTIONAL + text if line.startswith(OPTIONAL) else text


@lru_cache(4096)
def _pattern(line: str) -> re.Pattern[str]:
    pieces = (re.escape(piece) for piece in _STARS.split(line))
    return re.compile(".*".join(pieces), re.DOTALL)


def _line_matches(wanted: str, line: str) -> bool:
    return wanted == line or _pattern(wanted).fullmatch(line) is not None


def _matches(wanted: Sequence[str], shape: Sequence[str]) -> bool:
    """Whether the lines are those of the snapshot, optional ones there or not."""
    reached = {0}
    for line in wanted:
        further = {
            at + 1 for at in reached if at < len(shape) and _line_matches(_bare(line), shape[at])
        }
        reached = further | reached if line.startswith(OPTIONAL) else further
    return len(shape) in reached


def _contrasts(wanted: Sequence[str], shape: Sequence[str]) -> Iterator[Contrast]:
    """The lines that only the snapshot has beside those that only the conversation has."""
    filled = _filled(wanted, shape)
    gone: list[str] = []
    new: list[str] = []
    matcher = SequenceMatcher(None, filled, list(shape), autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag != "equal":
            gone += (line for line in wanted[first:last] if not line.startswith(OPTIONAL))
            new += shape[start:end]
    pairs = list(zip_longest(gone, new, fillvalue="nothing"))
    for old, other in pairs[:_SHOWN]:
        yield Contrast("line", old.strip(), other.strip())
    if len(pairs) > _SHOWN:
        yield Contrast("line", "…", f"{len(pairs) - _SHOWN} more that differ")


def _filled(wanted: Sequence[str], shape: Sequence[str]) -> list[str]:
    """The snapshot's lines, those with stars as the lines of the shape that they stand for."""
    filled: list[str] = []
    place = 0
    for line in wanted:
        bare = _bare(line)
        ahead = (n for n in range(place, len(shape)) if _line_matches(bare, shape[n]))
        number = next(ahead, None)
        filled.append(bare if number is None else shape[number])
        place = place if number is None else number + 1
    return filled
