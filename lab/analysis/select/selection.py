"""What of a capture file is shown: the frames that were asked for, and their flows.

The whole file is analysed all the same: a segment is a retransmission of one that is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.flow_summary import choose, frames_of, frames_of_none
from lab.analysis.select.filter import SeenFrame, parse_filter
from lab.analysis.select.frame_numbers import parse_frame_numbers
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.select.filter import FrameFilter
    from lab.analysis.select.frame_numbers import FrameNumbers
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Note


@frozen
class Asked:
    """What was asked for. A frame is shown that fulfils all of it."""

    flows: tuple[str, ...] = ()
    """Their names, as `choose` takes them; none: all."""
    filter_text: str = ""
    numbers_text: str = ""
    filter: FrameFilter | None = None
    numbers: FrameNumbers | None = None

    @property
    def narrows(self) -> bool:
        """Whether more than flows was asked for."""
        return self.filter is not None or self.numbers is not None


@frozen
class Selection:
    """What is shown, and what it was chosen from."""

    asked: Asked
    crossings: tuple[Crossing, ...]
    flows: tuple[Flow, ...]
    """Those that have a frame of these, without their other frames."""
    of_frames: int
    """How many frames there are to choose from."""
    wholes: Mapping[FlowId, Flow]
    """The same flows with all their frames."""
    packets: Mapping[int, int]
    """The numbers of the crossings' frames in the file, by those of the crossings."""


def asked_for(flows: Iterable[str], filter_text: str | None, numbers_text: str | None) -> Asked:
    """What options ask for, whose words are read. Raises PointedError."""
    return Asked(
        tuple(dict.fromkeys(flows)),
        filter_text or "",
        numbers_text or "",
        None if filter_text is None else parse_filter(filter_text),
        None if numbers_text is None else parse_frame_numbers(numbers_text),
    )


def select(
    asked: Asked,
    crossings: Sequence[Crossing],
    flows: Sequence[Flow],
    conversations: Iterable[TcpConversation],
    packets: Sequence[int],
    zero_ns: int,
) -> Selection:
    """The frames that were asked for; `packets` are their numbers, `zero_ns` the first one's time.

    Raises UsageError for a flow that there is not.
    """
    number_of = {each.number: packet for each, packet in zip(crossings, packets, strict=True)}
    found: Iterable[Crossing] = crossings
    if asked.flows:
        choice = choose(asked.flows, flows)
        wanted = {each.number for flow in choice.flows for each in frames_of(flow)}
        if choice.others:
            wanted |= {each.number for each in frames_of_none(crossings, flows)}
        found = [each for each in found if each.number in wanted]
    if asked.numbers is not None:
        numbers = asked.numbers
        found = [each for each in found if number_of[each.number] in numbers]
    if asked.filter is not None:
        test = asked.filter
        notes = {s.crossing: s.notes for talk in conversations for s in talk.segments if s.notes}
        none: frozenset[Note] = frozenset()
        found = [
            each
            for each in found
            if test(SeenFrame(each.packet, notes.get(each.number, none), each.time_ns, zero_ns))
        ]
    chosen = tuple(found)
    kept = {each.number for each in chosen}
    narrow = [_narrowed(flow, kept) for flow in flows]
    return Selection(
        asked,
        chosen,
        tuple(flow for flow in narrow if frames_of(flow)),
        len(crossings),
        {flow.id: flow for flow in flows},
        number_of,
    )


def _narrowed(flow: Flow, kept: set[int]) -> Flow:
    def of(crossings: tuple[Crossing, ...]) -> tuple[Crossing, ...]:
        return tuple(each for each in crossings if each.number in kept)

    return replace(flow, crossings=of(flow.crossings), errors=of(flow.errors), parts=of(flow.parts))
