"""Claims about any two programs' calls: what one side did is judged by that side.

Of a connection or datagram only one end may be a traced program's: a datagram to a port where
nobody is has left all the same, and a connection may stay in an accept queue.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.sockets.socket_calls import hiding, why_uncounted
from lab.checks.agreement import why_untraced
from lab.checks.traced import (
    NO_CONNECTION,
    UNJOINED,
    accepts_after_the_handshake,
    accounting_of,
    channels_of,
    check_accepts,
    check_connects,
    connects_around_the_handshake,
    miscounted,
    unfinished_send,
    was_delivered,
)
from lab.model.claim import (
    Outcome,
    Verdict,
    claim,
    first_of,
    holds,
    nothing_seen,
    skipped,
    undecided,
)
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.flows.flow import FlowId
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

NO_DATAGRAM = "no UDP datagram was sent"
_ACCEPTS = frozenset({"accept", "accept4"})


@claim(
    "The SYN leaves after connect() is called, which returns after the SYN-ACK has come.",
    source="connect(2); RFC 9293, 3.10.1",
    name=connects_around_the_handshake.name,
    by_headers=True,
)
def connects_where_it_is_called(timeline: Timeline) -> Verdict:
    """Each connect() that could be joined; nothing to judge where none opened a connection."""
    if found := check_connects(timeline):
        return found
    if timeline.correlation.connects or any(_connected(timeline)):
        return undecided(UNJOINED)
    if hidden := hidden_use(timeline):
        return hidden
    return nothing_seen("no call of connect() opened a connection that was seen")


@claim(
    "accept() returns after the handshake's ACK has come.",
    source=accepts_after_the_handshake.source,
    name=accepts_after_the_handshake.name,
    by_headers=True,
)
def accepts_where_it_is_called(timeline: Timeline) -> Verdict:
    """Each accept() that could be joined; nothing to judge where none returned a connection."""
    if found := check_accepts(timeline):
        return found
    tcp = {each.id for each in timeline.endpoints if each.protocol == "tcp"}
    returned = (call for call in timeline.system_calls if call.name in _ACCEPTS)
    if any(tcp.intersection(call.made) for call in returned):
        return undecided(UNJOINED)
    if hidden := hidden_use(timeline):
        return hidden
    return nothing_seen("no call of accept() returned a connection")


@claim(
    "The bytes of a TCP connection are neither made nor lost on their way: what calls sent is on "
    "the wire, but for what a RST threw away, and calls read nothing else.",
    source="RFC 9293, 2.2 and 3.10.7.4; tcp(7)",
    name="stream-bytes",
)
def moves_each_byte_of_streams(timeline: Timeline) -> Verdict:
    """Nothing is read that did not arrive, and nothing arrives that no call sent.

    What an acknowledged FIN follows has arrived whole. Of a connection that neither closed so nor
    was reset nothing says what became of bytes that are not on the wire. What is never read is no
    fault.
    """
    talks = timeline.opened
    if not talks:
        return nothing_seen(NO_CONNECTION)
    if not timeline.system_calls:
        return skipped(why_untraced(timeline))
    carrying = {id for id, talk in talks.items() if any(each.length for each in talk.segments)}
    return _bytes(timeline, "tcp") or _unjoined(timeline, carrying, "no connection carried a byte")


@claim(
    "The bytes of a UDP exchange are not made on their way: calls sent what is on the wire, and "
    "read nothing else.",
    source="RFC 768; udp(7)",
    name="datagram-bytes",
)
def moves_each_byte_of_datagrams(timeline: Timeline) -> Verdict:
    """The same of datagrams, which may be lost: those that never reached the wire are named.

    One that no call sent is not made up for by another that is missing, and what no datagram
    brought is not by one that was not read.
    """
    flows = {flow.id for flow in timeline.flows if flow.protocol == "udp"}
    if not flows:
        return nothing_seen(NO_DATAGRAM)
    if not timeline.system_calls:
        return skipped(why_untraced(timeline))
    return _bytes(timeline, "udp") or _unjoined(timeline, flows, NO_DATAGRAM)


def hidden_use(timeline: Timeline, host: str = "") -> Verdict | None:
    """Why calls on sockets do not show all that a host's programs did with them; None if so.

    Of all programs without a host.
    """
    for call in hiding(timeline.system_calls):
        if host in ("", call.host):
            return undecided(why_uncounted(call), [call.id])
    return None


def raw_sockets(timeline: Timeline, host: str = "") -> list[Endpoint]:
    """The raw and packet sockets of a host's traced programs; of all of them without a host."""
    return [
        each
        for each in timeline.endpoints
        if host in ("", each.host) and (each.domain == "AF_PACKET" or each.type == "SOCK_RAW")
    ]


def _connected(timeline: Timeline) -> Iterable[EventId]:
    """The calls of connect() on TCP sockets that succeeded."""
    tcp = {each.id for each in timeline.endpoints if each.protocol == "tcp"}
    for call in timeline.system_calls:
        if call.name == "connect" and call.socket in tcp and call.result == 0:
            yield call.id


def _unjoined(timeline: Timeline, flows: Iterable[FlowId], nothing: str) -> Verdict:
    """What is to be said where no call could be joined with what is in these flows."""
    if not flows:
        return nothing_seen(nothing)
    if raw := raw_sockets(timeline):
        owner = raw[0].program
        return nothing_seen(f"what was sent is a raw socket's of {owner}, no transport's")
    return hidden_use(timeline) or undecided(UNJOINED)


class _Index(NamedTuple):
    """What is asked of a timeline again and again, since a run may have thousands of ways."""

    socket_of: Mapping[EventId, str]
    """By call."""
    first_of: Mapping[FlowId, EventId]
    """Each flow's first frame."""


def _bytes(timeline: Timeline, protocol: str) -> Verdict | None:
    """The bytes of all ways of a protocol's flows; None if no call could be joined with any."""
    index = _Index(
        {call.id: call.socket for call in timeline.system_calls},
        {flow.id: flow.crossings[0].id for flow in timeline.flows},
    )
    verdicts = [_of_way(timeline, index, channel) for channel in channels_of(timeline, protocol)]
    for worse in (Outcome.BROKEN, Outcome.UNDECIDED):
        for verdict in verdicts:
            if verdict.outcome is worse:
                return verdict
    if not verdicts:
        return None
    evidence = dict.fromkeys(event for verdict in verdicts for event in verdict.evidence)
    return holds(first_of([verdict.why for verdict in verdicts]), evidence)


def _of_way(timeline: Timeline, index: _Index, channel: Channel) -> Verdict:
    """The bytes of one way, as far as its ends are traced programs'."""
    if channel.uncounted and not _is_counted_by_sender(channel):
        call = timeline.call_of[channel.uncounted]
        return undecided(f"{channel.flow}: not counted: {why_uncounted(call)}", [call.id])
    carried = channel.carried
    if carried is None:
        return undecided(f"{channel.flow}: what the wire carried of it is unknown")
    said = accounting_of(channel)
    if not channel.sender:
        said = f"{channel.flow}: {counted(carried, 'byte')} on the wire, {channel.read} read"
    events = dict.fromkeys(event for p in channel.parts for event in (p.call, *p.reads))
    events |= dict.fromkeys(part.call for part in channel.read_parts)
    if channel.sender and carried > channel.sent:
        if call_id := unfinished_send(timeline, channel):
            return undecided(f"{said}; nothing says how many bytes {call_id} sent", [call_id])
        sender = timeline.endpoint_of.get(channel.sender)
        host = "" if sender is None else sender.host
        if raw := raw_sockets(timeline, host):
            return undecided(f"{said}; a raw socket of {raw[0].program} may have sent the rest")
        return miscounted(timeline, channel, said, events)
    is_lost = carried < channel.sent and was_delivered(timeline, channel)
    if is_lost or (channel.receiver and _read_by_one(index, channel) > carried):
        return miscounted(timeline, channel, said, events)
    if channel.unbrought and channel.read < carried:
        call_id = channel.unbrought[0]
        return undecided(f"{said}; and no datagram brought what {call_id} read", [call_id])
    if channel.sender and carried < channel.sent:
        return _of_less(timeline, channel, carried, said, events)
    assert channel.flow is not None, "what the wire carried is a flow's"
    return holds(said, events or [index.first_of[channel.flow]])


def _of_less(
    timeline: Timeline,
    channel: Channel,
    carried: int,
    said: str,
    events: Mapping[EventId, None],
) -> Verdict:
    """Of a way on which less is on the wire than calls sent."""
    talk = timeline.opened.get(channel.flow) if channel.flow is not None else None
    if talk is not None and talk.resets:
        reset = frame_id(talk.resets[0])
        left = counted(channel.sent - carried, "byte")
        return holds(f"{said}; {left} went with the RST, {reset}", [*events, reset])
    if talk is not None:
        why = f"the connection ended otherwise than by FIN or RST: {talk.teardown.value}"
        return undecided(f"{said}; what became of the rest is unknown: {why}", events)
    if channel.unsent:
        frame = channel.unsent[0]
        return undecided(f"{said}; and {frame} is none of those that calls sent", [frame])
    absent = [part.call for part in channel.parts if not part.segments]
    never = f"{first_of([str(call) for call in absent])} never reached the wire"
    return holds(f"{said}; {never}" if absent else said, events)


def _is_counted_by_sender(channel: Channel) -> bool:
    """Whether the sender's calls account for all that went, whatever the receiver's do."""
    is_whole = bool(channel.sender) and channel.sent == channel.carried
    return is_whole and channel.read <= channel.sent


def _read_by_one(index: _Index, channel: Channel) -> int:
    """The most bytes that one socket read: each of a multicast group's gets all (ip(7))."""
    by_socket: Counter[str] = Counter()
    for part in channel.read_parts:
        by_socket[index.socket_of.get(part.call, "")] += part.end - part.start
    elsewhere = sum(by_socket.values()) - max(by_socket.values(), default=0)
    return channel.read - elsewhere
