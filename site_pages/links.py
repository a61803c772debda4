"""The links of a page that lies elsewhere in the site than in the repository."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from site_pages.blocks import blocks_of

_LINK = re.compile(
    r"(?P<before>!?\[(?:[^\]\[]|\[[^\]]*\])*\]\()(?P<target>[^)\s#]*)(?P<rest>[^)]*\))"
)
_CODE = re.compile(r"`+[^`]*`+")


def relocated(
    text: str,
    page: str,
    place: str,
    place_of: Callable[[str], str],
    title_of: Callable[[str], str],
) -> str:
    """A page whose links lead to where the site has what they led to in the repository.

    `page` is its path in the repository, `place` that in the site, and `place_of` says of any path
    of the repository where the site has it. A link whose words are the name of a page's file has
    the page's title instead, which `title_of` gives. Blocks of code are left alone.
    """
    lines = text.split("\n")
    code = {n for block in blocks_of(text) for n in range(block.first, block.end)}
    prose = [n for n in range(len(lines)) if n not in code]
    if not prose:
        return text
    # A link may go over the end of a line: the prose is looked at as a whole.
    mark = "\x00"
    whole = mark.join(lines[n] for n in prose)

    def moved(found: re.Match[str]) -> str:
        target = found["target"]
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        way = posixpath.relpath(place_of(there), posixpath.dirname(place) or ".")
        before = found["before"]
        if before == f"[{target}](" and target.endswith(".md"):
            before = f"[{title_of(there)}]("
        return f"{before}{way}{found['rest']}"

    for number, line in zip(prose, _outside_code(whole, moved).split(mark), strict=True):
        lines[number] = line
    return "\n".join(lines)


def _outside_code(text: str, moved: Callable[[re.Match[str]], str]) -> str:
    """The text with its links moved, but for what stands in `code` and is no link's words."""
    code = [found.span() for found in _CODE.finditer(text)]

    def one(found: re.Match[str]) -> str:
        start = found.start()
        return found[0] if any(a < start < b for a, b in code) else moved(found)

    return _LINK.sub(one, text)
