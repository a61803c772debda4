"""The sequence ladder: time, client lane, wire, server lane, a line for each crossing.

0.041 SYN-SENT     ──SYN seq=0 win=64240──────────────────────▶       LISTEN
0.050 SYN-SENT     ◀──────────SYN ACK seq=0 ack=1 win=65160──── SYN-RECEIVED
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rich.cells import cell_len
from rich.text import Text

from lab.analysis.crossing import Crossing
from lab.analysis.packet import Tcp
from lab.analysis.story import (
    EXPLANATIONS,
    Phase,
    describe_more,
    describe_options,
    describe_packet,
    describe_segment,
)
from lab.analysis.tcp_segment import Note, Segment
from lab.report.style import Style

TIME_COLUMNS = 9
STATE_COLUMNS = 12
EDGES = 3  # the spaces between the four columns


@dataclass(frozen=True, slots=True)
class Lanes:
    """Who stands left and right."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Rung:
    """A crossing with what is drawn beside it."""

    crossing: Crossing
    rightward: bool
    segment: Segment | None = None
    payload: bytes = b""
    mark: str = ""
    """Which connection a segment belongs to, where there are several."""


def draw_ladder(
    rungs: Sequence[Rung],
    lanes: Lanes,
    phase_of: Mapping[int, Phase],
    style: Style,
) -> Iterator[Text]:
    """The ladder's lines; a heading where a phase begins, explained the first time."""
    if not rungs:
        return
    wire = style.width - TIME_COLUMNS - 2 * STATE_COLUMNS - EDGES
    zero_ns = rungs[0].crossing.time_ns
    yield from _lane_heads(lanes, style)
    phase: Phase | None = None
    explained: set[Phase] = set()
    for rung in rungs:
        if phase_of.get(rung.crossing.number, phase) is not phase:
            phase = phase_of[rung.crossing.number]
            yield Text()
            yield style.heading(phase.value)
            if phase not in explained:
                yield Text(f"  {EXPLANATIONS[phase]}", "italic")
                explained.add(phase)
        yield _draw_rung(rung, zero_ns, wire, style)
        for note in _below(rung, wire):
            for line in style.wrap(note, wire):
                yield Text(" " * (TIME_COLUMNS + STATE_COLUMNS + 4) + line, "dim")


def _lane_heads(lanes: Lanes, style: Style) -> Iterator[Text]:
    """Both names on one line, or on two where that is too short for them."""
    room = style.width - TIME_COLUMNS - 1
    left, right = style.cut(lanes.left, room), style.cut(lanes.right, room)
    head = Text(f"{'ms':>{TIME_COLUMNS}} ", "dim")
    head.append(left, "bold")
    gap = room - cell_len(left) - cell_len(right)
    if gap < 1:
        yield head
        head, gap = Text(" " * (TIME_COLUMNS + 1)), room - cell_len(right)
    head.append(" " * gap)
    head.append(right, "bold")
    yield head


def elapsed(time_ns: int, zero_ns: int) -> str:
    """Milliseconds since `zero_ns`, TIME_COLUMNS wide, as precise as they fit."""
    elapsed_ms = (time_ns - zero_ns) / 1e6
    shown = (f"{elapsed_ms:.3f}", f"{elapsed_ms:.0f}", f"{elapsed_ms:.1e}")
    return next(s for s in shown if len(s) <= TIME_COLUMNS).rjust(TIME_COLUMNS)


def _draw_rung(rung: Rung, zero_ns: int, wire: int, style: Style) -> Text:
    left, right = _states(rung)
    line = Text(f"{elapsed(rung.crossing.time_ns, zero_ns)} ", "dim")
    line.append(f"{left:<{STATE_COLUMNS}} ", "cyan")
    line.append(_draw_arrow(_label(rung), rung, wire, style), _colour(rung))
    line.append(f" {right:>{STATE_COLUMNS}}", "cyan")
    return line


def _states(rung: Rung) -> tuple[str, str]:
    """The left and the right side's state after the segment; "" where it is not known."""
    if rung.segment is None:
        return "", ""
    sender, receiver = rung.segment.sender_state, rung.segment.receiver_state
    names = sender.value, receiver.value if receiver else ""
    return names if rung.rightward else (names[1], names[0])


def _label(rung: Rung) -> str:
    if rung.segment is None:
        return describe_packet(rung.crossing.packet)
    return rung.mark + describe_segment(rung.segment)


def _draw_arrow(label: str, rung: Rung, wire: int, style: Style) -> str:
    """The label on an arrow `wire` columns wide, pointing where the frame went."""
    head = style.lost if rung.crossing.lost else style.right if rung.rightward else style.left
    room = wire - len(head) - 1
    text = textwrap.shorten(style.safe(label), room, placeholder="...")
    shaft = style.line * (wire - len(head) - len(text) - 1)
    if rung.rightward:
        return style.line + text + shaft + head
    return head + shaft + text + style.line


def _below(rung: Rung, wire: int) -> Iterator[str]:
    """What does not fit on the arrow: options, payload, what is remarkable."""
    tcp: Tcp | None = rung.crossing.packet.tcp
    segment = rung.segment
    if segment is not None and segment.notes:
        yield "! " + ", ".join(sorted(note.value for note in segment.notes))
    is_syn = segment is not None and segment.flags & segment.flags.SYN
    if tcp is not None and is_syn and (options := describe_options(tcp)):
        yield options
    if segment is None and (more := describe_more(rung.crossing.packet)):
        yield more
    if rung.payload:
        preview = repr(rung.payload)[1:]
        yield preview if len(preview) <= wire else preview[: wire - 3] + "..."


def _colour(rung: Rung) -> str:
    segment = rung.segment
    if rung.crossing.lost or (segment is not None and Note.RETRANSMISSION in segment.notes):
        return "red"
    if segment is None:
        icmp = rung.crossing.packet.icmp
        return "red" if icmp is not None and icmp.quoted else "yellow"
    if segment.flags & segment.flags.RST:
        return "red"
    if segment.flags & segment.flags.SYN:
        return "green"
    if segment.flags & segment.flags.FIN:
        return "magenta"
    return "bold" if segment.length else ""


def rungs_of(
    crossings: Iterable[Crossing],
    segment_of: Mapping[int, Segment],
    is_rightward: Callable[[Crossing], bool],
    mark_of: Mapping[int, str] = MappingProxyType({}),
) -> list[Rung]:
    """Rungs for crossings, with marks by crossing number.

    A segment whose hosts are unknown, or which never leaves its host, points right where the
    client sent it; `is_rightward` tells the others' direction.
    """
    rungs: list[Rung] = []
    for crossing in crossings:
        segment = segment_of.get(crossing.number)
        if segment is not None and crossing.sender == crossing.receiver:
            rightward = segment.from_client
        else:
            rightward = is_rightward(crossing)
        has_payload = crossing.packet.tcp is not None or crossing.packet.udp is not None
        payload = crossing.packet.payload if has_payload else b""
        rungs.append(Rung(crossing, rightward, segment, payload, mark_of.get(crossing.number, "")))
    return rungs
