"""The same messages over different sockets, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import PrintedCall, reads_of, sends_of, sent_bytes
from lab.analysis.story import Phase, phases
from lab.frozen import frozen
from lab.model.claim import Outcome

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline


@frozen
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
    reaches_another_host: bool
    """Whether the bytes went over a link between the hosts."""
    canaries: int
    points: int
    incomplete: tuple[str, ...]

    @property
    def bytes_a_byte(self) -> float:
        """Bytes on the wire for each byte of payload."""
        return self.wire_bytes / self.payload_bytes if self.payload_bytes else 0.0


COMPARED = (
    "Frames are counted once for both ends; wire bytes leave ARP and ND out.",
    "A unix socket reaches the other namespace only as both share a kernel and its files.",
    "UDP keeps order here, on one link; it does not promise to.",
    "Silent: no frame between canaries at every device of both hosts, lo included.",
)
"""What is to be known of a comparison, a sentence each."""


def compare_steps(timelines: Sequence[Timeline]) -> tuple[Column, ...]:
    """A column for each step."""
    return tuple(map(_column, timelines))


def _column(timeline: Timeline) -> Column:
    phase_of = phases(timeline.crossings, timeline.conversations)
    kinds = list(phase_of.values())
    carriers = [c for c in timeline.crossings if phase_of[c.number] is not Phase.NEIGHBOUR]
    bare = {c.number for c in carriers if not c.packet.payload}
    calls = [call for printed in timeline.calls.values() for call in printed]
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
        reaches_another_host=any(crossing.sender != crossing.receiver for crossing in carriers),
        canaries=timeline.bracket.canaries_seen,
        points=len(timeline.recording.points),
        incomplete=timeline.bracket.incomplete,
    )


def _ways(timeline: Timeline) -> list[tuple[tuple[PrintedCall, ...], tuple[PrintedCall, ...]]]:
    """Sends of one program with the reads of the other, both ways."""
    printed = [timeline.calls[run.name] for run in timeline.programs]
    if len(printed) != 2:
        return []
    server, client = printed
    return [(sends_of(client), reads_of(server)), (sends_of(server), reads_of(client))]


def _sizes(calls: tuple[PrintedCall, ...]) -> list[int]:
    """What the calls returned; the end of a stream is no message."""
    return [call.result for call in calls if call.result or call.name == "recvfrom"]


def _round_trips(timeline: Timeline) -> int | None:
    """Frames that came back, of the exchange's own, before the first payload left."""
    flow = [crossing for flow in timeline.flows for crossing in flow.crossings]
    for position, crossing in enumerate(flow):
        if crossing.packet.payload:
            return sum(before.sender != crossing.sender for before in flow[:position])
    return None


def comparison_rows(columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
    """For each thing compared its name and a cell for each column; the first row is the head."""
    return [
        ("", [column.step for column in columns]),
        ("frames", [str(c.frames) for c in columns]),
        ("  to find the neighbour", [str(c.neighbour_frames) for c in columns]),
        ("  to open", [str(c.opening_frames) for c in columns]),
        ("  to close (bare)", [str(c.closing_frames) for c in columns]),
        ("payload bytes", [str(c.payload_bytes) for c in columns]),
        ("wire bytes a payload byte", [f"{c.bytes_a_byte:.1f}" for c in columns]),
        ("round trips before data", [_or_dash(c.round_trips) for c in columns]),
        ("system calls", [str(c.calls) for c in columns]),
        ("boundaries kept?", [_yes(c.keeps_boundaries) for c in columns]),
        ("order kept?", [_yes(c.keeps_order) for c in columns]),
        ("reaches another host?", [_yes(c.reaches_another_host) for c in columns]),
        ("silent?", [_silence(c) for c in columns]),
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def _silence(column: Column) -> str:
    if column.incomplete:
        return Outcome.UNDECIDED.value.lower()
    return "no" if column.frames else "yes"
