"""One way of a stream: what was sent, joined with what carried it and with what was read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from lab.analysis.correlate.correlation import Channel, ReadPart, SentPart
from lab.analysis.correlate.positions import place
from lab.analysis.sockets.socket_calls import moves_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.carriers import Carriers
    from lab.analysis.correlate.positions import Placed
    from lab.analysis.flows.flow import FlowId


def stream_channel(
    sender: str,
    receiver: str,
    sends: Sequence[SystemCall],
    reads: Sequence[SystemCall],
    carriers: Carriers | None = None,
    flow: FlowId | None = None,
    carried: int | None = None,
) -> Iterator[Channel]:
    """A stream's channel, over the wire or, without `carriers`, through the kernel alone."""
    sent, read = place(sends), place(reads)
    moving = [call for call in sends if call.moved]
    reading = [call for call in reads if call.moved]
    if not (moving or reading or carried):
        return
    yield Channel(
        sender=sender,
        receiver=receiver,
        flow=flow,
        parts=tuple(_sent_parts(sent, read, carriers, _are_all_known(sends, sent, carriers))),
        sent=sum(call.moved for call in moving),
        carried=carried,
        read=sum(call.moved for call in reading),
        sends=len(moving),
        segments=carriers.count if carriers is not None else 0,
        reads=len(reading),
        read_parts=tuple(_read_parts(read, carriers)),
        uncounted=next((call.id for call in (*sends, *reads) if moves_unknown(call)), None),
    )


def _are_all_known(
    sends: Sequence[SystemCall], sent: Sequence[Placed], carriers: Carriers | None
) -> bool:
    """Whether the calls account for all that left; a call at the end that did not return may."""
    if carriers is None:
        return True
    if not carriers.is_whole:
        return False
    known_end = sent[-1].end if sent else 0
    return carriers.left_end <= known_end or any(call.result is None for call in sends)


def _sent_parts(
    sent: Sequence[Placed], read: Sequence[Placed], carriers: Carriers | None, all_known: bool
) -> Iterator[SentPart]:
    ends = [each.end for each in read]
    starts = [each.start for each in read]
    for call, start, end, _, certain in sent:
        readers = read[bisect_right(ends, start) : bisect_left(starts, end)]
        segments = carriers.first_to_carry(start, end) if carriers is not None else ()
        reads = tuple(each.call.id for each in readers)
        yield SentPart(call.id, start, end, segments, reads, certain and all_known)


def _read_parts(read: Sequence[Placed], carriers: Carriers | None) -> Iterator[ReadPart]:
    for each in read:
        segment = carriers.completed_by(each.reached) if carriers is not None else None
        yield ReadPart(each.call.id, each.start, each.end, segment, each.certain)
