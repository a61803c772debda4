"""Arrows of frames and of local transfers, and what stands below them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace

from rich.cells import cell_len

from lab.analysis.calls.call_text import duration
from lab.analysis.tcp.segment import Note
from lab.ladder.model import FrameKind, FrameRow, Part, TransferRow
from lab.model.counted import counted
from lab.report.terminal.drawing.style import Style

HEAD_COLUMNS = 1
FEWEST_LABEL_COLUMNS = 12
"""An arrow that leaves its label less has no room for its delay."""
FEWEST_MORE_COLUMNS = 8
"""Less of a payload says nothing."""
COLOURS = {
    FrameKind.SYN: "green",
    FrameKind.FIN: "magenta",
    FrameKind.RST: "red",
    FrameKind.DATA: "bold",
    FrameKind.ACK: "",
    FrameKind.ERROR: "red",
    FrameKind.OTHER: "yellow",
}


def draw_arrow(row: FrameRow, columns: int, style: Style) -> str:
    """The frame's label on an arrow, or on the half of one, that points where it goes."""
    if row.part is Part.WHOLE:
        return _whole(row, columns, style)
    return (
        _departure(row, columns, style) if row.part is Part.START else _arrival(row, columns, style)
    )


def fits(row: FrameRow, columns: int, style: Style) -> bool:
    """Whether all that stands on the arrow can be read there."""
    return cell_len(style.safe(row.label)) < columns - HEAD_COLUMNS


def rest_of(row: FrameRow, columns: int, style: Style) -> str:
    """What the label had to leave out on a whole arrow: "... len=15"."""
    return f"... {_label(row, columns - HEAD_COLUMNS - 1, style)[1]}"


def below(row: FrameRow, columns: int) -> Iterator[str]:
    """What stands below an arrow: what is remarkable, what devices did, options, payload."""
    if row.notes:
        yield "! " + ", ".join(note.value for note in row.notes)
    yield from row.on_the_way
    yield from row.details
    if row.says:
        yield row.says
    elif row.payload:
        preview = repr(row.payload[:columns])[1:]
        yield preview if len(preview) <= columns else preview[: columns - 3] + "..."


def with_more_on_it(row: FrameRow, columns: int, style: Style) -> FrameRow:
    """The row with its options and the beginning of its payload on the arrow itself.

    What of them does not fit is left out, but for what a message or a packet other than a segment
    or datagram says, and what is remarkable: that stays below.
    """
    own = row.details if row.is_segment else ()
    preview = row.says or (repr(row.payload)[1:] if row.payload else "")
    on_it = " ".join((*own, preview) if preview else own)
    if not on_it:
        return row
    room = columns - HEAD_COLUMNS - 2 - cell_len(style.safe(row.label)) - 1
    kept = () if row.is_segment else row.details
    if room < FEWEST_MORE_COLUMNS or (row.says and room < cell_len(on_it)):
        return replace(row, details=kept, payload=b"")
    more = style.cut(on_it, room)
    return replace(row, text=f"{row.text} {more}", details=kept, payload=b"", says="")


def colour_of(row: FrameRow) -> str:
    """The arrow's style, by what the frame does."""
    return "red" if row.is_lost or Note.RETRANSMISSION in row.notes else COLOURS[row.kind]


def draw_transfer(row: TransferRow, columns: int, style: Style) -> str:
    """A dotted arrow between lanes; without a head, and no longer than it must be, within one."""
    text = f"local transfer, {counted(row.moved, 'byte')}"
    if row.source == row.target:
        shown = f"·· {text} ··"
    elif row.source < row.target:
        shown = f"{f' {text} ':·^{columns - 1}}▶"
    else:
        shown = f"◀{f' {text} ':·^{columns - 1}}"
    return style.drawn(shown)


def _whole(row: FrameRow, columns: int, style: Style) -> str:
    head = style.lost if row.is_lost else style.right if row.is_forward else style.left
    text, _ = _label(row, columns - HEAD_COLUMNS - 1, style)
    shaft = style.line * (columns - len(head) - len(text) - 1)
    if row.is_forward:
        return style.line + text + shaft + head
    return head + shaft + text + style.line


def _departure(row: FrameRow, columns: int, style: Style) -> str:
    """A frame leaving, that arrives only after something else: the arrow's first half."""
    text, _ = _label(row, columns - 3, style)
    shaft = columns - len(text) - 1
    solid, gone = style.line * (shaft // 2), style.drawn("┄") * (shaft - shaft // 2)
    if row.is_forward:
        return style.line + text + solid + gone
    return gone + solid + text + style.line


def _arrival(row: FrameRow, columns: int, style: Style) -> str:
    """The arrow's other half, with how long the frame was on its way."""
    delay = "" if row.delay_ns is None else f"+{duration(row.delay_ns)}"
    if columns < len(delay) + FEWEST_LABEL_COLUMNS:
        delay = ""
    text, _ = _label(row, columns - len(delay) - 4, style)
    shaft = style.drawn("┄") * (columns - len(text) - len(delay) - 3)
    if row.is_forward:
        return style.drawn("┄") + delay + shaft + text + style.line + style.right
    return style.left + style.line + text + shaft + delay + style.drawn("┄")


def _label(row: FrameRow, columns: int, style: Style) -> tuple[str, str]:
    """The words of the label that fit, with "..." if some do not; and the rest."""
    text = style.safe(row.label)
    if len(text) <= columns:
        return text, ""
    first = textwrap.wrap(text, max(1, columns - 3), break_on_hyphens=False)[0]
    # Not the other lines joined: a word that was cut, an address, would have a space in it.
    behind = len(first)
    return f"{first}...", text[behind + (text[behind] == " ") :]
