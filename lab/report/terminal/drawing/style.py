"""How lines are drawn: width, arrows, and which characters may be used."""

from __future__ import annotations

import textwrap

from rich.cells import cell_len
from rich.text import Text

from lab.frozen import frozen
from lab.model.claim import Outcome

OUTCOME_COLOURS = {
    Outcome.HOLDS: "bold green",
    Outcome.BROKEN: "bold red",
    Outcome.UNDECIDED: "bold yellow",
    Outcome.SKIPPED: "bold dim",
}
ASCII_SHAPES = str.maketrans(
    {
        "┌": "/", "│": "|", "└": "\\", "┐": "\\", "┘": "/", "┼": "+", "─": "-", "╶": "-", "╴": "-",
        "┄": ".", "┊": ":", "·": ":", "▶": ">", "◀": "<", "✗": "x", "∥": "|", "→": "->", "≠": "!=",
    }
)  # fmt: skip
MIN_COLUMNS, USUAL_COLUMNS = 60, 80
OUTCOME_COLUMNS = 11
"""What an outcome's name takes, with a space behind the longest."""


@frozen
class Style:
    """One output's width and characters."""

    width: int
    ascii_only: bool

    @property
    def line(self) -> str:
        """An arrow's shaft."""
        return "-" if self.ascii_only else "─"

    @property
    def right(self) -> str:
        """The head of an arrow that points right."""
        return ">" if self.ascii_only else "▶"

    @property
    def left(self) -> str:
        """The head of an arrow that points left."""
        return "<" if self.ascii_only else "◀"

    @property
    def lost(self) -> str:
        """The end of an arrow that never arrives."""
        return "x" if self.ascii_only else "✗"

    def drawn(self, shapes: str) -> str:
        """Our own lines, arrows and signs, in ASCII where nothing else can be shown."""
        return shapes.translate(ASCII_SHAPES) if self.ascii_only else shapes

    def heading(self, title: str) -> Text:
        """A title in a line as wide as the page."""
        start = f"{self.line * 2} {self.cut(title, self.width - 6)} "
        return Text(start + self.line * max(0, self.width - cell_len(start)), "bold blue")

    def banner(self, title: str) -> Text:
        """A title that stands above headings."""
        bar = "=" if self.ascii_only else "═"
        start = f"{bar * 2} {self.cut(title, self.width - 6)} "
        return Text(start + bar * max(0, self.width - cell_len(start)), "bold white on blue")

    def safe(self, text: str) -> str:
        """The text without control characters, and without what cannot be shown.

        Names and payloads come from files and programs: a terminal must not obey them.
        """
        if text.isascii() and text.isprintable():
            return text
        shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
        return (
            shown.encode("ascii", "backslashreplace").decode("ascii") if self.ascii_only else shown
        )

    def wrap(self, text: str, columns: int, indent: str = "") -> list[str]:
        """The text, safe, in at least one line, none over that many columns.

        `indent` begins every line but the first.
        """
        shown = self.safe(text)
        if any(cell_len(character) > 1 for character in set(shown) if character > "\x7f"):
            columns //= 2  # textwrap counts characters, of which some fill two columns
        return textwrap.wrap(shown, columns, subsequent_indent=indent, break_on_hyphens=False) or [
            ""
        ]

    def cut(self, text: str, columns: int) -> str:
        """The text, safe, in one line of at most that many columns; "..." where it is cut."""
        shown = self.safe(text)
        if cell_len(shown) <= columns:
            return shown
        dots = "..."[: max(columns - 1, 0)]  # of a narrow column the first character is left
        while shown and cell_len(shown) > columns - len(dots):
            shown = shown[:-1]
        return shown + dots
