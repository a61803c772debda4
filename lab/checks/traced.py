"""Checks of any programs' system calls against what their calls put on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.decode import READ_CALLS, SEND_CALLS
from lab.analysis.order.connection_causes import opens_in_order
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.flow_ends import is_a_side
from lab.analysis.sockets.socket_calls import why_uncounted
from lab.checks.agreement import why_untraced
from lab.model.claim import (
    Verdict,
    broken,
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
    from collections.abc import Iterable

    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.flows.flow import Flow
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

NO_CONNECTION = "no TCP connection was opened"
UNJOINED = "no call could be joined with a connection on the wire"


@claim(
    "The SYN leaves after connect() is entered, and connect() returns after the SYN-ACK came.",
    source="connect(2); RFC 9293, 3.9.1",
    name="connect",
    by_headers=True,
)
def connects_around_the_handshake(timeline: Timeline) -> Verdict:
    """connect() is entered before its SYN leaves; it returns 0 after the SYN-ACK arrived."""
    return check_connects(timeline) or undecided(UNJOINED)


def check_connects(timeline: Timeline) -> Verdict | None:
    """The verdict on the calls of connect(); None if none could be joined with a connection."""
    if doubt := _doubt(timeline):
        return doubt
    calls, talks = timeline.call_of, timeline.opened
    findings: list[str] = []
    evidence: list[EventId] = []
    for call_id, flow in timeline.correlation.connects:
        call, talk = calls[call_id], talks.get(flow)
        if talk is None or talk.handshake is None:
            continue
        syn_ns, syn = _first_syn(talk.flow)
        answer = frame_id(talk.handshake.syn_ack)
        evidence += [call.id, syn, answer]
        if call.entry_ns > syn_ns:
            return broken(f"{syn} left before {call.id} was entered", [call.id, syn])
        if opens_in_order(talk) is None and not talk.handshake.simultaneous:
            findings.append(f"{call.id} did not wait (TCP Fast Open: {syn} brought data)")
            continue
        if call.error or call.exit_ns is None:
            findings.append(f"{call.id} did not wait ({call.error or 'it never returned'})")
            continue
        come_ns = _arrival(talk, answer)
        if call.exit_ns < come_ns:
            return broken(f"{call.id} returned before {answer} came", [call.id, answer])
        after = _us(call.exit_ns - come_ns)
        findings.append(f"{call.id} returned {after} after {answer} had come")
    return holds(first_of(findings), evidence) if findings else None


@claim(
    "accept() returns after the handshake's last ACK arrived.",
    source="accept(2); listen(2)",
    name="accept",
    by_headers=True,
)
def accepts_after_the_handshake(timeline: Timeline) -> Verdict:
    """accept() returns after the handshake's last segment arrived."""
    return check_accepts(timeline) or undecided(UNJOINED)


def check_accepts(timeline: Timeline) -> Verdict | None:
    """The verdict on the calls of accept(); None if none could be joined with a connection."""
    if doubt := _doubt(timeline):
        return doubt
    calls, talks = timeline.call_of, timeline.opened
    findings: list[str] = []
    evidence: list[EventId] = []
    for accepted in timeline.correlation.accepted:
        call, talk = calls[accepted.call], talks.get(accepted.flow)
        if talk is None or call.exit_ns is None:
            continue
        evidence += [call.id, accepted.ack]
        come_ns = _arrival(talk, accepted.ack)
        if call.exit_ns < come_ns:
            return broken(f"{call.id} returned before {accepted.ack} came", evidence[-2:])
        waited = "which had waited" if accepted.was_waiting else "which it had waited for"
        after = _us(call.exit_ns - come_ns)
        findings.append(f"{call.id} returned {after} after {accepted.ack}, {waited}")
    return holds(first_of(findings), evidence) if findings else None


@claim(
    "The bytes that calls sent are those on the wire, and those that calls read.",
    source="send(2); recv(2); RFC 9293, 3.4",
    statements=("I1",),
    name="accounting",
)
def reads_each_byte_of_streams(timeline: Timeline) -> Verdict:
    """The bytes that calls sent are those on the wire, and those that calls read: all of them."""
    return _account(timeline, "tcp")


@claim(
    "The bytes that calls sent are those on the wire, and those that calls read.",
    source="sendto(2); recvfrom(2); RFC 768",
    statements=("I1",),
    name="accounting",
)
def reads_each_byte_of_datagrams(timeline: Timeline) -> Verdict:
    """The same of datagrams that were neither lost nor left unread."""
    return _account(timeline, "udp")


def channels_of(timeline: Timeline, protocol: str) -> list[Channel]:
    """The channels of the protocol's flows."""
    channels = timeline.correlation.channels
    return [c for c in channels if c.flow is not None and c.flow.protocol == protocol]


def _account(timeline: Timeline, protocol: str) -> Verdict:
    """The bytes of all channels of a protocol: sent, on the wire, read, the same of each."""
    if not timeline.system_calls:
        return skipped(why_untraced(timeline))
    channels = channels_of(timeline, protocol)
    findings: list[str] = []
    evidence: list[EventId] = []
    for channel in channels:
        if channel.uncounted:
            why = why_uncounted(timeline.call_of[channel.uncounted])
            return undecided(f"{channel.flow}: not counted: {why}", [channel.uncounted])
        if channel.carried is None or not channel.sender or not channel.receiver:
            return undecided(f"{channel.flow}: one of its sockets is unknown")
        said = accounting_of(channel)
        if channel.carried > channel.sent and (call := unfinished_send(timeline, channel)):
            return undecided(f"{said}; nothing says how many bytes {call} sent", [call])
        events = [event for part in channel.parts for event in (part.call, *part.reads)]
        if not channel.sent == channel.carried == channel.read:
            return miscounted(timeline, channel, said, dict.fromkeys(events))
        findings.append(said)
        evidence += events
    return holds(first_of(findings), dict.fromkeys(evidence)) if findings else undecided(UNJOINED)


def accounting_of(channel: Channel) -> str:
    """ "tcp 0: 1 send → 1 segment → 1 read; 7 bytes sent, 7 on the wire, 7 read"."""
    return (
        f"{channel.flow}: {channel.counts}; {counted(channel.sent, 'byte')} sent, "
        f"{channel.carried} on the wire, {channel.read} read"
    )


def miscounted(
    timeline: Timeline, channel: Channel, said: str, events: Iterable[EventId]
) -> Verdict:
    """What is to be said where calls and wire have other bytes: they contradict each other.

    A fault that a second instrument saw is one: the programs printed the same calls as were
    traced, or a datagram left as it was sent, came nowhere and was read by nobody.
    """
    owners = (timeline.endpoint_of.get(end) for end in (channel.sender, channel.receiver))
    programs = {owner.program for owner in owners if owner is not None}
    agreements = [timeline.agreements.get(program) for program in programs]
    # A call on a socket that is unknown may be one of those that are counted.
    is_known = all(
        call.socket
        for call in timeline.system_calls
        if call.program in programs and call.name in SEND_CALLS | READ_CALLS
    )
    is_printed = is_known and all(each is not None and each.is_whole for each in agreements)
    is_udp = channel.flow is not None and channel.flow.protocol == "udp"
    is_less = channel.read == channel.carried and channel.read < channel.sent
    is_loss = is_udp and is_less and all(part.segments for part in channel.parts)
    if (agreements and is_printed) or is_loss:
        return broken(said, events)
    return undecided(f"{said}: the tracer or the capture is wrong", events)


def unfinished_send(timeline: Timeline, channel: Channel) -> EventId | None:
    """A call that may have sent something and never returned; None if there is none."""
    sends = timeline.socket_calls.sends(channel.sender)
    return next((c.id for c in sends if c.result is None), None)


def was_delivered(timeline: Timeline, channel: Channel) -> bool:
    """Whether all that was sent this way was acknowledged, the FIN behind it too."""
    talk = timeline.opened.get(channel.flow) if channel.flow is not None else None
    if talk is None:
        return False
    sender = timeline.endpoint_of.get(channel.sender)
    if sender is None:
        return False
    # By its address: on lo both ends are at one host.
    is_clients = is_a_side(sender, talk.flow)
    stream = talk.client_to_server if is_clients else talk.server_to_client
    return stream.fin_acked is not None


def _doubt(timeline: Timeline) -> Verdict | None:
    """Why nothing can be said of connections; None where something can."""
    if not timeline.opened:
        return nothing_seen(NO_CONNECTION)
    return None if timeline.system_calls else skipped(why_untraced(timeline))


def _first_syn(flow: Flow) -> tuple[int, EventId]:
    """When the first SYN left, and its frame."""
    return next(
        (crossing.time_ns, crossing.id)
        for crossing in flow.crossings
        if crossing.packet.tcp is not None and crossing.packet.tcp.flags & TcpFlags.SYN
    )


def _arrival(talk: TcpConversation, frame: EventId) -> int:
    """When a frame arrived; where that was not seen, when it left."""
    crossing = next(crossing for crossing in talk.flow.crossings if crossing.id == frame)
    return crossing.received_ns if crossing.received_ns is not None else crossing.time_ns


def _us(duration_ns: int) -> str:
    return f"{duration_ns / 1000:.0f} µs"
