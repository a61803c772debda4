"""Checks of how a peer that says nothing more is found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import UNTAKEN, Note
from lab.checks.connections.waits import check_doubling, milliseconds
from lab.checks.tcp import on_the_connection
from lab.model.claim import Outcome, Verdict, broken, claim, holds, undecided
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.tcp.segment import Segment
    from lab.checks.tcp import Connection
    from lab.model.event import EventId

NO_PROBE = "no keep-alive was sent"
EARLY_NS = 20_000_000
"""Linux counts timers in jiffies, of up to 10 ms (CONFIG_HZ=100), and rounds some of them."""
LATE = 1.5
"""So many times as long as it should a timer may take on a busy machine."""


@claim(
    "A peer that is alive answers a keep-alive; no program notices.",
    source="RFC 9293, 3.8.4; tcp(7), TCP_KEEPIDLE",
    name="alive",
)
@on_the_connection
def is_answered_by_the_living(connection: Connection) -> Verdict:
    """A keep-alive of the client's came, and was answered; the client's calls did not fail."""
    probes = _keep_alives(connection)
    if not probes:
        return broken(NO_PROBE)
    evidence = [frame_id(each.crossing) for each in probes]
    answers = [
        each
        for each in connection.conversation.segments
        if not each.from_client and Note.KEEP_ALIVE_ACK in each.notes and not each.notes & UNTAKEN
    ]
    if not answers:
        return broken(f"{evidence[0]} was not answered", evidence)
    evidence.append(frame_id(answers[0].crossing))
    if not connection.client_calls:
        return undecided("the client printed no calls", evidence)
    if failed := [call for call in connection.client_calls if call.error]:
        return broken(failed[0].said, [*evidence, failed[0].id])
    return holds(f"{evidence[0]} asks, {evidence[-1]} answers", evidence)


@claim(
    "A peer that answers no keep-alive is given up: the call fails with ETIMEDOUT.",
    source="tcp(7), TCP_KEEPCNT; RFC 9293, 3.8.4",
    name="dead",
)
@on_the_connection
def gives_up_the_dead(connection: Connection) -> Verdict:
    """As many as TCP_KEEPCNT says were sent, none answered, and then a call fails."""
    probes = _keep_alives(connection)
    if not probes:
        return broken(NO_PROBE)
    evidence = [frame_id(each.crossing) for each in probes]
    most = _option(connection.client_calls, "TCP_KEEPCNT")
    if most is None:
        return undecided("the client printed no TCP_KEEPCNT", evidence)
    evidence.append(most.id)
    if len(probes) != most.argument(3):
        return broken(f"{counted(len(probes), 'keep-alive')}, not {most.argument(3)}", evidence)
    if fault := _heard(connection, probes[0], evidence):
        return fault
    return _timed_out(connection, f"{counted(len(probes), 'keep-alive')} unanswered", evidence)


@claim(
    "The first keep-alive comes after TCP_KEEPIDLE seconds, the next after TCP_KEEPINTVL.",
    source="tcp(7), TCP_KEEPIDLE and TCP_KEEPINTVL",
    name="in-time",
)
@on_the_connection
def asks_when_its_options_say(connection: Connection) -> Verdict:
    """From the last word heard to the first keep-alive, and from each to the next."""
    probes = _keep_alives(connection)
    if not probes:
        return broken(NO_PROBE)
    evidence = [frame_id(each.crossing) for each in probes]
    calls = connection.client_calls
    idle, interval = (_option(calls, name) for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"))
    if idle is None or interval is None:
        return undecided("the client printed no TCP_KEEPIDLE and TCP_KEEPINTVL", evidence)
    evidence += [idle.id, interval.id]
    heard = [
        (connection.crossings[each.crossing].received_ns or 0, each.crossing)
        for each in connection.conversation.segments
        if not each.from_client and each.crossing < probes[0].crossing and not each.notes & UNTAKEN
    ]
    if not heard:
        return undecided("the client heard nothing before", evidence)
    since_ns, last = max(heard)
    evidence.append(frame_id(last))
    waits = []
    for probe, option in zip(probes, [idle, *[interval] * len(probes)], strict=False):
        left_ns = connection.crossings[probe.crossing].time_ns
        seconds = option.argument(3)
        if not isinstance(seconds, int):
            return undecided(f"{option.said} has no number of seconds", evidence)
        waits.append(left_ns - since_ns)
        if not seconds * 10**9 - EARLY_NS <= waits[-1] <= LATE * seconds * 10**9:
            waited = f"{waits[-1] / 1e6:.0f} ms"
            return broken(f"f{probe.crossing} came after {waited}, not {seconds} s", evidence)
        since_ns = left_ns
    return holds(f"after {milliseconds(waits)} ms", evidence)


@claim(
    "What is not acknowledged is sent again, each time after twice the wait.",
    source="RFC 6298, 5.5",
    name="backoff",
)
@on_the_connection
def backs_off(connection: Connection) -> Verdict:
    """The client's copies of the bytes that were lost, from the first one sent again on.

    How long the first wait is depends: a tail loss probe may come before the timeout (RFC 8985, 7).
    """
    copies = _lost_copies(connection)
    if not copies:
        return broken("nothing of the client's was lost")
    frames = [connection.crossings[each.crossing] for each in copies]
    events = [each.id for each in frames]
    # From the second copy on each is the timer's.
    return check_doubling([each.time_ns for each in frames[1:]], events)


@claim(
    "After TCP_USER_TIMEOUT without an ACK the connection is given up, with ETIMEDOUT.",
    source="tcp(7), TCP_USER_TIMEOUT; RFC 5482, 2; RFC 9293, 3.8.3",
    name="given-up",
)
@on_the_connection
def gives_up_after_the_users_timeout(connection: Connection) -> Verdict:
    """Between the clocks that the client printed before its send() and after its read failed.

    Linux counts from the first copy that its timer had sent again on: the second one that was sent,
    or the third where a tail loss probe came before it (RFC 8985, 7). On a slow link that is late.
    """
    copies = _lost_copies(connection)
    if not copies:
        return broken("nothing of the client's was lost")
    evidence = [frame_id(each.crossing) for each in copies]
    if fault := _heard(connection, copies[0], evidence):
        return fault
    option = _option(connection.client_calls, "TCP_USER_TIMEOUT")
    clocks = [call for call in connection.client_calls if call.name == "clock_gettime"]
    if option is None or len(clocks) != 2:
        return undecided("the client printed no TCP_USER_TIMEOUT and two clocks", evidence)
    evidence += [option.id, *(call.id for call in clocks)]
    times = [call.argument(1) for call in clocks]
    wanted_ms, (began, ended) = option.argument(3), times
    if not (isinstance(wanted_ms, int) and isinstance(began, int) and isinstance(ended, int)):
        return undecided("what the client printed are no times", evidence)
    waited_ms = (ended - began) / 1e6
    said = f"given up after {waited_ms:.0f} ms; TCP_USER_TIMEOUT is {wanted_ms} ms"
    left_ns = [connection.crossings[each.crossing].time_ns for each in copies]
    until_counted_ms = (left_ns[:3][-1] - left_ns[0]) / 1e6
    if not wanted_ms - EARLY_NS / 1e6 <= waited_ms <= until_counted_ms + LATE * wanted_ms:
        return broken(said, evidence)
    return _timed_out(connection, said, evidence)


def _timed_out(connection: Connection, said: str, evidence: list[EventId]) -> Verdict:
    failed = [call for call in connection.client_calls if call.error == "ETIMEDOUT"]
    if not failed:
        return broken(f"{said}; no call of the client's failed with ETIMEDOUT", evidence)
    return holds(f"{said}; {failed[0].name}() fails with ETIMEDOUT", [*evidence, failed[0].id])


def _heard(connection: Connection, since: Segment, evidence: list[EventId]) -> Verdict | None:
    """Why the peer was not dead: something of its came after that segment had left."""
    since_ns = connection.crossings[since.crossing].time_ns
    for each in connection.conversation.segments:
        came_ns = connection.crossings[each.crossing].received_ns
        if not each.from_client and came_ns is not None and came_ns > since_ns:
            heard = frame_id(each.crossing)
            return Verdict(Outcome.BROKEN, f"{heard} came all the same", (*evidence, heard))
    return None


def _keep_alives(connection: Connection) -> list[Segment]:
    """Those of the client's, lost or not."""
    return [
        each
        for each in connection.conversation.segments
        if each.from_client and Note.KEEP_ALIVE in each.notes
    ]


def _lost_copies(connection: Connection) -> list[Segment]:
    """The client's first segment with data that was lost, and its copies, all of them lost."""
    lost = [
        each
        for each in connection.conversation.segments
        if each.from_client and each.length and Note.LOST in each.notes
    ]
    return [each for each in lost if each.seq == lost[0].seq]


def _option(calls: tuple[PrintedCall, ...], name: str) -> PrintedCall | None:
    """The setsockopt(2) of that option that succeeded."""
    for call in calls:
        if call.name == "setsockopt" and name in call.arguments and call.result == 0:
            return call
    return None
