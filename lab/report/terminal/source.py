"""The source lines that made the system calls, each with its calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.text import Text

from lab.report.terminal.drawing.style import Style

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.records import SourceLine

MOST_LINES = 100
MOST_CALLS = 4
"""As many of a line's calls of one kind are named."""


def draw_source(timeline: Timeline, style: Style) -> Iterator[Text]:
    """Each line that is known to have made calls, in the order of its first, with those calls."""
    # One line may have been noted several times: each with what of the library it had called.
    lines: dict[tuple[str, str, int], SourceLine] = {}
    calls: defaultdict[tuple[str, str, int], dict[str, list[str]]] = defaultdict(dict)
    for call in timeline.system_calls:
        line = timeline.line_of.get(call.id)
        if line is not None:
            place = call.program, line.file, line.number
            lines.setdefault(place, line)
            calls[place].setdefault(call.name, []).append(str(call.id))
    if not calls:
        return
    yield Text()
    yield style.heading("Which lines made the calls")
    for place, line in list(lines.items())[:MOST_LINES]:
        where = f"{PurePath(line.file).name}:{line.number}"
        shown = "  ".join(filter(None, (where, _text(line).strip())))
        yield Text(f"  {style.cut(shown, style.width - 2)}")
        made = "; ".join(map(_calls, calls[place], calls[place].values()))
        for piece in style.wrap(made, style.width - 6):
            yield Text(f"      {piece}", "dim")
    if len(lines) > MOST_LINES:
        yield Text(f"  ... and {len(lines) - MOST_LINES} more; report.html has them", "dim")


def _calls(name: str, ids: Sequence[str]) -> str:
    more = f" and {len(ids) - MOST_CALLS} more" if len(ids) > MOST_CALLS else ""
    return f"{name}: {' '.join(ids[:MOST_CALLS])}{more}"


def _text(line: SourceLine) -> str:
    """The line itself; "" if unknown."""
    place = line.number - line.first
    return line.text[place] if 0 <= place < len(line.text) else ""
