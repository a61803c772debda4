"""TCP segments with numbers a person can follow: relative, and windows in bytes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import IPv4, IPv6, Tcp, TcpFlags
from lab.analysis.tcp.stream import unwrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.tcp.state import State

_FIN, _SYN, _RST, _ACK = (
    int(flag) for flag in (TcpFlags.FIN, TcpFlags.SYN, TcpFlags.RST, TcpFlags.ACK)
)

_MAX_SHIFT = 14
"""RFC 7323, 2.3: a larger shift count is taken as this one."""


class Note(enum.Enum):
    """What is remarkable about a segment; each judged by what its side knew at that time."""

    RETRANSMISSION = "retransmission"
    """Carries a SYN, FIN or byte whose sequence number its sender had sent before."""
    OUT_OF_ORDER = "out of order"
    """Arrived behind a segment with later sequence numbers, and is no retransmission. With
    one capture point it may be one whose first copy was lost before that point."""
    DUPLICATE_ACK = "duplicate ACK"
    """RFC 5681, 2: its receiver had data outstanding; it has no data, SYN or FIN; its ACK is
    the greatest so far, its window the last one."""
    KEEP_ALIVE = "keep-alive"
    """RFC 9293, 3.8.4: sequence number SND.NXT - 1, at most one byte, nothing outstanding."""
    ZERO_WINDOW = "zero window"
    ZERO_WINDOW_PROBE = "zero-window probe"
    """RFC 9293, 3.8.6.1: one byte into a window of zero; or, as Linux does it, an empty
    segment with an acknowledged sequence number (a keep-alive, but for the window)."""
    WINDOW_UPDATE = "window update"
    """Has nothing new but the window."""
    LOST = "lost"
    """Seen leaving, not arriving."""
    PREVIOUS_NOT_CAPTURED = "previous segment not captured"
    """Begins behind the last sequence number its sender is known to have used."""
    DUPLICATED = "duplicated on the way"
    """Arrived once more than it was seen leaving: a copy the network made."""
    DAMAGED = "damaged on the way"
    """Never seen leaving with these bytes, and its checksum is wrong: TCP drops it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a conversation. Source: RFC 9293, 3.1."""

    crossing: int
    """The crossing's number."""
    from_client: bool
    seq: int
    """Relative: 0 is the SYN, 1 the first byte. It does not wrap. Where the SYN was not
    captured 1 is the first sequence number in the capture."""
    ack: int | None
    """Relative in the same way; None without the ACK flag."""
    length: int
    """Payload bytes, as the IP header has it."""
    flags: TcpFlags
    window_bytes: int
    """Scaled where both SYNs were captured and offered scaling; never on a SYN (RFC 7323)."""
    notes: frozenset[Note]
    sender_state: State
    """The sender's state right after it sent this."""
    receiver_state: State | None
    """The receiver's state right after this arrived; None where it was lost."""
    implied_sender_state: State | None = None
    """What the frames imply, where the kernel reported another: `sender_state` is the kernel's."""
    implied_receiver_state: State | None = None


class Draft:
    """A segment while a conversation is being followed."""

    __slots__ = (
        "ack", "bare_syn", "crossing", "end", "fin", "flags", "from_client", "has_ack", "length",
        "notes", "receiver_state", "rst", "sender_state", "seq", "syn", "tcp", "window_bytes",
    )  # fmt: skip

    def __init__(self, crossing: Crossing, tcp: Tcp, from_client: bool) -> None:
        self.crossing = crossing
        self.tcp = tcp
        self.from_client = from_client
        self.flags = tcp.flags
        # Once, as integers: arithmetic on an IntFlag takes a microsecond each time.
        bits = int(tcp.flags)
        self.syn = bool(bits & _SYN)
        self.fin = bool(bits & _FIN)
        self.rst = bool(bits & _RST)
        self.has_ack = bool(bits & _ACK)
        self.bare_syn = self.syn and not self.has_ack
        self.length = tcp.payload_bytes
        self.seq = 0
        self.end = 0
        self.ack: int | None = None
        self.window_bytes = tcp.window
        self.notes: set[Note] = set()
        self.sender_state: State | None = None
        self.receiver_state: State | None = None

    @property
    def taken(self) -> bool:
        """Whether it reached the receiver's TCP unharmed."""
        return not self.crossing.lost and Note.DAMAGED not in self.notes

    @property
    def data_start(self) -> int:
        """The position of the first payload byte: a SYN comes before its data."""
        return self.seq + self.syn

    @property
    def payload(self) -> bytes:
        """The payload as far as it was captured."""
        return self.crossing.packet.payload[: self.length]

    def freeze(self) -> Segment:
        """The segment, now that both sides have met it."""
        assert self.sender_state is not None, "every segment is followed before it is frozen"
        return Segment(
            self.crossing.number, self.from_client, self.seq, self.ack, self.length, self.flags,
            self.window_bytes, frozenset(self.notes), self.sender_state, self.receiver_state,
        )  # fmt: skip


def draft_segments(flow: Flow) -> list[Draft]:
    """The flow's segments in order, with relative numbers, window sizes and transport notes."""
    drafts = []
    for crossing in flow.crossings:
        tcp = crossing.packet.tcp
        assert tcp is not None, "a TCP flow has TCP segments only"
        drafts.append(Draft(crossing, tcp, _is_from(flow, crossing, tcp)))
    _number(drafts)
    _scale(drafts)
    _note_transport(drafts)
    return drafts


def offered_shift(tcp: Tcp) -> int | None:
    """The window scale option's shift count in a SYN; None without the option."""
    option = tcp.option("window_scale")
    return min(option.value, _MAX_SHIFT) if option and isinstance(option.value, int) else None


def offering_syn(drafts: Sequence[Draft], from_client: bool) -> Draft | None:
    """The SYN whose options count for that side: the first that arrived, else the first."""
    syns = [draft for draft in drafts if draft.syn and draft.from_client == from_client]
    return next((draft for draft in syns if not draft.crossing.lost), syns[0] if syns else None)


def _is_from(flow: Flow, crossing: Crossing, tcp: Tcp) -> bool:
    """Whether the flow's side `a` sent it; ports decide wherever they differ."""
    if flow.a.port != flow.b.port:
        return tcp.source_port == flow.a.port
    ip = [layer for layer in crossing.packet.layers if isinstance(layer, IPv4 | IPv6)][-1]
    return ip.source == flow.a.address


def _bases(drafts: Sequence[Draft]) -> dict[bool, int]:
    """Each side's initial sequence number, by whether it is the client's.

    Without a SYN it is implied, as in tshark, by what comes first: the side's own first
    segment, which gets number 1, or an ACK of the peer's.
    """
    of_syn: dict[bool, int] = {}
    implied: dict[bool, int] = {}
    for draft in drafts:
        side, tcp = draft.from_client, draft.tcp
        if draft.syn:
            of_syn.setdefault(side, tcp.seq)
        implied.setdefault(side, tcp.seq - 1)
        if draft.has_ack:
            implied.setdefault(not side, tcp.ack - 1)
    return {True: 0, False: 0} | implied | of_syn


def _number(drafts: Sequence[Draft]) -> None:
    bases = _bases(drafts)
    highest = {True: 0, False: 0}
    for draft in drafts:
        side, tcp = draft.from_client, draft.tcp
        draft.seq = unwrap(tcp.seq, bases[side], highest[side])
        draft.end = draft.seq + draft.length + draft.syn + draft.fin
        if draft.has_ack:
            draft.ack = unwrap(tcp.ack, bases[not side], highest[not side])
        if not draft.rst:
            highest[side] = max(highest[side], draft.end)


def _scale(drafts: Sequence[Draft]) -> None:
    """Window sizes in bytes. Source: RFC 7323, 2.2: scaling needs both sides' offers."""
    shifts: dict[bool, int] = {}
    for from_client in (True, False):
        syn = offering_syn(drafts, from_client)
        shift = offered_shift(syn.tcp) if syn else None
        if shift is None:
            return
        shifts[from_client] = shift
    for draft in drafts:
        if not draft.syn:
            draft.window_bytes <<= shifts[draft.from_client]


def _note_transport(drafts: Sequence[Draft]) -> None:
    """What happened to each frame on its way, from where it was seen."""
    left = {draft.crossing.packet.frame.data for draft in drafts if _seen_leaving(draft)}
    for draft in drafts:
        if draft.crossing.lost:
            draft.notes.add(Note.LOST)
        elif not _seen_leaving(draft) and left:
            if draft.crossing.packet.frame.data in left:
                draft.notes.add(Note.DUPLICATED)
            elif draft.tcp.checksum_ok is False:
                draft.notes.add(Note.DAMAGED)


def _seen_leaving(draft: Draft) -> bool:
    return draft.crossing.sent_ns is not None
