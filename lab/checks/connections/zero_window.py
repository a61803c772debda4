"""Checks of a receiver without room, and of the probes that find out when it has some again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import TIMEOUT_NS, UNTAKEN, Note
from lab.checks.connections.waits import check_doubling
from lab.checks.tcp import on_the_connection
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Segment
    from lab.checks.tcp import Connection
    from lab.model.event import EventId

NO_CLOSED_WINDOW = "no window of 0 was advertised"


@claim(
    "While the window is 0 nothing is sent but probes.",
    source="RFC 9293, 3.8.6.1",
    name="closed",
)
@on_the_connection
def sends_only_probes_into_a_closed_window(connection: Connection) -> Verdict:
    """From the first window of 0 until another window comes."""
    closed = _closed(connection)
    if closed is None:
        return broken(NO_CLOSED_WINDOW)
    probes = _probes(connection, closed)
    evidence = [frame_id(closed.crossing), *(frame_id(each.crossing) for each in probes)]
    opening = _opening(connection, closed)
    opened_ns = None if opening is None else connection.crossings[opening.crossing].received_ns
    closed_ns = connection.crossings[closed.crossing].received_ns or 0
    for each in connection.conversation.segments:
        left_ns = connection.crossings[each.crossing].time_ns
        is_between = closed_ns < left_ns and (opened_ns is None or left_ns < opened_ns)
        is_senders = each.from_client != closed.from_client
        if is_between and is_senders and Note.ZERO_WINDOW_PROBE not in each.notes:
            wrong = frame_id(each.crossing)
            return broken(f"{wrong} went into a window of 0, and is no probe", [*evidence, wrong])
    if not probes and opened_ns is not None and opened_ns - closed_ns < _due_ns(connection):
        return undecided("the window was open again before a probe was due", evidence)
    if not probes:
        return broken("no probe was sent", evidence)
    said = f"{evidence[0]} closed the window; {counted(len(probes), 'probe')} and no more until "
    return holds(said + (f"f{opening.crossing} came" if opening else "the end"), evidence)


@claim(
    "The persist timer waits twice as long before each next probe.",
    source="RFC 9293, 3.8.6.1; RFC 1122, 4.2.2.17",
    name="doubling",
)
@on_the_connection
def probes_at_doubling_times(connection: Connection) -> Verdict:
    """From the window of 0 to the first probe, and from probe to probe."""
    closed = _closed(connection)
    if closed is None:
        return broken(NO_CLOSED_WINDOW)
    frames = [connection.crossings[each.crossing] for each in _probes(connection, closed)]
    came_ns = connection.crossings[closed.crossing].received_ns
    if came_ns is None:
        return undecided("the window of 0 was not seen to come", [frame_id(closed.crossing)])
    times = [came_ns, *(each.time_ns for each in frames)]
    return check_doubling(times, [frame_id(closed.crossing), *(each.id for each in frames)])


@claim(
    "A window update lets the sender go on.",
    source="RFC 9293, 3.8.6",
    name="update",
)
@on_the_connection
def goes_on_with_the_update(connection: Connection) -> Verdict:
    """What opens the window is no answer to a probe, and data follows it."""
    return _opened_by(connection, Note.WINDOW_UPDATE)


@claim(
    "If the window update is lost, the answer to the next probe has the window all the same.",
    source="RFC 9293, 3.8.6.1",
    name="update-lost",
)
@on_the_connection
def finds_the_window_by_a_probe(connection: Connection) -> Verdict:
    """An update was lost; what opens the window is the answer to a probe sent after that."""
    closed = _closed(connection)
    if closed is None:
        return broken(NO_CLOSED_WINDOW)
    lost = [
        each
        for each in connection.conversation.segments
        if each.crossing > closed.crossing
        and each.from_client == closed.from_client
        and each.window_bytes
        and Note.LOST in each.notes
    ]
    if not lost:
        return undecided("no window update was lost", [frame_id(closed.crossing)])
    return _opened_by(connection, Note.ZERO_WINDOW_PROBE_ACK, after=lost[0])


def _opened_by(connection: Connection, note: Note, after: Segment | None = None) -> Verdict:
    """Whether the window was opened by a segment with that note, and data went into it."""
    closed = _closed(connection)
    if closed is None:
        return broken(NO_CLOSED_WINDOW)
    evidence: list[EventId] = [frame_id(closed.crossing)]
    if after is not None:
        evidence.append(frame_id(after.crossing))
        probes = [p for p in _probes(connection, closed) if p.crossing > after.crossing]
        if not probes:
            return broken(f"no probe followed {evidence[1]}, which was lost", evidence)
        evidence.append(frame_id(probes[0].crossing))
    opening = _opening(connection, closed)
    if opening is None:
        return broken("the window was never opened again", evidence)
    evidence.append(frame_id(opening.crossing))
    if note not in opening.notes:
        return broken(f"{evidence[-1]} opened the window, and is no {note.value}", evidence)
    for each in connection.conversation.segments:
        is_senders = each.from_client != closed.from_client
        if each.crossing > opening.crossing and is_senders and each.length:
            evidence.append(frame_id(each.crossing))
            size = counted(opening.window_bytes, "byte")
            return holds(f"f{opening.crossing} opens it ({size}); {evidence[-1]} goes", evidence)
    return broken("nothing was sent into the open window", evidence)


def _due_ns(connection: Connection) -> int:
    """How long the persist timer may run: as the retransmission timer does.

    That is three round trips once the first is measured, and the least that Linux waits beyond one.
    Source: RFC 9293, 3.8.6.1; RFC 6298, 2.2.
    """
    handshake = connection.conversation.handshake
    return TIMEOUT_NS + (3 * handshake.syn_to_syn_ack_ns if handshake else 0)


def _closed(connection: Connection) -> Segment | None:
    """The first segment that announced a window of 0."""
    for each in connection.conversation.segments:
        if Note.ZERO_WINDOW in each.notes and not each.notes & UNTAKEN:
            return each
    return None


def _opening(connection: Connection, closed: Segment) -> Segment | None:
    """The first later one, of those that came, with a window again."""
    for each in connection.conversation.segments:
        is_later = each.crossing > closed.crossing and each.from_client == closed.from_client
        if is_later and each.window_bytes and not each.notes & UNTAKEN:
            return each
    return None


def _probes(connection: Connection, closed: Segment) -> list[Segment]:
    return [
        each
        for each in connection.conversation.segments
        if Note.ZERO_WINDOW_PROBE in each.notes and each.from_client != closed.from_client
    ]
