"""TCP segments with numbers a person can follow: relative, and windows in bytes."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.packets.packet import Tcp, TcpFlags, known_flags
from lab.analysis.tcp.stream import unwrap
from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.packets.packet import Payload
    from lab.analysis.tcp.state import State

_FIN, _SYN, _RST, _ACK = (
    int(flag) for flag in (TcpFlags.FIN, TcpFlags.SYN, TcpFlags.RST, TcpFlags.ACK)
)

_Header = tuple[int, int, int, int, int, bool]
"""Of TCP: seq, ack, flags, window; the payload's bytes; whether it has SACK blocks."""

_MAX_SHIFT = 14
"""RFC 7323, 2.3: a larger shift count is taken as this one."""


class Note(enum.Enum):
    """What is remarkable about a segment; each judged by what its side knew at that time."""

    __hash__ = object.__hash__  # each is one object; enum's own hashes the name, in Python

    RETRANSMISSION = "retransmission"
    """Carries a SYN, FIN or byte whose sequence number its sender had sent before."""
    FIRST_COPY_NOT_CAPTURED = "first copy not captured"
    """A retransmission of what no captured segment carried: its receiver had acknowledged
    it before; or it fills a hole, and three duplicate ACKs or a timeout came before."""
    FAST_RETRANSMIT = "fast retransmit"
    """RFC 5681, 3.2: the first retransmission of the oldest outstanding byte after three
    duplicate ACKs, before the timer would have expired."""
    TIMEOUT = "after a timeout"
    """RFC 6298, 5.4: a retransmission of the oldest outstanding byte, when the timer had been
    running for TIMEOUT_NS and a round trip at least."""
    SPURIOUS = "spurious: acknowledged before"
    """A retransmission of nothing but what its sender had an ACK of (RFC 3522, 1)."""
    OUT_OF_ORDER = "out of order"
    """Arrived behind a segment with later sequence numbers, be that one empty, and is no
    retransmission."""
    DUPLICATE_ACK = "duplicate ACK"
    """RFC 5681, 2: its receiver had data outstanding; it has no data, SYN or FIN; its ACK is
    the greatest so far, its window the last one. RFC 6675, 2: or a SACK block in it has
    bytes that none before had."""
    KEEP_ALIVE = "keep-alive"
    """RFC 9293, 3.8.4: sequence number SND.NXT - 1, at most one byte, nothing outstanding."""
    KEEP_ALIVE_ACK = "keep-alive ACK"
    """RFC 9293, 3.8.4: the first segment sent after a keep-alive came, with nothing new but
    possibly the window."""
    ZERO_WINDOW = "zero window"
    ZERO_WINDOW_PROBE = "zero-window probe"
    """RFC 9293, 3.8.6.1: one byte into a window of zero; or, as Linux does it, an empty
    segment with an acknowledged sequence number (a keep-alive, but for the window)."""
    ZERO_WINDOW_PROBE_ACK = "zero-window probe ACK"
    """RFC 9293, 3.8.6.1: the first segment sent after a probe came, that acknowledges nothing
    new and shows the window."""
    WINDOW_UPDATE = "window update"
    """Has nothing new but the window, neither a SACK block, and answers no keep-alive."""
    LOST = "lost"
    """Seen leaving, not arriving."""
    PREVIOUS_NOT_CAPTURED = "previous segment not captured"
    """Begins behind the last sequence number its sender is known to have used."""
    DUPLICATED = "duplicated on the way"
    """Arrived once more than it was seen leaving: a copy the network made."""
    DAMAGED = "damaged on the way"
    """Never seen leaving with these bytes, and its checksum is wrong: TCP drops it."""
    CHANGED = "changed on the way"
    """A rule of the wire made it of another, and its checksum is right: TCP takes it."""
    DROPPED = "dropped on arrival"
    """The receiver's kernel threw it away before TCP took anything of it."""
    WRONG_CHECKSUM = "wrong checksum"
    """RFC 9293, 3.1: TCP drops it. Others of its sender are right, so this was not left to a
    network card."""


_PLACE = {note: place for place, note in enumerate(Note)}


def in_order(notes: Iterable[Note]) -> tuple[Note, ...]:
    """As people are shown them: what qualifies another comes after it."""
    return tuple(sorted(notes, key=_PLACE.__getitem__))


DISCARDED = frozenset({Note.DAMAGED, Note.WRONG_CHECKSUM})
"""Segments so noted are dropped by TCP: they change nothing, neither at their sender."""

_NO_NOTES: frozenset[Note] = frozenset()

UNTAKEN = DISCARDED | {Note.LOST, Note.DROPPED}
"""A segment so noted never reached the receiver's TCP."""

TIMEOUT_NS = 200_000_000
"""The least that Linux waits beyond a round trip (TCP_RTO_MIN); RFC 6298, 2.4, wants 1 s."""

FIRST_TIMEOUT_NS = 1_000_000_000
"""The timeout until a round trip has been measured. Source: RFC 6298, 2.1."""


@frozen
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
    """Scaled where that is proven to be in force (WindowScale); never on a SYN (RFC 7323)."""
    notes: frozenset[Note]
    sender_state: State
    """The sender's state right after it sent this."""
    receiver_state: State | None
    """The receiver's state right after this arrived; None where it was lost."""
    sack: tuple[tuple[int, int], ...] = ()
    """The option's blocks, [left, right), relative as `ack` is. Source: RFC 2018, 3."""
    is_dsack: bool = False
    """Whether the first block reports bytes that came twice. Source: RFC 2883, 4."""
    implied_sender_state: State | None = None
    """What the frames imply, where the kernel reported another: `sender_state` is the kernel's."""
    implied_receiver_state: State | None = None


@frozen
class WindowScale:
    """The shift counts of both sides' windows, each 0 where scaling is proven to be off.

    Scaling is in force where both SYNs carried the option. A SYN-ACK may carry it only if the
    SYN did: one seen alone proves that, and without the option that there is no scaling.
    Source: RFC 7323, 2.2 and 2.3.
    """

    client: int | None
    """None where it is unknown: that side's SYN was not captured."""
    server: int | None


class Draft:
    """A segment while a conversation is being followed."""

    __slots__ = (
        "ack", "bare_syn", "crossing", "end", "fin", "flags", "from_client", "has_ack",
        "has_sack", "is_discarded", "is_dropped", "is_dsack", "length", "notes", "own_ack",
        "own_seq", "receiver_state", "rst", "sack", "sender_state", "seq", "syn", "window_bytes",
    )  # fmt: skip

    def __init__(self, crossing: Crossing, from_client: bool, header: _Header) -> None:
        self.crossing = crossing
        self.from_client = from_client
        self.own_seq, self.own_ack, bits, self.window_bytes, self.length, self.has_sack = header
        """The first two as they are in the header."""
        # Once, as integers: arithmetic on an IntFlag takes a microsecond each time.
        self.flags = known_flags(bits)
        self.syn = bool(bits & _SYN)
        self.fin = bool(bits & _FIN)
        self.rst = bool(bits & _RST)
        self.has_ack = bool(bits & _ACK)
        self.bare_syn = self.syn and not self.has_ack
        self.seq = 0
        self.end = 0
        self.ack: int | None = None
        self.sack: tuple[tuple[int, int], ...] = ()
        self.is_dsack = False
        self.is_discarded = False
        self.is_dropped = False
        """Whether TCP drops it for its checksum."""
        self.notes: frozenset[Note] | set[Note] = _NO_NOTES
        """A set of its own where there are any: most segments have none."""
        self.sender_state: State | None = None
        self.receiver_state: State | None = None

    def note(self, note: Note) -> None:
        """Note what is remarkable about it."""
        if self.notes is _NO_NOTES:
            self.notes = set()
        assert isinstance(self.notes, set), "a segment that has notes has a set of its own"
        self.notes.add(note)

    @property
    def tcp(self) -> Tcp:
        """All of its header, of its packet."""
        tcp = self.crossing.packet.tcp
        assert tcp is not None, "a TCP flow has TCP segments only"
        return tcp

    @property
    def taken(self) -> bool:
        """Whether the receiver's TCP took it, as far as is known."""
        return not self.crossing.lost and not self.is_discarded and not self.is_dropped

    @property
    def data_start(self) -> int:
        """The position of the first payload byte: a SYN comes before its data."""
        return self.seq + self.syn

    @property
    def payload(self) -> Payload | None:
        """The payload as far as it was captured."""
        carried = self.crossing.carried
        return None if carried is None else carried.part(0, self.length)

    def freeze(self) -> Segment:
        """The segment, now that both sides have met it."""
        assert self.sender_state is not None, "every segment is followed before it is frozen"
        return Segment(
            self.crossing.number, self.from_client, self.seq, self.ack, self.length, self.flags,
            self.window_bytes, frozenset(self.notes) if self.notes else _NO_NOTES,
            self.sender_state, self.receiver_state, self.sack, self.is_dsack,
        )  # fmt: skip


def draft_segments(flow: Flow, wrong: frozenset[int], dropped: Collection[int] = ()) -> list[Draft]:
    """The flow's segments in order, with relative numbers and transport notes.

    `wrong` are the numbers of crossings whose checksums are, `dropped` of those that their
    receiver's kernel threw away.
    """
    drafts = [_draft(flow, crossing) for crossing in flow.crossings]
    _note_transport(drafts)
    for draft in drafts:
        if draft.crossing.number in wrong and Note.DAMAGED not in draft.notes:
            draft.note(Note.WRONG_CHECKSUM)
        draft.is_discarded = not DISCARDED.isdisjoint(draft.notes)
        if draft.crossing.number in dropped:
            draft.note(Note.DROPPED)
            draft.is_dropped = True
    _number(drafts)
    return drafts


def offered_shift(tcp: Tcp) -> int | None:
    """The window scale option's shift count in a SYN; None without the option."""
    option = tcp.option("window_scale")
    return min(option.value, _MAX_SHIFT) if option and isinstance(option.value, int) else None


def offering_syn(drafts: Sequence[Draft], from_client: bool) -> Draft | None:
    """The SYN whose options count for that side: the first that arrived, else the first."""
    syns = [d for d in drafts if d.syn and d.from_client == from_client and not d.is_discarded]
    return next((draft for draft in syns if draft.taken), syns[0] if syns else None)


def _draft(flow: Flow, crossing: Crossing) -> Draft:
    """Whether the flow's side `a` sent it the ports decide, wherever they differ."""
    by_port = flow.a.port != flow.b.port
    head = crossing.head
    if head is not None:
        source = head.ends[1]
        is_from = source.port == flow.a.port if by_port else source == flow.a
        return Draft(crossing, is_from, head[1:])
    tcp = crossing.packet.tcp
    assert tcp is not None, "a TCP flow has TCP segments only"
    if by_port:
        is_from = tcp.source_port == flow.a.port
    else:
        ends = transport_endpoints(crossing.packet)
        is_from = ends is not None and ends[0] == flow.a
    has_sack = bool(tcp.options) and tcp.option("sack") is not None
    flags = int(tcp.flags)
    header = tcp.seq, tcp.ack, flags, tcp.window, tcp.payload_bytes, has_sack
    return Draft(crossing, is_from, header)


def _bases(drafts: Sequence[Draft]) -> dict[bool, int]:
    """Each side's initial sequence number, by whether it is the client's.

    Without a SYN it is implied, as in tshark, by what comes first: the side's own first
    segment, which gets number 1, or an ACK of the peer's.
    """
    of_syn: dict[bool, int] = {}
    implied: dict[bool, int] = {}
    for draft in drafts:
        side = draft.from_client
        if draft.is_discarded:
            continue
        if draft.syn:
            of_syn.setdefault(side, draft.own_seq)
        implied.setdefault(side, draft.own_seq - 1)
        if draft.has_ack:
            implied.setdefault(not side, draft.own_ack - 1)
    return {True: 0, False: 0} | implied | of_syn


def _number(drafts: Sequence[Draft]) -> None:
    bases = _bases(drafts)
    highest = {True: 0, False: 0}
    for draft in drafts:
        side = draft.from_client
        draft.seq = unwrap(draft.own_seq, bases[side], highest[side])
        draft.end = draft.seq + draft.length + draft.syn + draft.fin
        if draft.has_ack:
            draft.ack = unwrap(draft.own_ack, bases[not side], highest[not side])
            option = draft.tcp.option("sack") if draft.has_sack else None
            if option is not None and isinstance(option.value, tuple):
                edges = [unwrap(e, bases[not side], draft.ack) for e in option.value]
                draft.sack = tuple(zip(edges[::2], edges[1::2], strict=True))
                draft.is_dsack = is_dsack(draft.sack, draft.ack)
        if not draft.rst and not draft.is_discarded:
            highest[side] = max(highest[side], draft.end)


def is_dsack(blocks: tuple[tuple[int, int], ...], ack: int) -> bool:
    """Whether the first block is below the ACK, or within the second (RFC 2883, 4)."""
    if not blocks:
        return False
    left, right = blocks[0]
    if right <= ack:
        return True
    return len(blocks) > 1 and blocks[1][0] <= left and right <= blocks[1][1]


def offering_syns(drafts: Sequence[Draft]) -> dict[bool, Draft]:
    """The SYNs whose options count, by whether they are the client's."""
    found = {side: offering_syn(drafts, side) for side in (True, False)}
    return {side: syn for side, syn in found.items() if syn is not None}


def scale_windows(drafts: Sequence[Draft], syns: Mapping[bool, Draft]) -> WindowScale:
    """Make window sizes bytes, as far as the shift counts are known; those."""
    scale = _window_scale(drafts, syns)
    if scale.client or scale.server:
        # A side advertises the same window again and again: each number is kept once.
        known: dict[int, int] = {}
        for draft in drafts:
            if not draft.syn:
                shift = (scale.client if draft.from_client else scale.server) or 0
                scaled = draft.window_bytes << shift
                draft.window_bytes = known.setdefault(scaled, scaled)
    return scale


def _window_scale(drafts: Sequence[Draft], syns: Mapping[bool, Draft]) -> WindowScale:
    shifts = {side: offered_shift(syn.tcp) for side, syn in syns.items()}
    if None in shifts.values():
        return WindowScale(0, 0)
    if len(shifts) == 1:
        ((side, shift),) = shifts.items()
        is_answer = any(d.syn and d.has_ack and d.from_client == side for d in drafts)
        # A SYN's offer alone is not yet an agreement.
        if not is_answer:
            return WindowScale(None, None)
        return WindowScale(shift, None) if side else WindowScale(None, shift)
    return WindowScale(shifts.get(True), shifts.get(False))


def _note_transport(drafts: Sequence[Draft]) -> None:
    """What happened to each frame on its way, from where it was seen."""
    came = [draft for draft in drafts if not (draft.crossing.lost or _seen_leaving(draft))]
    is_any_seen = len(came) < len(drafts) and any(map(_seen_leaving, drafts))
    asked = {draft.crossing.data for draft in came} if is_any_seen else set()
    left: set[bytes] = set()
    for draft in drafts if asked else ():
        if _seen_leaving(draft) and (data := draft.crossing.data) in asked:
            left.add(data)
    for draft in drafts:
        if draft.crossing.lost:
            draft.note(Note.LOST)
        elif is_any_seen and not _seen_leaving(draft):
            if draft.crossing.data in left:
                draft.note(Note.DUPLICATED)
            elif draft.tcp.checksum_ok is False:
                draft.note(Note.DAMAGED)
            elif draft.crossing.is_made:
                draft.note(Note.CHANGED)


def _seen_leaving(draft: Draft) -> bool:
    return draft.crossing.sent_ns is not None
