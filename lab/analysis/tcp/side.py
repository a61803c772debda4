"""One end of a TCP connection, followed through what it sends and receives."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import TIMEOUT_NS, Note
from lab.analysis.tcp.state import State, TcpEvent, next_state
from lab.analysis.tcp.stream import ByteStore, Ranges, Stream

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Draft


_REPEATED = frozenset(
    {
        Note.RETRANSMISSION,
        Note.DUPLICATED,
        Note.CHANGED,
        Note.KEEP_ALIVE,
        Note.ZERO_WINDOW_PROBE,
    }
)
_ENOUGH_DUPLICATES = 3
"""RFC 5681, 3.2: duplicate ACKs after which a segment is sent again at once."""


class Side:
    """One end's state at a moment: RFC 9293's variables (3.3.1), as far as the capture shows them.

    A capture shows that a segment arrived, not that TCP took it: a filter, a full accept queue
    or the race with a segment just leaving may be between. So a SYN or FIN counts
    as received when the side acknowledges it, which is part of every transition of figure 5
    that receives one; it counts from the arrival on, if what the side sent next has that ACK.
    """

    def __init__(self, state: State, sequence_start: int, sequence_end: int, active: bool) -> None:
        self.state = state
        self.active = active
        """Whether it opened actively: sent a SYN without ACK."""
        self.sequence_end = sequence_end
        """Behind the last sequence number it is ever seen to send: a larger ACK is not one."""
        self.peer_syn_taken = state is State.ESTABLISHED
        self.peer_fin_taken = False
        self.sent = Ranges()
        self.sent_next = sequence_start
        """SND.NXT."""
        self.sent_bytes = 0
        self.data_end = 1
        self.fin: int | None = None
        self.fin_crossing: int | None = None
        self.fin_acked: int | None = None
        self.unacknowledged: int | None = None
        """SND.UNA: the greatest ACK received; None before the first."""
        self.peer_window: int | None = None
        """SND.WND: the last window received."""
        self.acknowledged: int | None = None
        """RCV.NXT as the side last acknowledged; None before its first ACK."""
        self.window: int | None = None
        """RCV.WND as the side last advertised it."""
        self.arrived = Ranges()
        self.arrived_end: int | None = None
        self.received = ByteStore()
        self.round_trip_ns = 0
        """0 where it is unknown."""
        self.timer_ns: int | None = None
        """When the retransmission timer was last started, by RFC 6298, 5: with data sent when
        none was outstanding, with an ACK of new data, and by its own expiry."""
        self.duplicate_acks = 0
        """Since the last ACK of something new."""
        self.third_duplicate_ns: int | None = None
        """When the third of them came; None before it, and once it was answered."""
        self.recover = 0
        """SND.NXT when the third of them came. Source: RFC 6582, 3.2."""
        self.hole_starts: list[int] = []
        """Where what was seen sent begins to lack, and since when."""
        self.hole_ns: list[int] = []
        self.sacked = Ranges()
        self.sack: tuple[tuple[int, int], ...] = ()
        """The blocks that the side sent last."""
        self.owes: Note | None = None
        """What its next segment is, if that has nothing new: the answer to a probe."""

    def move(self, event: TcpEvent) -> None:
        """Make the event's transition."""
        self.state = next_state(self.state, event)

    def send(self, segment: Draft, peer: Side) -> None:
        """Note what is remarkable about a segment being sent, and change state."""
        if segment.rst:
            self.move(TcpEvent.SEND_RST)
            return
        self._admit_what_is_acknowledged(segment, peer)
        self._note_repetition(segment)
        self._note_window(segment)
        self._run_timer(segment)
        self.sent.add(segment.seq, segment.end)
        self.sent_next = max(self.sent_next, segment.end)
        self.sent_bytes += segment.length
        self.data_end = max(self.data_end, segment.data_start + segment.length)
        if segment.ack is not None:
            self.acknowledged = max(segment.ack, self.acknowledged or segment.ack)
            self.window = segment.window_bytes
            self.sack = segment.sack
        if segment.bare_syn:
            self.move(TcpEvent.SEND_SYN)
        if segment.fin:
            if self.fin is None:
                self.fin, self.fin_crossing = segment.end - 1, segment.crossing.number
            self.move(TcpEvent.SEND_FIN)

    def receive(self, segment: Draft, peer: Side, next_ack: int | None, *, ack_taken: bool) -> None:
        """Note what is remarkable about a segment arriving, and change state.

        `next_ack` is the ACK of what this side sends next; `ack_taken` is False where what
        it sends later shows that it did not take an ACK of its SYN.
        """
        if segment.rst:
            self._reset(segment, peer)
            return
        self._note_arrival(segment)
        if segment.length and Note.KEEP_ALIVE not in segment.notes:
            self._hold(segment)
        self.arrived.add(segment.seq, segment.end)
        self.arrived_end = max(segment.end, self.arrived_end or segment.end)
        acks_fin = self._take_ack(segment)
        if not self.peer_syn_taken and peer.is_acked(0, next_ack):
            answered = segment.syn and self.is_acked(0, segment.ack)
            self._take_syn(acks_syn=ack_taken and answered)
        if ack_taken and self.is_acked(0, segment.ack):
            self.move(TcpEvent.RECEIVE_ACK_OF_SYN)
        takes_fin = not self.peer_fin_taken and peer.is_fin_acked(next_ack)
        self.peer_fin_taken |= takes_fin
        if takes_fin and acks_fin:
            self.move(TcpEvent.RECEIVE_FIN_AND_ACK_OF_FIN)
        elif takes_fin:
            self.move(TcpEvent.RECEIVE_FIN)
        elif acks_fin:
            self.move(TcpEvent.RECEIVE_ACK_OF_FIN)

    def drop(self, segment: Draft) -> None:
        """Note a segment that the side's kernel threw away: its bytes came that far, no further.

        TCP may have answered it first: a segment that begins before the window is dropped with
        an ACK (RFC 9293, 3.10.7.4), which is what a keep-alive is sent for.
        """
        if segment.length and Note.KEEP_ALIVE not in segment.notes:
            self._hold(segment)
        self._owe_answer(segment)

    def _hold(self, segment: Draft) -> None:
        payload = segment.payload
        if payload is not None:
            self.received.add(segment.data_start, payload)

    def is_acked(self, position: int, ack: int | None) -> bool:
        """Whether an ACK acknowledges what this side sent at the position."""
        return ack is not None and position < ack <= self.sequence_end

    def is_fin_acked(self, ack: int | None) -> bool:
        """Whether an ACK acknowledges this side's FIN."""
        return self.fin is not None and self.is_acked(self.fin, ack)

    def stream_to(self, peer: Side, *, whole: bool) -> Stream:
        """What this side sent and the peer received; `whole`: from the SYN on."""
        store = peer.received
        first = store.first
        start = 1 if whole or first is None else min(1, first)
        end = self.data_end if self.fin is None else self.fin
        if self.fin is None and peer.peer_syn_taken:
            end = max(end, peer.acknowledged or 0)
        return Stream(
            parts=store.contiguous(start),
            start=start,
            gaps=store.held().gaps(start, end),
            overlaps_differ=store.overlaps_differ,
            length=store.length,
            sent_bytes=self.sent_bytes,
            fin=self.fin_crossing,
            fin_acked=self.fin_acked,
        )

    def _admit_what_is_acknowledged(self, segment: Draft, peer: Side) -> None:
        """An ACK proves that what it covers was received, seen or not."""
        if not self.peer_syn_taken and peer.is_acked(0, segment.ack):
            self._take_syn(acks_syn=self.state is State.SYN_SENT and not segment.syn)
        if not self.peer_fin_taken and peer.is_fin_acked(segment.ack):
            self.peer_fin_taken = True
            self.move(TcpEvent.RECEIVE_FIN)

    def _take_syn(self, *, acks_syn: bool) -> None:
        self.peer_syn_taken = True
        both = acks_syn and self.state is State.SYN_SENT
        self.move(TcpEvent.RECEIVE_SYN_ACK if both else TcpEvent.RECEIVE_SYN)

    def _take_ack(self, segment: Draft) -> bool:
        """Advance SND.UNA; whether this is the first ACK of the FIN."""
        if segment.ack is None:
            return False
        self.peer_window = segment.window_bytes
        if segment.ack > self.sequence_end:
            return False
        if self.unacknowledged is None or segment.ack > self.unacknowledged:
            self.timer_ns = segment.crossing.received_ns
            self.duplicate_acks, self.third_duplicate_ns = 0, None
        self.unacknowledged = max(segment.ack, self.unacknowledged or segment.ack)
        first = self.fin_acked is None and self.is_fin_acked(segment.ack)
        if first:
            self.fin_acked = segment.crossing.number
        return first

    def _reset(self, segment: Draft, peer: Side) -> None:
        """RFC 9293, 3.10.7.3 and 3.10.7.4: a RST counts only where it fits exactly.

        It fits at RCV.NXT; Linux takes one at the right edge of what arrived as well,
        which also serves a capture that missed segments.
        """
        if self.state is State.SYN_SENT:
            fits = self.is_acked(0, segment.ack)
        else:
            edges = (self.acknowledged, self.arrived_end, self.arrived.contiguous_end(1))
            fits = self.arrived_end is None or segment.seq in edges
        if not fits:
            return
        if self.state is State.SYN_RECEIVED and not self.active:
            self.move(TcpEvent.RECEIVE_RST_AFTER_PASSIVE_OPEN)
            self.peer_syn_taken = False
        else:
            self.move(TcpEvent.RECEIVE_RST)

    def _note_repetition(self, segment: Draft) -> None:
        plain = not (segment.syn or segment.fin) and segment.ack is not None
        una, closed = self.unacknowledged, self.peer_window == 0
        idle = una >= self.sent_next if una is not None else segment.length == 0
        if plain and segment.length <= 1 and idle and segment.seq == self.sent_next - 1:
            segment.note(Note.ZERO_WINDOW_PROBE if closed else Note.KEEP_ALIVE)
            return
        if plain and segment.length == 1 and closed and segment.seq == una:
            segment.note(Note.ZERO_WINDOW_PROBE)
        if segment.seq > self.sent_next:
            segment.note(Note.PREVIOUS_NOT_CAPTURED)
            self.hole_starts.append(self.sent_next)
            self.hole_ns.append(segment.crossing.time_ns)
        elif segment.seq < segment.end and segment.seq < self.sent_next:
            self._note_retransmission(segment)

    def _note_retransmission(self, segment: Draft) -> None:
        """What begins before SND.NXT was sent before, or was overtaken before it came here."""
        una, now_ns = self.unacknowledged, segment.crossing.time_ns
        # A SYN-ACK comes again although it was acknowledged, where that ACK was not taken.
        needless = una is not None and segment.end <= una and not segment.syn
        # The timer is of the oldest byte outstanding; before any ACK all are.
        oldest = una is None or segment.seq <= una < segment.end
        wait_ns = TIMEOUT_NS + self.round_trip_ns
        third_ns, since_ns = self.third_duplicate_ns, self.timer_ns
        seen, is_late = self.sent.overlaps(segment.seq, segment.end), False
        if not seen:
            hole = bisect_right(self.hole_starts, segment.seq) - 1
            hole_ns = self.hole_ns[hole] if hole >= 0 else now_ns
            since_ns = max(hole_ns, hole_ns if since_ns is None else since_ns)
            # In recovery a sender fills further holes, a round trip after they were made.
            recovers = self.round_trip_ns and segment.end <= self.recover
            is_late = now_ns - hole_ns >= (self.round_trip_ns if recovers else wait_ns)
        cause: Note | None = None
        if not oldest or Note.ZERO_WINDOW_PROBE in segment.notes:
            pass
        elif third_ns is not None and now_ns - third_ns < wait_ns:
            cause, self.third_duplicate_ns = Note.FAST_RETRANSMIT, None
        elif since_ns is not None and now_ns - since_ns >= wait_ns:
            cause = Note.TIMEOUT
        if not (seen or needless or cause or is_late):
            return
        segment.note(Note.RETRANSMISSION)
        if not seen:
            segment.note(Note.FIRST_COPY_NOT_CAPTURED)
        if needless:
            segment.note(Note.SPURIOUS)
        if cause:
            segment.note(cause)

    def _run_timer(self, segment: Draft) -> None:
        """Start the timer where nothing was outstanding, and again when it has expired."""
        una = self.unacknowledged
        idle = self.sent_next <= una if una is not None else self.sent.end is None
        if segment.seq < segment.end and (idle or Note.TIMEOUT in segment.notes):
            self.timer_ns = segment.crossing.time_ns

    def _note_window(self, segment: Draft) -> None:
        if segment.ack is None:
            return
        empty = segment.seq == segment.end == self.sent_next
        nothing_new = empty and segment.ack == self.acknowledged
        owes, self.owes = self.owes, None
        if nothing_new and owes is not None:
            segment.note(owes)
        if segment.window_bytes == 0:
            segment.note(Note.ZERO_WINDOW)
        elif (
            nothing_new
            and segment.window_bytes != self.window
            and segment.sack in ((), self.sack)
            and owes is not Note.KEEP_ALIVE_ACK
        ):
            segment.note(Note.WINDOW_UPDATE)

    def _note_arrival(self, segment: Draft) -> None:
        late = segment.end > segment.seq and segment.seq < (self.arrived_end or segment.seq)
        if late and not _REPEATED & segment.notes:
            segment.note(Note.OUT_OF_ORDER)
        self._owe_answer(segment)
        sacks_more = bool(segment.sack) and self._take_sack(segment)
        if (
            segment.end == segment.seq
            and segment.ack is not None
            and self.unacknowledged is not None
            and self.sent_next > self.unacknowledged == segment.ack
            and (segment.window_bytes == self.peer_window or sacks_more)
        ):
            segment.note(Note.DUPLICATE_ACK)
            self.duplicate_acks += 1
            if self.duplicate_acks == _ENOUGH_DUPLICATES:
                self.third_duplicate_ns = segment.crossing.received_ns
                self.recover = self.sent_next

    def _owe_answer(self, segment: Draft) -> None:
        if Note.KEEP_ALIVE in segment.notes:
            self.owes = Note.KEEP_ALIVE_ACK
        elif Note.ZERO_WINDOW_PROBE in segment.notes:
            self.owes = Note.ZERO_WINDOW_PROBE_ACK

    def _take_sack(self, segment: Draft) -> bool:
        """Whether any block has bytes that no block had before (RFC 6675, 2)."""
        new = False
        for left, right in segment.sack[segment.is_dsack :]:
            if left < right <= self.sequence_end and self.sacked.lacks(left, right):
                new = True
                self.sacked.add(left, right)
        return new
