"""One end of a TCP connection, followed through what it sends and receives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import Note
from lab.analysis.tcp.state import State, TcpEvent, next_state
from lab.analysis.tcp.stream import ByteStore, Ranges, Stream

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Draft


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
        self.sent.add(segment.seq, segment.end)
        self.sent_next = max(self.sent_next, segment.end)
        self.sent_bytes += segment.length
        self.data_end = max(self.data_end, segment.data_start + segment.length)
        if segment.ack is not None:
            self.acknowledged = max(segment.ack, self.acknowledged or segment.ack)
            self.window = segment.window_bytes
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
            self.received.add(segment.data_start, segment.payload)
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
            data=store.contiguous(start),
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
            segment.notes.add(Note.ZERO_WINDOW_PROBE if closed else Note.KEEP_ALIVE)
            return
        if plain and segment.length == 1 and closed and segment.seq == una:
            segment.notes.add(Note.ZERO_WINDOW_PROBE)
        if self.sent.overlaps(segment.seq, segment.end):
            segment.notes.add(Note.RETRANSMISSION)
        if segment.seq > self.sent_next:
            segment.notes.add(Note.PREVIOUS_NOT_CAPTURED)

    def _note_window(self, segment: Draft) -> None:
        if segment.ack is None:
            return
        if segment.window_bytes == 0:
            segment.notes.add(Note.ZERO_WINDOW)
        elif (
            segment.seq == segment.end == self.sent_next
            and segment.ack == self.acknowledged
            and segment.window_bytes != self.window
        ):
            segment.notes.add(Note.WINDOW_UPDATE)

    def _note_arrival(self, segment: Draft) -> None:
        late = segment.end > segment.seq and segment.seq < (self.arrived.end or segment.seq)
        repeated = {Note.RETRANSMISSION, Note.DUPLICATED, Note.KEEP_ALIVE, Note.ZERO_WINDOW_PROBE}
        if late and not repeated & segment.notes:
            segment.notes.add(Note.OUT_OF_ORDER)
        if (
            segment.end == segment.seq
            and segment.ack is not None
            and self.unacknowledged is not None
            and self.sent_next > self.unacknowledged == segment.ack
            and segment.window_bytes == self.peer_window
        ):
            segment.notes.add(Note.DUPLICATE_ACK)
