"""Why no FIN comes after close(): another process has the socket, or bytes are before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.holders import F_DUPS, holders_of
from lab.analysis.causes.facts.standing import READS, SENDS, Standing
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.held import places_of
from lab.analysis.tcp.segment import Note
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation

_FIN, _RST = int(TcpFlags.FIN), int(TcpFlags.RST)
_LATE_NS = 500_000_000
_SURELY_NS = 10_000_000
"""What has a socket open so long after a close(2) did not only begin to close it as well."""


def closings(facts: StepFacts) -> Iterator[Cause]:
    """Why a close(2) was not followed by a FIN, or late."""
    for talk, is_client, socket in facts.evidence.tcp_ends():
        if talk.handshake is None:
            continue
        cause = _held_open(facts, talk, is_client, socket)
        if cause is None and facts.is_traced:
            cause = _behind_bytes(facts, talk, is_client, socket)
        if cause is not None:
            yield cause


def _ended_ns(facts: StepFacts, talk: TcpConversation, is_client: bool) -> int | None:
    """When a side sent its FIN or RST, or the lab ended it; None where neither was seen."""
    ends = [
        facts.departure_ns(each)
        for each in talk.segments
        if each.from_client == is_client and int(each.flags) & (_FIN | _RST)
    ]
    return min((each for each in (*ends, facts.stopped_ns) if each is not None), default=None)


def _held_open(
    facts: StepFacts, talk: TcpConversation, is_client: bool, socket: Endpoint
) -> Cause | None:
    """One process closed it, and another has it still. Source: close(2); fork(2)."""
    ended_ns = _ended_ns(facts, talk, is_client)
    closes = [call for call in facts.calls_on(socket, "close") if ended_ns is not None]
    if ended_ns is None or not closes or ended_ns - closes[0].entry_ns < _LATE_NS:
        return None
    then = Standing(facts, talk, is_client, closes[0].entry_ns + _LATE_NS)
    if then.sent != then.came or _is_used_after(facts, socket, closes[0]):
        return None  # bytes before it may be why, or it goes on being served elsewhere
    holders = holders_of(facts, socket, then.now_ns)
    closed, other = closes[0], _other_descriptor(facts, socket, closes[0])
    if holders is not None and holders.left and holders.closed and facts.is_traced:
        closed = holders.closed[0]
        who = "which made it" if holders.made.pid in holders.left else "which fork() made"
        why = (
            f"closed the socket in one process of {socket.program} alone: process "
            f"{holders.left[0]}, {who} ({holders.made.id}), had it open as well"
        )
        other = holders.made
    elif other is not None:
        why = f"closed one descriptor of the socket, and {named(other)} had made another"
    else:
        return _seen_open(facts, talk, is_client, closes[-1], ended_ns)
    until = "the lab ended it" if facts.is_over(ended_ns) else "it closed that as well, or ended"
    return Cause(
        "held-open",
        f"{named(closed)} {why}. So no FIN was sent for {ms(ended_ns - closed.entry_ns)}, until "
        f"{until}: the kernel ends a connection when its last descriptor is closed.",
        socket.program,
        known_ids(other, closed),
        "close(2); fork(2); dup(2)",
        Surprise.ELSEWHERE,
    )


def _seen_open(
    facts: StepFacts, talk: TcpConversation, is_client: bool, closed: SystemCall, ended_ns: int
) -> Cause | None:
    """A socket that was closed, and that its kernel shows open behind another descriptor.

    One that dup(2) made, or that another process got by SCM_RIGHTS, does not show in calls on it.
    """
    host = facts.host_of(talk, is_client)
    ends = tuple(facts.place_of(talk, each) for each in (is_client, not is_client))
    for held in facts.timeline.held:
        if held.host != host or not held.holders or places_of(held) != ends:
            continue
        if not closed.entry_ns + _SURELY_NS < held.time_ns < ended_ns:
            continue
        holder = held.holders[0]
        who = f"process {holder.pid} ({holder.command})"
        if holder.pid == closed.pid:
            who = f"the same {who}, by another descriptor,"
        return Cause(
            "held-open",
            f"{named(closed)} closed the socket, and {who} had it open still, as /proc/PID/fd "
            f"showed {ms(held.time_ns - closed.entry_ns)} later. So no FIN was sent for "
            f"{ms(ended_ns - closed.entry_ns)}: the kernel ends a connection when its last "
            "descriptor is closed.",
            closed.program,
            known_ids(closed),
            "close(2); dup(2); unix(7), SCM_RIGHTS",
            Surprise.ELSEWHERE,
        )
    return None


def _is_used_after(facts: StepFacts, socket: Endpoint, closed: SystemCall) -> bool:
    """Whether who still has it reads or sends: a server that forks closes what its child serves."""
    return any(
        call.exit_ns is None or call.exit_ns > closed.entry_ns
        for call in facts.evidence.calls.on(socket.id)
        if call.name in READS | SENDS
    )


def _other_descriptor(facts: StepFacts, socket: Endpoint, closed: SystemCall) -> SystemCall | None:
    """The call that had made another descriptor of it before, in the same process."""
    for call in facts.calls_on(socket, "dup", "dup2", "dup3", "fcntl"):
        is_copy = call.name != "fcntl" or call.number("op") in F_DUPS
        if is_copy and call.pid == closed.pid and call.entry_ns < closed.entry_ns:
            return call
    return None


def _behind_bytes(
    facts: StepFacts, talk: TcpConversation, is_client: bool, socket: Endpoint
) -> Cause | None:
    """A FIN behind bytes that the peer had no room for. Source: RFC 9293, 3.10.4.

    One that waits for a slow link waits as all bytes do.
    """
    ends = facts.evidence.calls.ends_sending(socket.id)
    fins = [
        each for each in talk.segments if each.from_client == is_client and int(each.flags) & _FIN
    ]
    if ends is None or ends.exit_ns is None or not fins:
        return None
    left_ns = facts.departure_ns(fins[0])
    before = Standing(facts, talk, is_client, ends.exit_ns)
    had_left = max((each.seq + each.length - 1 for each in before.segments), default=0)
    waiting = before.sent - had_left
    if left_ns - ends.exit_ns < _LATE_NS or waiting <= 0 or facts.is_over(left_ns):
        return None
    shut = [
        each
        for each in talk.segments
        if each.from_client != is_client
        and Note.ZERO_WINDOW in each.notes
        and facts.departure_ns(each) < left_ns
    ]
    if not shut:
        return None
    fin, full = frame_id(fins[0].crossing), frame_id(shut[-1].crossing)
    return Cause(
        "fin-behind-bytes",
        f"{named(ends)} returned at once, and its FIN ({fin}) left {ms(left_ns - ends.exit_ns)} "
        f"later: {counted(waiting, 'byte')} before it were still in the send buffer, as the peer "
        f"had no room for them (window 0, {full}).",
        socket.program,
        known_ids(ends, full, fin),
        "RFC 9293, 3.10.4; close(2)",
        Surprise.HIDDEN,
    )
