"""Checks of what the same messages cost over different sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of
from lab.analysis.comparison import Column, compare_steps
from lab.model.claim import Verdict, broken, frame_ids, holds, undecided

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline


def _on_columns(
    check: Callable[[Sequence[Column], Sequence[Timeline]], Verdict],
) -> Callable[..., Verdict]:
    """A check of columns as a check of timelines, undecided where programs told nothing."""

    def check_timelines(*timelines: Timeline) -> Verdict:
        columns = compare_steps(timelines)
        silent = [column.step for column in columns if not column.payload_bytes]
        if silent:
            return undecided(f"the programs printed no calls in {', '.join(silent)}")
        verdict = check(columns, timelines)
        return replace(verdict, evidence=_evidence(timelines))

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


def _evidence(timelines: Sequence[Timeline]) -> tuple[str, ...]:
    """What a comparison rests on: every frame, send and read of its steps."""
    frames = frame_ids(crossing.number for t in timelines for crossing in t.crossings)
    calls = [call for t in timelines for told in t.calls.values() for call in told]
    return (*frames, *(call.id for call in (*sends_of(calls), *reads_of(calls))))
