"""A TCP flow understood: segments, states, handshake, options, bytes and how it ended."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from lab.analysis.flows.checksums import Checksums, judge_checksums
from lab.analysis.tcp.segment import (
    Draft,
    Note,
    Segment,
    WindowScale,
    draft_segments,
    offered_shift,
    offering_syns,
    scale_windows,
)
from lab.analysis.tcp.side import Side
from lab.analysis.tcp.state import State, TcpEvent
from lab.analysis.tcp.stream import Stream
from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lab.analysis.flows.flow import Flow


class Teardown(enum.Enum):
    """How a conversation ended, as far as it was captured."""

    FIN = "FIN from both sides"
    HALF_CLOSED = "FIN from one side only"
    RESET = "RST"
    NONE = "not closed"


@frozen
class Handshake:
    """The segments that opened the connection, by crossing number. Source: RFC 9293, 3.5."""

    syn: int
    """The client's last SYN that arrived before it was answered."""
    syn_ack: int
    """The server's first that acknowledges it."""
    ack: int
    """The client's first that acknowledges the server's SYN."""
    client_isn: int
    server_isn: int
    syn_to_syn_ack_ns: int
    """From `syn` leaving the client to `syn_ack` reaching it, where both were captured
    there; else between their times at the capture point."""
    simultaneous: bool
    """Both sides sent a SYN without ACK."""


@frozen
class Offer:
    """What one side's SYN offered."""

    mss: int | None
    window_scale: int | None
    """The shift count; above 14 counts as 14 (RFC 7323, 2.3)."""
    sack_permitted: bool
    timestamps: bool


@frozen
class Agreed:
    """What holds for the connection, by both sides' offers."""

    mss_to_server: int
    """The largest segment the client may send, options included: what the server announced,
    else the default of 536 bytes, for IPv6 1220 (RFC 9293, 3.7.1)."""
    mss_to_client: int
    window_scale: tuple[int, int] | None
    """Shift counts of the client's and the server's windows; None unless both offered."""
    sack_permitted: bool
    timestamps: bool


@frozen
class TcpConversation:
    """A TCP flow, followed from its first captured segment to its last."""

    flow: Flow
    segments: tuple[Segment, ...]
    """In the order of the flow's crossings."""
    handshake: Handshake | None
    """None where it was not captured whole."""
    client_offer: Offer | None
    """None where that side's SYN was not captured."""
    server_offer: Offer | None
    agreed: Agreed | None
    window_scale: WindowScale
    """What is known of scaling, from one SYN if need be."""
    checksums: Checksums
    client_to_server: Stream
    server_to_client: Stream
    resets: tuple[int, ...]
    """Crossing numbers of the RSTs."""
    teardown: Teardown
    client_state: State
    """After the last captured segment."""
    server_state: State

    @property
    def aborts(self) -> tuple[int, ...]:
        """Those of the RSTs that ended it: crossing numbers.

        Once both sides' FINs are acknowledged, and the acknowledgments have come, nothing is open
        any more, and nothing is lost: a RST that is sent after that answers a segment for which
        there is no connection (RFC 9293, 3.10.7.1).
        """
        acked = self.client_to_server.fin_acked, self.server_to_client.fin_acked
        if acked[0] is None or acked[1] is None or not self.resets:
            return self.resets
        wanted = {*acked, *self.resets}
        crossing_of = {each.number: each for each in self.flow.crossings if each.number in wanted}

        def arrived_ns(number: int) -> int:
            seen = crossing_of[number]
            return seen.time_ns if seen.received_ns is None else seen.received_ns

        over_ns = max(arrived_ns(acked[0]), arrived_ns(acked[1]))
        return tuple(number for number in self.resets if crossing_of[number].time_ns < over_ns)

    @property
    def is_of_one_socket(self) -> bool:
        """Whether both ends are one: a socket that has connected to itself (RFC 9293, 3.5)."""
        return self.flow.a == self.flow.b


_NEVER_LEFT = frozenset({Note.DUPLICATED, Note.DAMAGED, Note.CHANGED})

_Action = tuple[int, int, bool]
"""A segment leaving its sender or reaching its receiver: time, index, whether it arrives."""


def analyse_tcp(flow: Flow, dropped: Collection[int] = ()) -> TcpConversation:
    """What the flow's segments did at each end; `a` is the client.

    Each end sees its own segments when they left and the peer's when they arrived. A side whose
    SYN was captured starts CLOSED, the one it called LISTEN. With neither side's
    SYN captured both start ESTABLISHED, which is inferred. A socket that has connected to itself is
    both ends, and what it sends is what it receives. `dropped` are the numbers of crossings
    that the receiver's kernel is known to have thrown away: what they carried, it never had.
    """
    checksums = judge_checksums(flow)
    drafts = draft_segments(flow, checksums.wrong, dropped)
    syns = offering_syns(drafts)
    window_scale = scale_windows(drafts, syns)
    client = _open_side(drafts, True)
    server = client if flow.a == flow.b else _open_side(drafts, False)
    client.round_trip_ns = server.round_trip_ns = _round_trip_ns(drafts)
    _follow(drafts, client, server)
    offers = [_offer(syns.get(side)) for side in (True, False)]
    to_server = client.stream_to(server, whole=True in syns)
    to_client = server.stream_to(client, whole=False in syns)
    resets = tuple(d.crossing.number for d in drafts if d.rst and not d.is_discarded)
    return TcpConversation(
        flow=flow,
        segments=tuple(draft.freeze() for draft in drafts),
        handshake=_handshake(drafts, client, server),
        client_offer=offers[0],
        server_offer=offers[1],
        agreed=_agree(offers[0], offers[1], flow.a.address.version),
        window_scale=window_scale,
        checksums=checksums,
        client_to_server=to_server,
        server_to_client=to_client,
        resets=resets,
        teardown=_teardown(to_server, to_client, resets),
        client_state=client.state,
        server_state=server.state,
    )


def _open_side(drafts: Sequence[Draft], from_client: bool) -> Side:
    drafts = [draft for draft in drafts if not draft.is_discarded]
    own = [draft for draft in drafts if draft.from_client == from_client]
    active = any(draft.bare_syn for draft in own)
    has_syn = any(draft.syn for draft in own)
    end = max((draft.end for draft in own if not draft.rst), default=1)
    if not any(draft.syn for draft in drafts):
        state = State.ESTABLISHED
    elif from_client:
        state = State.CLOSED if active else State.SYN_SENT
    else:
        # Nobody listens where the first answer is a RST (RFC 9293, 3.10.7.1).
        refuses = bool(own) and own[0].rst
        state = State.CLOSED if active or refuses else State.LISTEN
    return Side(state, 0 if has_syn else 1, max(end, 1), active)


def _round_trip_ns(drafts: Sequence[Draft]) -> int:
    """From the client's last SYN over the SYN-ACK to its ACK, as any point sees it; 0 if unknown.

    The way from the point to the server and back, and that to the client and back.
    """
    syn = answer = None
    for draft in drafts:
        if draft.is_discarded:
            continue
        if draft.bare_syn and draft.from_client:
            syn, answer = draft, None
        elif draft.syn and not draft.from_client:
            answer = draft
        elif syn and answer and draft.from_client and draft.ack is not None:
            return draft.crossing.time_ns - syn.crossing.time_ns
        elif not draft.syn:
            break
    return 0


def _follow(drafts: Sequence[Draft], client: Side, server: Side) -> None:
    """Take both sides through everything they sent and received, in order of time."""
    actions = _actions(drafts)
    next_acks = _next_acks(drafts, actions)
    last_syn = {
        drafts[index].from_client: position
        for position, (_, index, arrives) in enumerate(actions)
        if not arrives and drafts[index].syn and not drafts[index].is_discarded
    }
    answered: set[bool] = set()
    for position, (_, index, arrives) in enumerate(actions):
        draft = drafts[index]
        sender, receiver = (client, server) if draft.from_client else (server, client)
        if draft.is_discarded:
            draft.receiver_state = receiver.state if arrives else draft.receiver_state
            draft.sender_state = draft.sender_state or sender.state
            continue
        if arrives and draft.is_dropped:
            receiver.drop(draft)
            draft.receiver_state = receiver.state
            draft.sender_state = draft.sender_state or sender.state
            continue
        if arrives:
            ack_taken = last_syn.get(not draft.from_client, -1) < position
            receiver.receive(draft, sender, next_acks[position], ack_taken=ack_taken)
            draft.receiver_state = receiver.state
            draft.sender_state = draft.sender_state or sender.state
            continue
        sender.send(draft, receiver)
        draft.sender_state = sender.state
        if draft.syn and not draft.bare_syn and draft.from_client not in answered:
            answered.add(draft.from_client)
            # In a simultaneous open seen from one point, the peer's SYN-ACK may pass that
            # point before this side's own: it arrived after this one was sent.
            if sender.is_acked(0, sender.unacknowledged):
                sender.move(TcpEvent.RECEIVE_ACK_OF_SYN)


def _actions(drafts: Sequence[Draft]) -> list[_Action]:
    """Departures and arrivals in order; a frame seen once only leaves and arrives then.

    The drafts are in order. Where the clock of a foreign capture was set back, times begin anew:
    what is missing to the last one is added from there on. A segment whose checksum is wrong has
    both as well, so that it has its place among the states.
    """
    actions: list[_Action] = []
    added_ns = latest_ns = 0
    for index, draft in enumerate(drafts):
        crossing = draft.crossing
        added_ns = max(added_ns, latest_ns - crossing.time_ns)
        latest_ns = crossing.time_ns + added_ns
        if not draft.notes or draft.notes.isdisjoint(_NEVER_LEFT):
            actions.append((latest_ns, index, False))
        if crossing.received_ns is not None:
            actions.append((max(crossing.received_ns + added_ns, latest_ns), index, True))
    return sorted(actions)


def _next_acks(drafts: Sequence[Draft], actions: Sequence[_Action]) -> list[int | None]:
    """For each arrival, the ACK of what its receiver sends next; a SYN without ACK has none.

    None of a SYN that came again before that: TCP answers one at once, so it was the last copy
    that was answered.
    """
    found: list[int | None] = [None] * len(actions)
    latest: dict[bool, int | None] = {True: None, False: None}
    came_again = {True: False, False: False}
    for position in range(len(actions) - 1, -1, -1):
        _, index, arrives = actions[position]
        draft = drafts[index]
        receiver = not draft.from_client
        if not arrives:
            came_again[draft.from_client] = False
        if arrives:
            is_answered = not (draft.syn and came_again[receiver])
            found[position] = latest[receiver] if is_answered else None
            came_again[receiver] |= draft.syn and draft.taken
        elif not (draft.rst or draft.is_discarded) and (draft.syn or draft.ack is not None):
            latest[draft.from_client] = draft.ack
    return found


def _handshake(drafts: Sequence[Draft], client: Side, server: Side) -> Handshake | None:
    taken = [draft for draft in drafts if draft.taken and not draft.rst]
    answers = (d for d in taken if not d.from_client and d.syn and client.is_acked(0, d.ack))
    syn_ack = next(answers, None)
    if syn_ack is None:
        return None
    before = taken[: taken.index(syn_ack)]
    syns = [draft for draft in before if draft.from_client and draft.bare_syn]
    acks = (
        draft
        for draft in taken
        if draft.from_client
        and server.is_acked(0, draft.ack)
        # After a RST, of a client's kernel that knows nothing of the SYN, there is nothing to open.
        and draft.receiver_state not in (State.LISTEN, State.CLOSED)
    )
    ack = next(acks, None)
    if not syns or ack is None:
        return None
    syn = syns[-1]
    arrived_ns = syn_ack.crossing.received_ns
    assert arrived_ns is not None, "a segment that was taken has arrived"
    return Handshake(
        syn=syn.crossing.number,
        syn_ack=syn_ack.crossing.number,
        ack=ack.crossing.number,
        client_isn=syn.own_seq,
        server_isn=syn_ack.own_seq,
        syn_to_syn_ack_ns=arrived_ns - syn.crossing.time_ns,
        simultaneous=server.active,
    )


def _offer(syn: Draft | None) -> Offer | None:
    if syn is None:
        return None
    mss = syn.tcp.option("mss")
    return Offer(
        mss=mss.value if mss and isinstance(mss.value, int) else None,
        window_scale=offered_shift(syn.tcp),
        sack_permitted=syn.tcp.option("sack_permitted") is not None,
        timestamps=syn.tcp.option("timestamps") is not None,
    )


def _agree(client: Offer | None, server: Offer | None, ip_version: int) -> Agreed | None:
    if client is None or server is None:
        return None
    default_mss = 536 if ip_version == 4 else 1220
    scale = None
    if client.window_scale is not None and server.window_scale is not None:
        scale = client.window_scale, server.window_scale
    return Agreed(
        mss_to_server=default_mss if server.mss is None else server.mss,
        mss_to_client=default_mss if client.mss is None else client.mss,
        window_scale=scale,
        sack_permitted=client.sack_permitted and server.sack_permitted,
        timestamps=client.timestamps and server.timestamps,
    )


def _teardown(to_server: Stream, to_client: Stream, resets: tuple[int, ...]) -> Teardown:
    if to_server.fin_acked is not None and to_client.fin_acked is not None:
        return Teardown.FIN  # a RST after that meets nothing that is still open
    if resets:
        return Teardown.RESET
    fins = (to_server.fin is not None) + (to_client.fin is not None)
    return (Teardown.NONE, Teardown.HALF_CLOSED, Teardown.FIN)[fins]
