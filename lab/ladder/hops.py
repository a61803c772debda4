"""Rows of a frame's way over several links: an arrow for each, and what was changed between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from lab.analysis.flows.changes import Change, ChangedField, changes
from lab.analysis.flows.crossing import Crossing, Hop
from lab.analysis.timeline import Timeline
from lab.ladder.background import without_events
from lab.ladder.model import EventRow, FrameRow, Part
from lab.ladder.repetition import Elided
from lab.model.counted import counted

_TRANSLATED: dict[ChangedField, str] = {
    "source": "{} → {}",
    "destination": "{} → {}",
    "identifier": "identifier {} → {}",
    "quoted_source": "quoted {} → {}",
    "quoted_destination": "quoted {} → {}",
}
_CUT: dict[ChangedField, str] = {
    "fragment": "fragments it: bytes {1} of {0}",
    "joined_fragment": "joins it with others and fragments all: bytes {1}",
}
_FORWARDED: dict[ChangedField, str] = {
    "ttl": "TTL {} → {}",
    "hop_limit": "hop limit {} → {}",
    "hardware_source": "from {1}",
    "hardware_destination": "to {1}",
}
_BRIEFLY = frozenset({"hardware_source", "hardware_destination"})
"""What is left out where a NAT or a fragmenting router has changed what matters more."""

FloodedCopies = Mapping[tuple[bytes, str], int]
"""How many copies of a frame a switch sent to hosts that have no part in the step: by the frame's
bytes and the switch."""


def hosts_with_a_part(timeline: Timeline) -> frozenset[str]:
    """Those that run programs, or that frames left, reached or passed, but for mere copies."""
    found = {run.host for run in timeline.programs}
    for crossing in timeline.crossings:
        if crossing.sender not in timeline.recording.switches:
            found |= {crossing.sender, crossing.receiver}
            found.update(hop.receiver for hop in crossing.hops)
    return frozenset(found)


def without_mere_copies(timeline: Timeline) -> tuple[Timeline, FloodedCopies]:
    """The timeline without what switches flooded to hosts that have no part in it."""
    parts = hosts_with_a_part(timeline)
    mere = [
        crossing
        for crossing in timeline.crossings
        if crossing.sender in timeline.recording.switches and crossing.receiver not in parts
    ]
    if not mere:
        return timeline, {}
    gone = {crossing.id for crossing in mere}
    outer = replace(
        timeline,
        crossings=tuple(each for each in timeline.crossings if each.id not in gone),
        order=without_events(timeline.order, gone),
    )
    return outer, Counter((each.packet.frame.data, each.sender) for each in mere)


def spread(
    kept: Iterable[EventRow | Elided],
    crossing_of: Mapping[int, Crossing],
    lane_of: Callable[[str], int],
    copies: FloodedCopies = MappingProxyType({}),
) -> Iterator[EventRow | Elided]:
    """The rows in their order; a frame that goes over several links has one for each, in its time.

    `lane_of` gives a host's lane. Frames among what is elided stay as they are.
    """
    later: list[FrameRow] = []
    for each in kept:
        time_ns = each.rows[0].time_ns if isinstance(each, Elided) else each.time_ns
        while later and time_ns is not None and later[0].time_ns < time_ns:
            yield later.pop(0)
        if not isinstance(each, FrameRow):
            yield each
            continue
        same = [row for row in later if row.event == each.event]
        later = [row for row in later if row.event != each.event]
        rows = hop_rows(each, crossing_of[each.event.number], lane_of, copies)
        if each.part is Part.START:
            yield next(rows)
            later = sorted([*later, *rows], key=lambda row: row.time_ns)
        else:
            yield from same
            yield from rows
    yield from later


def hop_rows(
    row: FrameRow,
    crossing: Crossing,
    lane_of: Callable[[str], int],
    copies: FloodedCopies = MappingProxyType({}),
) -> Iterator[FrameRow]:
    """The row of a frame, or of one end of it, as a row for each link that it went over.

    Its departure has all links but the last, which belongs to its arrival. What the frame is
    stands at its first link, what was changed of it at the others.
    """
    hops = crossing.hops
    if not hops:
        yield row
        return
    ends = {Part.WHOLE: hops, Part.START: hops[:-1], Part.END: hops[-1:]}[row.part]
    first = 1 if row.part is not Part.END else len(hops)
    for number, hop in enumerate(ends, start=first):
        found = _hop_row(row, crossing, number, hop, lane_of)
        more = copies.get((hop.data, hop.sender), 0) if number > 1 else 0
        also = f", and to {counted(more, 'host')} more" if more else ""
        yield replace(found, text=found.text + also, is_as_it_was=found.is_as_it_was and not more)


def _hop_row(
    row: FrameRow, crossing: Crossing, number: int, hop: Hop, lane_of: Callable[[str], int]
) -> FrameRow:
    source, target = lane_of(hop.sender), lane_of(hop.receiver)
    time_ns = hop.sent_ns if hop.sent_ns is not None else hop.received_ns
    assert time_ns is not None, "a hop is made from at least one frame"
    is_last = number == len(crossing.hops)
    is_stopped = is_last and crossing.lost and hop.received_ns is not None
    stopped = (f"{hop.receiver} does not forward it",) if is_stopped else ()
    found = replace(
        row,
        source=source,
        target=target,
        is_forward=source < target,
        part=Part.WHOLE,
        time_ns=time_ns,
        sent_ns=hop.sent_ns,
        received_ns=hop.received_ns,
        is_lost=hop.received_ns is None,
        hop=number,
        details=(*row.details, *stopped) if number == 1 else stopped,
        receiver_state=row.receiver_state if is_last else "",
        receiver_differs=row.receiver_differs and is_last,
    )
    if number == 1:
        return found
    before = crossing.hop_before(number - 1)
    assert before is not None, "only the first has none"
    words = _changed_words(changes(before.packet, hop.packet))
    return replace(
        found,
        text=f"{hop.sender} {words or 'forwards it'}",
        is_as_it_was=not words,
        connection="",
        notes=(),
        payload=b"",
        sender_state="",
        sender_differs=False,
    )


def _changed_words(changed: Iterable[Change]) -> str:
    """What a device changed of a frame; without checksums, which differ as soon as any does.

    "forwards it: TTL 64 → 63, from …", "translates 10.0.0.2:4000 → 192.0.2.1:61000"; "" of nothing.
    """
    changed = tuple(changed)
    translated = [each for each in changed if each.field in _TRANSLATED]
    cut = [each for each in changed if each.field in _CUT]
    others = [each for each in changed if each.field in _FORWARDED]
    if translated or cut:
        others = [each for each in others if each.field not in _BRIEFLY]
    words = ", ".join(
        (_TRANSLATED | _CUT | _FORWARDED)[each.field].format(each.before, each.after)
        for each in (*translated, *cut, *others)
    )
    if translated:
        return f"translates {words}"
    return words if cut or not words else f"forwards it: {words}"
