"""What is remarkable about TCP segments, for many flows at once: the notes of `analyse_tcp`.

A side's variables (RFC 9293, 3.3.1) are running maxima and last values of what it sent and got, so
that nearly all of the rules of `lab/analysis/tcp/side.py` are arithmetic on whole columns. What
is left are the segments that repeat, or leave a hole, and the SACK blocks: these are gone through
one after another. A flow whose numbers run as none does is left to `analyse_tcp` itself.

All this is of captures with one vantage point: a segment is sent, and then arrives.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.analysis.table.running import NONE, first_places, totals
from lab.analysis.table.segments import Segments
from lab.analysis.tcp.segment import TIMEOUT_NS, Note, is_dsack
from lab.analysis.tcp.stream import Ranges, unwrap

if TYPE_CHECKING:
    from lab.analysis.table.columns import SackColumns
    from lab.records.bulk.batch import Flags, Ints

NOTES = tuple(Note)
"""By the place of a note's bit."""

BIT_OF = {note: 1 << place for place, note in enumerate(NOTES)}

_REPEATED = BIT_OF[Note.RETRANSMISSION] | BIT_OF[Note.KEEP_ALIVE] | BIT_OF[Note.ZERO_WINDOW_PROBE]
_PROBES = BIT_OF[Note.KEEP_ALIVE] | BIT_OF[Note.ZERO_WINDOW_PROBE]
_ENOUGH_DUPLICATES = 3


@dataclass(slots=True)
class FollowedFlows:
    """What was found out about some flows."""

    notes: Ints
    """Of each segment, as bits."""
    fin: Ints
    """By side: its FIN's position; NONE without."""
    fin_acked: Flags
    """By side: whether its FIN was acknowledged."""
    is_odd: Flags
    """By flow: whether it has to be followed by itself; nothing else here is right then."""


def follow(segments: Segments, sacks: SackColumns, is_of_one_socket: Flags) -> FollowedFlows:
    """The notes of the segments; `is_of_one_socket` is by flow."""
    own = _Own(segments)
    notes = np.zeros(len(segments.rows), dtype=np.int64)
    notes[segments.is_discarded] |= BIT_OF[Note.WRONG_CHECKSUM]
    is_odd = segments.is_odd | is_of_one_socket | own.is_odd
    candidates = _note_repetition(segments, own, notes)
    blocks = _Blocks(segments, sacks)
    is_duplicate = _duplicates(segments, own, blocks)
    notes[is_duplicate] |= BIT_OF[Note.DUPLICATE_ACK]
    _go_through(segments, own, notes, candidates, is_duplicate, is_odd)
    _note_arrival(segments, own, notes)
    _note_window(segments, own, notes, blocks)
    fin, fin_acked = _ends(segments)
    return FollowedFlows(notes, fin, fin_acked, is_odd)


class _Own:
    """What the sender of each segment knows before it sends it, and before it is answered."""

    def __init__(self, s: Segments) -> None:
        groups, followed = s.groups, s.is_followed
        start = np.where(s.has_syn, 0, 1)
        acks = followed & s.has_ack
        # Of each side in turn, at every segment: what it has sent and what it has got.
        self.sent_next = np.zeros(len(s.rows), dtype=np.int64)
        self.una = self.sent_next.copy()
        self.peer_window = self.sent_next.copy()
        """-1 where none is known."""
        self.acknowledged = self.sent_next.copy()
        self.last_ack = self.sent_next.copy()
        """The place of the last segment with ACK that it has sent; -1 without."""
        self.has_sent = np.zeros(len(s.rows), dtype=bool)
        """Whether it has sent anything that takes up sequence numbers."""
        self.arrived_end = self.sent_next.copy()
        """What its peer has as the end of all that arrived; NONE before anything did."""
        self.timer = self.sent_next.copy()
        """The place at which its retransmission timer was last started, timeouts apart; or -1."""
        self.of_peer: dict[str, Ints] = {}
        """The same variables of its peer, before the segment arrives there."""
        for name in ("una", "sent_next", "window"):
            self.of_peer[name] = self.sent_next.copy()
        self.advances = np.zeros(len(s.rows), dtype=bool)
        """Whether it acknowledges more than its receiver knew to be acknowledged."""
        odd = np.zeros(s.count, dtype=bool)
        for is_client in (True, False):
            mine = s.is_client == is_client
            side = 2 * s.flow + is_client
            sends, gets = followed & mine, acks & ~mine
            end = groups.highest_before(s.end, sends)
            sent_next = np.maximum(end, start[side])
            window_at = groups.last_before(gets)
            counts = gets & (s.ack <= s.sequence_end[side])
            una = groups.highest_before(s.ack, counts)
            advances = counts & (s.ack > una)
            peer_window = np.where(window_at >= 0, s.window[window_at], -1)
            numbered = sends & (s.seq < s.end)
            has_sent = groups.last_before(numbered) >= 0
            idle = np.where(una == NONE, ~has_sent, sent_next <= una)
            timer = groups.last_before(advances | (numbered & idle))
            self.sent_next[mine], self.una[mine] = sent_next[mine], una[mine]
            self.peer_window[mine], self.has_sent[mine] = peer_window[mine], has_sent[mine]
            self.arrived_end[mine], self.timer[mine] = end[mine], timer[mine]
            acknowledged = groups.highest_before(s.ack, acks & mine)
            self.acknowledged[mine] = acknowledged[mine]
            self.last_ack[mine] = groups.last_before(acks & mine)[mine]
            self.of_peer["una"][~mine] = una[~mine]
            self.of_peer["sent_next"][~mine] = sent_next[~mine]
            self.of_peer["window"][~mine] = peer_window[~mine]
            self.advances |= advances
            # A first number that is not positive is no number yet to Side; it is rare.
            for values, mask in ((s.end, sends), (s.ack, counts), (s.ack, acks & mine)):
                firsts = first_places(s.flow, mask, s.count)
                odd |= (firsts >= 0) & (values[firsts] <= 0)
        self.is_odd = odd


def _note_repetition(s: Segments, own: _Own, notes: Ints) -> Flags:
    """Note probes and holes; which segments may be retransmissions."""
    sends = s.is_followed
    plain = sends & ~(s.syn | s.fin) & s.has_ack
    closed = own.peer_window == 0
    idle = np.where(own.una == NONE, s.length == 0, own.una >= own.sent_next)
    is_probe = plain & (s.length <= 1) & idle & (s.seq == own.sent_next - 1)
    notes[is_probe & closed] |= BIT_OF[Note.ZERO_WINDOW_PROBE]
    notes[is_probe & ~closed] |= BIT_OF[Note.KEEP_ALIVE]
    others = sends & ~is_probe
    is_byte = others & plain & (s.length == 1) & closed & (s.seq == own.una)
    notes[is_byte] |= BIT_OF[Note.ZERO_WINDOW_PROBE]
    leaves_hole = others & (s.seq > own.sent_next)
    notes[leaves_hole] |= BIT_OF[Note.PREVIOUS_NOT_CAPTURED]
    candidates: Flags = others & (s.seq < s.end) & (s.seq < own.sent_next)
    return candidates


class _Blocks:
    """The segments' SACK blocks, relative; by place."""

    def __init__(self, s: Segments, sacks: SackColumns) -> None:
        self.of: dict[int, tuple[tuple[int, int], ...]] = {}
        self.has_more = np.zeros(len(s.rows), dtype=bool)
        """Whether it has bytes that no block had before."""
        order = np.argsort(s.rows, kind="stable")
        at = np.searchsorted(s.rows[order], sacks.rows)
        is_here = at < len(order)
        is_here[is_here] = s.rows[order[at[is_here]]] == sacks.rows[is_here]
        places = order[at[is_here]]
        by_place = np.argsort(places, kind="stable")
        places = places[by_place]
        counts = sacks.counts[is_here][by_place]
        edges = sacks.edges[is_here][by_place].tolist()
        bases = s.bases[s.other[places]].tolist()
        acks, has_ack = s.ack[places].tolist(), s.has_ack[places].tolist()
        followed = s.is_followed[places].tolist()
        receivers = s.other[places].tolist()
        limits = s.sequence_end[s.other[places]].tolist()
        sacked: dict[int, Ranges] = {}
        for n, (place, count) in enumerate(zip(places.tolist(), counts.tolist(), strict=True)):
            if not has_ack[n] or not followed[n]:
                continue
            numbers = [unwrap(edge, bases[n], acks[n]) for edge in edges[n][: 2 * count]]
            found = tuple(zip(numbers[::2], numbers[1::2], strict=True))
            self.of[place] = found
            known = sacked.get(receivers[n])
            if known is None:
                known = sacked[receivers[n]] = Ranges()
            for left, right in found[is_dsack(found, acks[n]) :]:
                if left < right <= limits[n] and known.lacks(left, right):
                    self.has_more[place] = True
                    known.add(left, right)


def _duplicates(s: Segments, own: _Own, blocks: _Blocks) -> Flags:
    """Which segments are duplicate ACKs (RFC 5681, 2; RFC 6675, 2)."""
    una = own.of_peer["una"]
    found: Flags = s.is_followed & (s.end == s.seq) & s.has_ack & (una != NONE) & (s.ack == una)
    found &= own.of_peer["sent_next"] > una
    found &= (s.window == own.of_peer["window"]) | blocks.has_more
    return found


def _go_through(
    s: Segments, own: _Own, notes: Ints, candidates: Flags, is_duplicate: Flags, is_odd: Flags
) -> None:
    """Judge the segments that may be retransmissions, in order, each with its side's memory."""
    lefts_hole = notes & BIT_OF[Note.PREVIOUS_NOT_CAPTURED] != 0
    probes = s.is_followed & (notes & _PROBES != 0) & (s.length > 0) & ~candidates
    has_any = np.zeros(2 * s.count, dtype=bool)
    has_any[s.side[candidates]] = True
    has_any &= ~np.repeat(is_odd, 2)
    if not has_any.any():
        return
    (places,) = np.nonzero((candidates | lefts_hole | probes) & has_any[s.side])
    third, recover = _third_duplicates(s, own, is_duplicate, has_any)
    by_side: dict[int, _Sender] = {}
    trips = _RoundTrips(s)
    gathered = (
        s.side[places], s.seq[places], s.end[places], s.time_ns[places], own.sent_next[places],
        own.una[places], own.timer[places], s.syn[places], notes[places], candidates[places],
        s.flow[places], third[places], recover[places],
    )  # fmt: skip
    lines = zip(places.tolist(), *(each.tolist() for each in gathered), strict=True)
    for place, side, seq, end, now, sent_next, una, timer, syn, noted, may, flow, dup, rec in lines:
        sender = by_side.get(side)
        if sender is None:
            start = 0 if s.has_syn[side] else 1
            sender = by_side[side] = _Sender(start, trips.of(flow))
        sender.catch_up(sent_next)
        if not may:
            sender.leave(seq, end, sent_next, now, is_hole=seq > sent_next)
            continue
        timer_ns = int(s.time_ns[timer]) if timer >= 0 else None
        if sender.timeout_place > timer:
            timer_ns = sender.timeout_ns
        third_ns = int(s.time_ns[dup]) if dup > sender.answered_dup else None
        found = sender.judge(
            seq, end, now, None if una == NONE else una, syn=syn,
            is_window_probe=bool(noted & BIT_OF[Note.ZERO_WINDOW_PROBE]),
            timer_ns=timer_ns, third_ns=third_ns, recover=rec,
        )  # fmt: skip
        if found & BIT_OF[Note.FAST_RETRANSMIT]:
            sender.answered_dup = dup
        if found & BIT_OF[Note.TIMEOUT]:
            sender.timeout_place, sender.timeout_ns = place, now
        notes[place] |= found
        sender.add(seq, end, sent_next)


def _third_duplicates(
    s: Segments, own: _Own, is_duplicate: Flags, sides: Flags
) -> tuple[Ints, Ints]:
    """At each segment, the third duplicate ACK its sender has got: its place, and SND.NXT then.

    -1 where there was none since the last ACK of something new; SND.NXT is that at the last third
    one all the same, 0 before any.
    """
    third = np.full(len(s.rows), -1, dtype=np.int64)
    recover = np.zeros(len(s.rows), dtype=np.int64)
    for is_client in (True, False):
        gets = s.is_client != is_client
        duplicates, advances = is_duplicate & gets, own.advances & gets
        count = s.groups.count(duplicates)
        since = s.groups.last(advances)
        base = np.where(since >= 0, since, s.groups.start - 1)
        before = np.where(base >= 0, count[base], 0)
        is_third = duplicates & (count - before == _ENOUGH_DUPLICATES)
        last_third = s.groups.last_before(is_third)
        last_advance = s.groups.last_before(advances)
        mine = ~gets
        third[mine] = np.where(last_third > last_advance, last_third, -1)[mine]
        # The receiver of a duplicate is the side whose SND.NXT counts.
        at = own.of_peer["sent_next"][last_third]
        recover[mine] = np.where(last_third >= 0, at, 0)[mine]
    return third, recover


class _Sender:
    """What Side remembers of what it sent, where that is more than running maxima."""

    __slots__ = (
        "_from", "_hole_ns", "_hole_starts", "_sent", "_trip_ns", "answered_dup", "timeout_ns",
        "timeout_place",
    )  # fmt: skip

    def __init__(self, start: int, round_trip_ns: int) -> None:
        self._sent = Ranges()
        self._from = start
        """Where what was sent in order since the last time begins."""
        self._hole_starts: list[int] = []
        self._hole_ns: list[int] = []
        self._trip_ns = round_trip_ns
        self.answered_dup = -1
        """The place of the third duplicate ACK that a fast retransmission has answered."""
        self.timeout_place = -1
        self.timeout_ns = 0

    def catch_up(self, sent_next: int) -> None:
        """Take in what was sent in order until now."""
        self._sent.add(self._from, sent_next)
        self._from = sent_next

    def leave(self, seq: int, end: int, sent_next: int, now_ns: int, *, is_hole: bool) -> None:
        """Take in a segment that is no retransmission: behind a hole, or a probe."""
        if is_hole:
            self._hole_starts.append(sent_next)
            self._hole_ns.append(now_ns)
            self._from = seq
        else:
            self.add(seq, end, sent_next)

    def add(self, seq: int, end: int, sent_next: int) -> None:
        """Take in a segment that begins before SND.NXT."""
        self._sent.add(seq, end)
        self._from = max(sent_next, end)

    def judge(
        self, seq: int, end: int, now_ns: int, una: int | None, *, syn: bool,
        is_window_probe: bool, timer_ns: int | None, third_ns: int | None, recover: int,
    ) -> int:  # fmt: skip
        """The notes of a segment that begins before SND.NXT, as Side has them, as bits."""
        needless = una is not None and end <= una and not syn
        oldest = una is None or seq <= una < end
        wait_ns = TIMEOUT_NS + self._trip_ns
        since_ns = timer_ns
        seen, is_late = self._sent.overlaps(seq, end), False
        if not seen:
            hole = bisect_right(self._hole_starts, seq) - 1
            hole_ns = self._hole_ns[hole] if hole >= 0 else now_ns
            since_ns = max(hole_ns, hole_ns if since_ns is None else since_ns)
            recovers = self._trip_ns and end <= recover
            is_late = now_ns - hole_ns >= (self._trip_ns if recovers else wait_ns)
        cause = 0
        if not oldest or is_window_probe:
            pass
        elif third_ns is not None and now_ns - third_ns < wait_ns:
            cause = BIT_OF[Note.FAST_RETRANSMIT]
        elif since_ns is not None and now_ns - since_ns >= wait_ns:
            cause = BIT_OF[Note.TIMEOUT]
        if not (seen or needless or cause or is_late):
            return 0
        found = BIT_OF[Note.RETRANSMISSION] | cause
        if not seen:
            found |= BIT_OF[Note.FIRST_COPY_NOT_CAPTURED]
        if needless:
            found |= BIT_OF[Note.SPURIOUS]
        return found


class _RoundTrips:
    """The flows' round trips, each found when it is asked for."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._known: dict[int, int] = {}

    def of(self, flow: int) -> int:
        """From the client's last SYN over the SYN-ACK to its ACK; 0 if unknown."""
        if flow not in self._known:
            self._known[flow] = self._find(flow)
        return self._known[flow]

    def _find(self, flow: int) -> int:
        s = self._segments
        at = int(np.searchsorted(s.flow, flow))
        syn_ns: int | None = None
        is_answered = False
        while at < len(s.flow) and s.flow[at] == flow:
            place, at = at, at + 1
            if s.is_discarded[place]:
                continue
            if s.syn[place] and not s.has_ack[place] and s.is_client[place]:
                syn_ns, is_answered = int(s.time_ns[place]), False
            elif s.syn[place] and not s.is_client[place]:
                is_answered = True
            elif syn_ns is not None and is_answered and s.is_client[place] and s.has_ack[place]:
                return int(s.time_ns[place]) - syn_ns
            elif not s.syn[place]:
                break
        return 0


def _note_arrival(s: Segments, own: _Own, notes: Ints) -> None:
    late = s.is_followed & (s.end > s.seq) & (own.arrived_end != NONE) & (s.seq < own.arrived_end)
    notes[late & (notes & _REPEATED == 0)] |= BIT_OF[Note.OUT_OF_ORDER]


def _note_window(s: Segments, own: _Own, notes: Ints, blocks: _Blocks) -> None:
    """Note windows, and answers to probes."""
    sends = s.is_followed & s.has_ack
    nothing_new = sends & (s.seq == s.end) & (s.seq == own.sent_next)
    nothing_new &= s.ack == own.acknowledged
    owes = _owed(s, own, notes)
    is_answer = nothing_new & (owes != 0)
    is_of_alive = is_answer & (owes == BIT_OF[Note.KEEP_ALIVE])
    notes[is_of_alive] |= BIT_OF[Note.KEEP_ALIVE_ACK]
    notes[is_answer & ~is_of_alive] |= BIT_OF[Note.ZERO_WINDOW_PROBE_ACK]
    is_zero = sends & (s.window == 0)
    notes[is_zero] |= BIT_OF[Note.ZERO_WINDOW]
    before = np.where(own.last_ack >= 0, s.window[own.last_ack], -1)
    is_update = nothing_new & ~is_zero & (s.window != before)
    is_update &= owes != BIT_OF[Note.KEEP_ALIVE]
    for place in np.nonzero(is_update)[0].tolist():
        sack = blocks.of.get(place, ())
        if sack and sack != blocks.of.get(int(own.last_ack[place]), ()):
            is_update[place] = False
    notes[is_update] |= BIT_OF[Note.WINDOW_UPDATE]


def _owed(s: Segments, own: _Own, notes: Ints) -> Ints:
    """The bit of the probe that each segment may answer: one that came since its side's last."""
    is_probe = s.is_followed & (notes & _PROBES != 0)
    owed = np.zeros(len(s.rows), dtype=np.int64)
    if not is_probe.any():
        return owed
    for is_client in (True, False):
        last = s.groups.last_before(is_probe & (s.is_client != is_client))
        mine = (s.is_client == is_client) & (last > own.last_ack)
        kinds = notes[last] & _PROBES
        kinds = np.where(kinds & BIT_OF[Note.KEEP_ALIVE], BIT_OF[Note.KEEP_ALIVE], kinds)
        owed[mine] = kinds[mine]
    return owed


def _ends(s: Segments) -> tuple[Ints, Flags]:
    """By side, the position of its first FIN and whether that was acknowledged."""
    firsts = first_places(s.side, s.is_followed & s.fin, 2 * s.count)
    fin = np.where(firsts >= 0, s.end[firsts] - 1, NONE)
    of_other = s.other
    acks = s.is_followed & s.has_ack & (firsts[of_other] >= 0)
    places = np.arange(len(s.rows))
    acks &= (places > firsts[of_other]) & (s.ack > fin[of_other])
    acks &= s.ack <= s.sequence_end[of_other]
    return fin, totals(of_other, acks, 2 * s.count) > 0
