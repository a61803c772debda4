"""Checks of short segments that wait for an ACK, which the receiver delays."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.tcp.segment import UNTAKEN, Note
from lab.checks.tcp import connection_of, on_the_connection
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.checks.tcp import Connection
    from lab.model.event import EventId

MOST_DELAY_NS = 500_000_000
"""RFC 9293, 3.8.6.3: an ACK is delayed by less than half a second."""
LEAST_TIMES = 4
"""As many times longer the wait is with both algorithms than without; it is far more."""
_CLIENT_ONLY = "the client sent no two segments of data with nothing between"


class _Pair(NamedTuple):
    """Two segments of the client's that were written one after another, before an answer."""

    first: Segment
    second: Segment
    ack: Segment | None
    """The server's first that acknowledges the first one."""


@claim(
    "By Nagle's algorithm a second short segment waits for the ACK of the first.",
    source="RFC 9293, 3.7.4; RFC 896",
    name="held",
)
@on_the_connection
def waits_for_the_acknowledgement(connection: Connection) -> Verdict:
    """Each second segment left only after an ACK of all of the first had come."""
    pairs = _pairs(connection)
    if not pairs:
        return broken(_CLIENT_ONLY)
    evidence: list[EventId] = []
    for pair in pairs:
        evidence += _events(pair)
        if not _is_held(connection, pair):
            return broken(f"f{pair.second.crossing} did not wait for an ACK", evidence)
    last = pairs[-1]
    return holds(
        f"{len(pairs)} times; f{last.second.crossing} left with f{last.ack and last.ack.crossing}, "
        f"the ACK of f{last.first.crossing}",
        evidence,
    )


@claim(
    "The receiver delays that ACK, in case there is data to send it with, for less than 0.5 s.",
    source="RFC 9293, 3.8.6.3; RFC 1122, 4.2.3.2",
    name="delayed",
)
@on_the_connection
def delays_the_acknowledgement(connection: Connection) -> Verdict:
    """The ACKs carry no data, and left after what they acknowledge had come, all within 500 ms."""
    pairs = _pairs(connection)
    if not pairs:
        return broken(_CLIENT_ONLY)
    evidence: list[EventId] = []
    delays = []
    for pair in pairs:
        evidence += _events(pair)
        if pair.ack is None or not _is_held(connection, pair):
            return broken(f"nobody waited for an ACK of f{pair.first.crossing}", evidence)
        if pair.ack.length:
            return broken(f"f{pair.ack.crossing} has data", evidence)
        came_ns = connection.crossings[pair.first.crossing].received_ns
        left_ns = connection.crossings[pair.ack.crossing].sent_ns
        if came_ns is None or left_ns is None:
            return undecided(f"f{pair.ack.crossing} was not seen at both ends", evidence)
        delays.append(left_ns - came_ns)
    if max(delays) >= MOST_DELAY_NS:
        return broken(f"an ACK was delayed by {max(delays) / 1e6:.0f} ms", evidence)
    return holds(f"delayed by {median(delays) / 1e6:.1f} ms (median)", evidence)


@claim(
    "With TCP_NODELAY the second segment does not wait, which is many times faster.",
    source="tcp(7), TCP_NODELAY; RFC 9293, 3.7.4",
    name="no-delay",
)
def does_not_wait_without(with_nagle: Timeline, without: Timeline) -> Verdict:
    """No second segment waited for an ACK; the median waits of both steps, as a ratio."""
    evidence: list[EventId] = []
    waits: list[float] = []
    for timeline in (with_nagle, without):
        connection = connection_of(timeline)
        pairs = [] if connection is None else _pairs(connection)
        if connection is None or not pairs:
            return broken(f"{timeline.step}: {_CLIENT_ONLY}")
        evidence += [event for pair in pairs for event in _events(pair)]
        options = [call for call in connection.client_calls if "TCP_NODELAY" in call.arguments]
        evidence += [call.id for call in options[:1]]
        if timeline is without and not options:
            return undecided("the client printed no TCP_NODELAY", evidence)
        held = [pair for pair in pairs if _is_held(connection, pair)]
        if timeline is without and held:
            return broken(f"f{held[0].second.crossing} waited for an ACK all the same", evidence)
        waits.append(median(_wait_ns(connection, pair) for pair in pairs))
    said = f"{waits[0] / 1e6:.1f} ms with Nagle's algorithm, {waits[1] / 1e6:.3f} ms without"
    if waits[0] < LEAST_TIMES * waits[1]:
        return broken(f"{said}: less than {LEAST_TIMES} times", evidence)
    return holds(f"{said} (medians): {waits[0] / waits[1]:.0f} times", evidence)


def _pairs(connection: Connection) -> list[_Pair]:
    """The client's segments two by two, as far as no data of the server's came between."""
    segments = connection.conversation.segments
    data = [s for s in segments if s.length and Note.RETRANSMISSION not in s.notes]
    found = []
    for first, second in pairwise(data):
        # The answer to the first of two is the server's: a third of the client's begins anew.
        if not (first.from_client and second.from_client):
            continue
        end = first.seq + first.length
        acks = (
            each
            for each in segments
            if not each.from_client
            and each.ack is not None
            and each.ack >= end
            and not each.notes & UNTAKEN
        )
        found.append(_Pair(first, second, next(acks, None)))
    return found


def _is_held(connection: Connection, pair: _Pair) -> bool:
    """Whether the second one left after the first was acknowledged."""
    if pair.ack is None:
        return False
    came_ns = connection.crossings[pair.ack.crossing].received_ns
    left_ns = connection.crossings[pair.second.crossing].sent_ns
    return came_ns is not None and left_ns is not None and came_ns <= left_ns


def _wait_ns(connection: Connection, pair: _Pair) -> int:
    """From the first one's departure to the second one's."""
    first, second = (connection.crossings[s.crossing] for s in (pair.first, pair.second))
    return second.time_ns - first.time_ns


def _events(pair: _Pair) -> list[EventId]:
    named = [pair.first, *([pair.ack] if pair.ack else []), pair.second]
    return [frame_id(each.crossing) for each in named]
