"""Checks of the side that waits when a connection is over, and of what that is in the way of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN
from lab.analysis.tcp.state import State
from lab.checks.tcp import on_the_connection
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.tcp.segment import Segment
    from lab.checks.tcp import Connection
    from lab.model.event import EventId

NO_FINS = "not each side sent a FIN"


@claim(
    "Who closes first waits in TIME-WAIT; the other side is CLOSED at once.",
    source="RFC 9293, 3.6.1 and 3.3.2",
    name="waits",
)
@on_the_connection
def makes_the_first_to_close_wait(connection: Connection) -> Verdict:
    """The side whose FIN was first is in TIME-WAIT after the last segment, its peer is CLOSED."""
    first, second = _fins(connection)
    if first is None or second is None:
        return broken(NO_FINS)
    talk = connection.conversation
    evidence = [frame_id(first.crossing), frame_id(second.crossing)]
    states = {True: talk.client_state, False: talk.server_state}
    own, other = states[first.from_client], states[second.from_client]
    if (own, other) != (State.TIME_WAIT, State.CLOSED):
        return broken(f"who sent {evidence[0]} is {own.value}, the other {other.value}", evidence)
    who = "client" if first.from_client else "server"
    return holds(f"{evidence[0]} was the first FIN: the {who} is in TIME-WAIT", evidence)


@claim(
    "Meanwhile its port is taken: bind() fails with EADDRINUSE.",
    source="bind(2), EADDRINUSE; RFC 9293, 3.6.1; socket(7), SO_REUSEADDR",
    name="in-use",
)
@on_the_connection
def refuses_the_port_of_who_waits(connection: Connection) -> Verdict:
    """A bind(2) of the same address, after the connection was over, fails."""
    return _bound_again(connection, "EADDRINUSE")


@claim(
    "With SO_REUSEADDR on the sockets of both, bind() succeeds at once.",
    source="socket(7), SO_REUSEADDR",
    name="reused",
)
@on_the_connection
def gives_the_port_to_who_asks_for_reuse(connection: Connection) -> Verdict:
    """A bind(2) of the same address, after the connection was over, succeeds."""
    calls = _calls_of_first(connection)
    options = [call for call in calls if "SO_REUSEADDR" in call.arguments and call.result == 0]
    if len(options) < 2:
        return undecided("the program did not print SO_REUSEADDR of two sockets")
    verdict = _bound_again(connection, "")
    return Verdict(verdict.outcome, verdict.why, (*verdict.evidence, *(c.id for c in options)))


def _bound_again(connection: Connection, error: str) -> Verdict:
    first, second = _fins(connection)
    if first is None or second is None:
        return broken(NO_FINS)
    evidence: list[EventId] = [frame_id(first.crossing), frame_id(second.crossing)]
    calls = _calls_of_first(connection)
    binds = [call for call in calls if call.name == "bind"]
    reads = [c.number for c in calls if c.name == "recv" and c.result == 0]
    if len(binds) != 2 or not reads or not reads[0] < binds[1].number:
        return undecided("the program printed no second bind() after the end of the stream")
    evidence += [call.id for call in binds]
    if binds[0].argument(1) != binds[1].argument(1) or binds[0].result:
        return undecided("it did not bind the same address twice", evidence)
    if binds[1].error != error:
        return broken(binds[1].said, evidence)
    return holds(f"{binds[1].said}, after {evidence[1]} had come", evidence)


def _fins(connection: Connection) -> tuple[Segment | None, Segment | None]:
    """The first FIN that left, and the first of the other side's."""
    first: Segment | None = None
    for each in connection.conversation.segments:
        if each.flags & TcpFlags.FIN and not each.notes & UNTAKEN:
            if first is None:
                first = each
            elif each.from_client != first.from_client:
                return first, each
    return first, None


def _calls_of_first(connection: Connection) -> tuple[PrintedCall, ...]:
    """What the side that closed first printed."""
    first, _ = _fins(connection)
    is_client = first is not None and first.from_client
    return connection.client_calls if is_client else connection.server_calls
