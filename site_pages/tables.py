"""Tables in a page of Markdown."""

from __future__ import annotations

import re
from html import escape

from site_pages.blocks import blocks_of

_WITH_BAR = re.compile(r"`([^`]*\\\|[^`]*)`")


def with_bars(text: str) -> str:
    r"""The page with code in its tables that has a bar, written `a \| b`, as HTML.

    A forge shows it as a bar, Python-Markdown the backslash as well, so that a command that is
    copied is another.
    """
    lines = text.split("\n")
    code = {number for block in blocks_of(text) for number in range(block.first, block.end)}
    for number, line in enumerate(lines):
        if line.startswith("|") and number not in code:
            lines[number] = _WITH_BAR.sub(_as_html, line)
    return "\n".join(lines)


def _as_html(code: re.Match[str]) -> str:
    return f"<code>{escape(code[1].replace(chr(92) + '|', '|')).replace('|', '&#124;')}</code>"
