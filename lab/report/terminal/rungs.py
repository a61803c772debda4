"""Rungs of a ladder: a crossing's arrow, what stands on it, beside it and below it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rich.cells import cell_len

from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.packet import Tcp
from lab.analysis.story import describe_more, describe_options, describe_packet, describe_segment
from lab.analysis.tcp.segment import Note, Segment
from lab.report.terminal.style import Style

HEAD_COLUMNS = 1


@dataclass(frozen=True, slots=True)
class Rung:
    """A crossing with what is drawn beside it."""

    crossing: Crossing
    rightward: bool
    segment: Segment | None = None
    payload: bytes = b""
    mark: str = ""
    """Which frame it is, where that is to be told: "f3 "."""
    connection: str = ""
    """Of which connection, where there are several: "49356: "."""


def states_of(rung: Rung) -> tuple[str, str]:
    """The left and the right side's state after the segment; "" where it is not known."""
    if rung.segment is None:
        return "", ""
    sender, receiver = rung.segment.sender_state, rung.segment.receiver_state
    names = sender.value, receiver.value if receiver else ""
    return names if rung.rightward else (names[1], names[0])


def label_of(rung: Rung) -> str:
    """What stands on the arrow."""
    if rung.segment is None:
        return rung.mark + rung.connection + describe_packet(rung.crossing.packet)
    return rung.mark + rung.connection + describe_segment(rung.segment)


def draw_arrow(label: str, rung: Rung, wire: int, style: Style) -> str:
    """The label on an arrow `wire` columns wide, pointing where the frame went."""
    head = style.lost if rung.crossing.lost else style.right if rung.rightward else style.left
    room = wire - HEAD_COLUMNS - 1
    text = textwrap.shorten(style.safe(label), room, placeholder="...")
    shaft = style.line * (wire - len(head) - len(text) - 1)
    if rung.rightward:
        return style.line + text + shaft + head
    return head + shaft + text + style.line


def draw_departure(rung: Rung, wire: int, style: Style) -> str:
    """A frame leaving, that arrives only after something else: the arrow's first half."""
    text = textwrap.shorten(style.safe(label_of(rung)), wire - 3, placeholder="...")
    shaft = wire - len(text) - 1
    solid, gone = style.line * (shaft // 2), style.drawn("┄") * (shaft - shaft // 2)
    if rung.rightward:
        return style.line + text + solid + gone
    return gone + solid + text + style.line


def draw_arrival(rung: Rung, delay: str, wire: int, style: Style) -> str:
    """The arrow's other half, with how long the frame was on its way."""
    room = wire - len(delay) - 4
    text = textwrap.shorten(style.safe(label_of(rung)), room, placeholder="...")
    shaft = style.drawn("┄") * (wire - len(text) - len(delay) - 3)
    if rung.rightward:
        return style.drawn("┄") + delay + shaft + text + style.line + style.right
    return style.left + style.line + text + shaft + delay + style.drawn("┄")


def fits(rung: Rung, wire: int, style: Style) -> bool:
    """Whether all that stands on the arrow can be read there."""
    return cell_len(style.safe(label_of(rung))) < wire - HEAD_COLUMNS


def below(rung: Rung, wire: int) -> Iterator[str]:
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


def colour_of(rung: Rung) -> str:
    """The arrow's style, by what the frame does."""
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
    connection_of: Mapping[int, str] = MappingProxyType({}),
) -> list[Rung]:
    """Rungs for crossings, with marks and connections by crossing number.

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
        number = crossing.number
        marks = mark_of.get(number, ""), connection_of.get(number, "")
        rungs.append(Rung(crossing, rightward, segment, payload, *marks))
    return rungs
