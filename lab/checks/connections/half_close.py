"""Checks of connections of which one direction is closed before the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN
from lab.analysis.tcp.state import State
from lab.checks.connections.states import receiver_fault, sender_fault
from lab.checks.tcp import on_the_connection
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Segment
    from lab.checks.tcp import Connection

NO_FIN = "no FIN of the client's came"


@claim(
    "A FIN closes one direction: the other goes on, with one side in FIN-WAIT-2 and the other "
    "in CLOSE-WAIT.",
    source="RFC 9293, 3.6, case 1; shutdown(2)",
    name="other-direction",
)
@on_the_connection
def goes_on_in_the_other_direction(connection: Connection) -> Verdict:
    """The server's data comes after the client's FIN, and is read."""
    fin = _fin_of_client(connection)
    if fin is None:
        return broken(NO_FIN)
    evidence = [frame_id(fin.crossing)]
    if fault := receiver_fault(fin, [State.CLOSE_WAIT], evidence):
        return fault
    later = _data_of_server(connection, fin)
    if not later:
        return broken("the server sent nothing after it", evidence)
    evidence += [frame_id(each.crossing) for each in later]
    for each in later:
        fault = sender_fault(each, (State.CLOSE_WAIT, State.LAST_ACK), evidence)
        fault = fault or receiver_fault(each, (State.FIN_WAIT_2, State.TIME_WAIT), evidence)
        if fault:
            return fault
    reads = reads_of(connection.client_calls)
    if not reads:
        return undecided("the client printed no reads", evidence)
    evidence += [call.id for call in reads]
    size, read = sum(each.length for each in later), sum(len(call.data) for call in reads)
    if read < size:
        return broken(f"of {counted(size, 'byte')} after the FIN {read} were read", evidence)
    return holds(f"{counted(size, 'byte')} came after {evidence[0]}, and were read", evidence)


@claim(
    "Who has closed a direction sends nothing more: send() fails with EPIPE.",
    source="shutdown(2); send(2), EPIPE",
    name="no-more",
)
@on_the_connection
def sends_no_more(connection: Connection) -> Verdict:
    """No number behind the client's FIN is used, and a later send fails."""
    fin = _fin_of_client(connection)
    if fin is None:
        return broken(NO_FIN)
    end = fin.seq + fin.length + 1
    evidence = [frame_id(fin.crossing)]
    for each in connection.conversation.segments:
        if each.from_client and each.length and each.seq >= end:
            more = frame_id(each.crossing)
            return broken(f"{more} has data behind the FIN", [*evidence, more])
    failed = [call for call in connection.client_calls if call.error == "EPIPE"]
    sent = [
        call
        for call in connection.client_calls
        if call.name == "send" and call.number > _shut(connection)
    ]
    if not sent:
        return undecided("the client printed no send() after shutdown()", evidence)
    evidence += [call.id for call in sent]
    if failed != sent:
        return broken(f"{sent[0].said}", evidence)
    return holds(f"{sent[0].said}; nothing is behind {evidence[0]}", evidence)


@claim(
    "After close(), which closes both, what still comes is answered with a RST.",
    source="RFC 9293, 3.6.1; RFC 1122, 4.2.2.13",
    name="closed",
)
@on_the_connection
def resets_what_comes_after_close(connection: Connection) -> Verdict:
    """Data that comes after the client's FIN, which close(2) sent, makes it send a RST."""
    fin = _fin_of_client(connection)
    if fin is None:
        return broken(NO_FIN)
    evidence = [frame_id(fin.crossing)]
    if not any(call.name == "close" for call in connection.client_calls):
        return undecided("the client printed no close()", evidence)
    if any(call.name == "shutdown" for call in connection.client_calls):
        return undecided("the client closed one direction first", evidence)
    later = _data_of_server(connection, fin)
    if not later:
        return undecided("the server sent nothing after the FIN", evidence)
    evidence.append(frame_id(later[0].crossing))
    for each in connection.conversation.segments:
        if each.from_client and each.flags & TcpFlags.RST and each.crossing > later[0].crossing:
            rst = frame_id(each.crossing)
            said = f"{evidence[1]} came after the FIN {evidence[0]}, and {rst} is the answer"
            return holds(said, [*evidence, rst])
    return broken(f"{evidence[1]} came after the FIN, and was not answered with a RST", evidence)


def _fin_of_client(connection: Connection) -> Segment | None:
    for each in connection.conversation.segments:
        if each.from_client and each.flags & TcpFlags.FIN and not each.notes & UNTAKEN:
            return each
    return None


def _data_of_server(connection: Connection, fin: Segment) -> list[Segment]:
    """The server's segments with data that acknowledge the client's FIN."""
    end = fin.seq + fin.length + 1
    return [
        each
        for each in connection.conversation.segments
        if not each.from_client and each.length and each.ack == end and not each.notes & UNTAKEN
    ]


def _shut(connection: Connection) -> int:
    """The number of the client's shutdown() among its calls."""
    numbers = [call.number for call in connection.client_calls if call.name == "shutdown"]
    return numbers[0] if numbers else len(connection.client_calls)
