"""The same messages over different sockets, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.analysis.claims import Verdict, broken, holds, undecided
from lab.analysis.story import Phase, phases
from lab.analysis.transcript import Call, reads_of, sends_of, sent_bytes

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Column:
    """What one step's exchange took: counts of frames are crossings, each seen at both ends."""

    step: str
    frames: int
    neighbour_frames: int
    opening_frames: int
    """Of connections: SYN, SYN-ACK, ACK."""
    closing_frames: int
    """Without payload, from the first FIN on."""
    payload_bytes: int
    """Sent by the programs, both ways."""
    wire_bytes: int
    """Of the frames that belong to the exchange, headers included, ARP and ND left out."""
    round_trips: int | None
    """Answers waited for before the first payload left; None where nothing left."""
    calls: int
    """System calls that the two programs made for it."""
    keeps_boundaries: bool
    keeps_order: bool
    leaves_the_kernel: bool
    """Whether the bytes went over a link between the hosts."""
    canaries: int
    points: int
    blind: tuple[str, ...]

    @property
    def bytes_a_byte(self) -> float:
        """Bytes on the wire for each byte of payload."""
        return self.wire_bytes / self.payload_bytes if self.payload_bytes else 0.0


def compare_steps(timelines: Sequence[Timeline]) -> tuple[Column, ...]:
    """A column for each step."""
    return tuple(map(_column, timelines))


def _column(timeline: Timeline) -> Column:
    phase_of = phases(timeline.crossings, timeline.conversations)
    kinds = list(phase_of.values())
    carriers = [c for c in timeline.crossings if phase_of[c.number] is not Phase.NEIGHBOUR]
    bare = {c.number for c in carriers if not c.packet.payload}
    calls = [call for told in timeline.calls.values() for call in told]
    ways = _ways(timeline)
    return Column(
        step=timeline.step,
        frames=len(timeline.crossings),
        neighbour_frames=kinds.count(Phase.NEIGHBOUR),
        opening_frames=kinds.count(Phase.OPENING),
        closing_frames=sum(phase is Phase.CLOSING and n in bare for n, phase in phase_of.items()),
        payload_bytes=sum(len(sent_bytes(sends)) for sends, _ in ways),
        wire_bytes=sum(crossing.packet.frame.wire_bytes for crossing in carriers),
        round_trips=_round_trips(timeline),
        calls=len(calls),
        keeps_boundaries=all(_sizes(sends) == _sizes(reads) for sends, reads in ways),
        keeps_order=all(
            sent_bytes(sends) == b"".join(call.data for call in reads) for sends, reads in ways
        ),
        leaves_the_kernel=any(crossing.sender != crossing.receiver for crossing in carriers),
        canaries=timeline.bracket.canaries_seen,
        points=len(timeline.recording.points),
        blind=timeline.bracket.blind,
    )


def _ways(timeline: Timeline) -> list[tuple[tuple[Call, ...], tuple[Call, ...]]]:
    """Sends of one program with the reads of the other, both ways."""
    told = [timeline.calls[run.name] for run in timeline.programs]
    if len(told) != 2:
        return []
    server, client = told
    return [(sends_of(client), reads_of(server)), (sends_of(server), reads_of(client))]


def _sizes(calls: tuple[Call, ...]) -> list[int]:
    """What the calls returned; the end of a stream is no message."""
    return [call.result for call in calls if call.result or call.name == "recvfrom"]


def _round_trips(timeline: Timeline) -> int | None:
    """Frames that came back, of the exchange's own, before the first payload left."""
    flow = [crossing for flow in timeline.flows for crossing in flow.crossings]
    for position, crossing in enumerate(flow):
        if crossing.packet.payload:
            return sum(before.sender != crossing.sender for before in flow[:position])
    return None


def _on_columns(
    check: Callable[[Sequence[Column], Sequence[Timeline]], Verdict],
) -> Callable[..., Verdict]:
    """A check of columns as a check of timelines, undecided where programs told nothing."""

    def check_timelines(*timelines: Timeline) -> Verdict:
        columns = compare_steps(timelines)
        silent = [column.step for column in columns if not column.payload_bytes]
        if silent:
            return undecided(f"the programs printed no calls in {', '.join(silent)}")
        return check(columns, timelines)

    check_timelines.__name__ = check.__name__
    return check_timelines


@_on_columns
def carries_the_same_messages(columns: Sequence[Column], _: Sequence[Timeline]) -> Verdict:
    """Every step's programs sent as much, and what was sent was read in order."""
    sizes = {column.payload_bytes for column in columns}
    lost = [column.step for column in columns if not column.keeps_order]
    if len(sizes) > 1:
        return broken(f"the steps sent different amounts: {sorted(sizes)} bytes")
    if lost:
        return broken(f"what was read differs from what was sent in {', '.join(lost)}")
    return holds(f"{sizes.pop()} bytes in each of {len(columns)} steps, all read in order")


@_on_columns
def costs_frames_to_connect(columns: Sequence[Column], _: Sequence[Timeline]) -> Verdict:
    """Of a stream's and a datagram's exchange: the stream needs more frames, for its ends."""
    stream, datagram = columns
    told = (
        f"{stream.step}: {stream.frames - stream.neighbour_frames} frames, "
        f"{stream.opening_frames} to open and {stream.closing_frames} bare ones to close, "
        f"{stream.round_trips} round trip before the first byte; {datagram.step}: "
        f"{datagram.frames - datagram.neighbour_frames} frames, {datagram.opening_frames} and "
        f"{datagram.closing_frames}, {datagram.round_trips}"
    )
    fits = (
        stream.opening_frames == 3
        and stream.round_trips == 1
        and stream.closing_frames > 0
        and datagram.opening_frames == datagram.closing_frames == datagram.round_trips == 0
        and stream.wire_bytes > datagram.wire_bytes
    )
    return holds(told) if fits else broken(told)


@_on_columns
def keeps_boundaries_in_datagrams_only(columns: Sequence[Column], _: Sequence[Timeline]) -> Verdict:
    """The reads are cut as the sends in just the steps over UDP."""
    kept = [column.step for column in columns if column.keeps_boundaries]
    wanted = [column.step for column in columns if column.step.startswith("udp")]
    told = f"kept in {', '.join(kept) or 'none'} of {', '.join(c.step for c in columns)}"
    return holds(told) if kept == wanted else broken(told)
