"""TCP segments of many flows: relative numbers, windows in bytes, what is dropped for a checksum.

What `draft_segments` and `scale_windows` make of one flow, for all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.analysis.table.columns import NO_OPTION, UNKNOWN, WRONG
from lab.analysis.table.grouping import ACK, FIN, RST, SYN
from lab.analysis.table.running import LIMIT, NONE, Groups, first_places, largest, totals

if TYPE_CHECKING:
    from lab.analysis.table.columns import PacketColumns
    from lab.records.bulk.batch import Flags, Ints

_MASK, _HALF, _SPACE = 0xFFFF_FFFF, 1 << 31, 1 << 32
_MOST_SHIFT = 14
"""RFC 7323, 2.3: a larger shift count is taken as this one."""

CLIENT, SERVER = 1, 0


@dataclass(slots=True)
class Segments:
    """Segments flow after flow, each flow's in order; arrays have one element a segment.

    `side` arrays have two elements a flow: that of the server, then that of the client.
    """

    groups: Groups
    rows: Ints
    flow: Ints
    """From 0, in this batch of flows."""
    count: int
    """How many flows there are."""
    is_client: Flags
    side: Ints
    """2 * flow, and one more of the client's."""
    other: Ints
    """The other side."""
    time_ns: Ints
    length: Ints
    flags: Ints
    has_ack: Flags
    syn: Flags
    fin: Flags
    is_discarded: Flags
    is_followed: Flags
    """Whether it changes anything: it is neither discarded nor a RST."""
    seq: Ints
    """Relative, as of `Segment`."""
    end: Ints
    ack: Ints
    """Relative; 0 without the flag."""
    window: Ints
    """In bytes."""
    has_syn: Flags
    """By side: whether it sent a SYN that was not discarded."""
    sequence_end: Ints
    """By side: behind the last number it is ever seen to send, as of `Side`."""
    is_odd: Flags
    """By flow: whether its numbers are none that can be followed here."""
    bases: Ints
    """By side: its initial sequence number."""


def make_segments(columns: PacketColumns, rows: Ints, is_client: Flags, starts: Ints) -> Segments:
    """The segments of some flows; `starts` is where each one's begin, and where all end."""
    count = len(starts) - 1
    flow = np.repeat(np.arange(count, dtype=np.int64), np.diff(starts))
    groups = Groups(flow, starts)
    side, other = 2 * flow + is_client, 2 * flow + ~is_client
    flags = columns.flags[rows].astype(np.int64)
    has_ack, syn, fin, rst = (flags & bit != 0 for bit in (ACK, SYN, FIN, RST))
    length = columns.payload[rows].astype(np.int64)
    is_discarded = _discarded(columns, rows, side, count)
    kept = ~is_discarded
    is_followed = kept & ~rst
    raw_seq, raw_ack = columns.seq[rows].astype(np.int64), columns.ack[rows].astype(np.int64)
    bases = _bases(raw_seq, raw_ack, side, other, kept, syn, has_ack, count)
    seq = _unwrapped(raw_seq - bases[side], side, 2 * count)
    end = seq + length + syn + fin
    highest = {
        who: np.maximum(groups.highest(end, is_followed & (is_client == bool(who))), 0)
        for who in (CLIENT, SERVER)
    }
    before = _before(groups, end, is_followed, is_client)
    near = np.where(is_client, highest[SERVER], highest[CLIENT])
    ack = np.where(has_ack, near + ((raw_ack - bases[other] - near + _HALF) & _MASK) - _HALF, 0)
    # A sequence number is the one closest to the highest before it.
    off = (seq < before - _HALF) | (seq >= before + _HALF)
    off |= (np.abs(seq) >= LIMIT // 2) | (np.abs(ack) >= LIMIT // 2)
    is_odd = totals(flow, off, count) > 0
    has_syn = totals(side, syn & kept, 2 * count) > 0
    sequence_end = largest(side, end, is_followed, 2 * count, 1)
    window = _windows(columns, rows, side, flags, kept, count)
    return Segments(
        groups, rows, flow, count, is_client, side, other, columns.time_ns[rows], length, flags,
        has_ack, syn, fin, is_discarded, is_followed, seq, end, ack, window, has_syn, sequence_end,
        is_odd, bases,
    )  # fmt: skip


def _before(groups: Groups, end: Ints, followed: Flags, is_client: Flags) -> Ints:
    """The highest position behind what the segment's own side has sent before it, 0 at least."""
    own = [groups.highest_before(end, followed & (is_client == side)) for side in (False, True)]
    return np.maximum(np.where(is_client, own[1], own[0]), 0)


def _discarded(columns: PacketColumns, rows: Ints, side: Ints, count: int) -> Flags:
    """Which segments TCP drops for their checksums, as `judge_checksums` has it."""
    checksum = columns.checksum[rows]
    is_wrong: Flags = checksum == WRONG
    if not is_wrong.any():
        return is_wrong
    is_odd = is_wrong & ~columns.left_to_card[rows]
    known, bad, odd = (
        totals(side, mask, 2 * count) for mask in (checksum != UNKNOWN, is_wrong, is_odd)
    )
    is_judged = (odd < bad) | (bad < known)
    found: Flags = is_odd & is_judged[side]
    return found


def _bases(
    seq: Ints, ack: Ints, side: Ints, other: Ints, kept: Flags, syn: Flags, has_ack: Flags,
    count: int,
) -> Ints:  # fmt: skip
    """Each side's initial sequence number: of its SYN, else implied by what comes first."""
    of_syn = first_places(side, kept & syn, 2 * count)
    own = first_places(side, kept, 2 * count)
    acked = first_places(other, kept & has_ack, 2 * count)
    never = len(seq)
    is_own = np.where(own < 0, never, own) < np.where(acked < 0, never, acked)
    implied = np.where(is_own, seq[own] - 1, np.where(acked >= 0, ack[acked] - 1, 0))
    return np.where(of_syn >= 0, seq[of_syn], implied) if len(seq) else implied


def _unwrapped(relative: Ints, side: Ints, sides: int) -> Ints:
    """Positions that do not wrap, each the one closest to its side's one before."""
    order = np.argsort(side, kind="stable")
    wrapped = (relative[order] + _HALF & _MASK) - _HALF
    steps = wrapped.copy()
    steps[1:] -= wrapped[:-1]
    steps = (steps + _HALF & _MASK) - _HALF
    counts = np.bincount(side, minlength=sides)
    starts = (np.cumsum(counts) - counts)[counts > 0]
    steps[starts] = wrapped[starts]
    sums = np.cumsum(steps)
    before = np.repeat(sums[starts] - steps[starts], counts[counts > 0])
    found = np.empty_like(sums)
    found[order] = sums - before
    return found


def _windows(
    columns: PacketColumns, rows: Ints, side: Ints, flags: Ints, kept: Flags, count: int
) -> Ints:
    """Windows in bytes, as far as the shift counts are known to be in force."""
    window = columns.window[rows].astype(np.int64)
    syn = flags & SYN != 0
    firsts = first_places(side, kept & syn, 2 * count)
    has = firsts >= 0
    shift = np.where(has, columns.window_shift[rows[firsts]].astype(np.int64), 0)
    shift = np.where(shift == NO_OPTION, NO_OPTION, np.minimum(shift, _MOST_SHIFT))
    is_off = (has & (shift == NO_OPTION)).reshape(count, 2).any(axis=1)
    # A SYN's offer alone is not yet an agreement; a SYN-ACK's is the answer to one.
    answers = totals(side, syn & (flags & ACK != 0), 2 * count) > 0
    is_alone = has.reshape(count, 2).sum(axis=1) == 1
    unknown = np.repeat(is_alone, 2) & ~answers
    shift[~has | np.repeat(is_off, 2) | unknown] = 0
    return np.where(syn, window, window << shift[side])


assert NONE < 0
