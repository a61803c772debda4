"""Checks of connections that both sides open, or close, at the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN, Note
from lab.analysis.tcp.state import State
from lab.checks.connections.states import receiver_fault
from lab.checks.tcp import on_the_connection
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Segment
    from lab.checks.tcp import Connection


@claim(
    "Two SYNs that cross make one connection: both sides go from SYN-SENT to SYN-RECEIVED.",
    source="RFC 9293, 3.5, figure 8",
    name="both-open",
)
@on_the_connection
def opens_from_both_sides(connection: Connection) -> Verdict:
    """Each SYN left before the other came, and moved its receiver; both connect(2) succeeded."""
    syns = _one_each(connection, TcpFlags.SYN, without=TcpFlags.ACK)
    if isinstance(syns, Verdict):
        return syns
    evidence = [frame_id(each.crossing) for each in syns]
    for each in syns:
        if fault := receiver_fault(each, [State.SYN_RECEIVED], evidence):
            return fault
    connects = [
        call
        for calls in (connection.client_calls, connection.server_calls)
        for call in calls
        if call.name == "connect"
    ]
    if len(connects) != 2:
        return undecided("the programs did not print a connect() each", evidence)
    evidence += [call.id for call in connects]
    if failed := [call for call in connects if call.result]:
        return broken(failed[0].said, evidence)
    return holds(
        f"{evidence[0]} and {evidence[1]} crossed; SYN-RECEIVED on both sides, and both "
        "connect() succeeded",
        evidence,
    )


@claim(
    "Each side answers the other's SYN with a SYN-ACK of its own SYN's number.",
    source="RFC 9293, 3.5, figure 8",
    name="syn-acks",
)
@on_the_connection
def answers_each_syn(connection: Connection) -> Verdict:
    """Two SYN-ACKs with the numbers of the two SYNs, each acknowledging the other."""
    syns = _one_each(connection, TcpFlags.SYN, without=TcpFlags.ACK)
    if isinstance(syns, Verdict):
        return syns
    evidence = [frame_id(each.crossing) for each in syns]
    for own, others in (syns, syns[::-1]):
        answer = next(
            (
                each
                for each in connection.conversation.segments
                if each.from_client == own.from_client
                and each.flags & TcpFlags.SYN
                and each.flags & TcpFlags.ACK
            ),
            None,
        )
        if answer is None:
            return broken(f"{frame_id(others.crossing)} was answered with no SYN-ACK", evidence)
        evidence.append(frame_id(answer.crossing))
        header = connection.tcp(answer.crossing)
        numbers = connection.tcp(own.crossing).seq, connection.tcp(others.crossing).seq
        if (header.seq, header.ack) != (numbers[0], (numbers[1] + 1) % (1 << 32)):
            return broken(f"the numbers of {evidence[-1]} do not fit", evidence)
    return holds(f"{evidence[2]} and {evidence[3]}, with the numbers of the SYNs", evidence)


@claim(
    "Two FINs that cross: both sides go from FIN-WAIT-1 to CLOSING, and both end in TIME-WAIT.",
    source="RFC 9293, 3.6, case 3, and figure 13",
    name="both-close",
)
@on_the_connection
def closes_from_both_sides(connection: Connection) -> Verdict:
    """Each FIN left before the other came, and made its receiver CLOSING; then TIME-WAIT."""
    fins = _one_each(connection, TcpFlags.FIN)
    if isinstance(fins, Verdict):
        return fins
    talk = connection.conversation
    evidence = [frame_id(each.crossing) for each in fins]
    for each in fins:
        if fault := receiver_fault(each, [State.CLOSING], evidence):
            return fault
    acks = [stream.fin_acked for stream in (talk.client_to_server, talk.server_to_client)]
    for number in acks:
        if number is None:
            return broken("not each FIN was acknowledged", evidence)
        evidence.append(frame_id(number))
    last = [talk.client_state, talk.server_state]
    if last != [State.TIME_WAIT] * 2:
        return broken(f"at the end the states are {last[0].value} and {last[1].value}", evidence)
    return holds(
        f"{evidence[0]} and {evidence[1]} crossed: CLOSING on both sides; with {evidence[2]} and "
        f"{evidence[3]} TIME-WAIT on both",
        evidence,
    )


def _one_each(
    connection: Connection, flag: TcpFlags, *, without: TcpFlags | None = None
) -> tuple[Segment, Segment] | Verdict:
    """The first segments of both sides with a flag, if they crossed; else why they did not."""
    found: dict[bool, Segment] = {}
    for each in connection.conversation.segments:
        is_one = each.flags & flag and not (without and each.flags & without)
        if is_one and not each.notes & (UNTAKEN | {Note.RETRANSMISSION}):
            found.setdefault(each.from_client, each)
    if len(found) < 2:
        seen = [frame_id(each.crossing) for each in found.values()]
        return broken(f"no {flag.name} of each side came", seen)
    pair = found[True], found[False]
    ids = [frame_id(each.crossing) for each in pair]
    for one, other in (pair, pair[::-1]):
        left_ns = connection.crossings[one.crossing].sent_ns
        came_ns = connection.crossings[other.crossing].received_ns
        if left_ns is None or came_ns is None:
            return undecided(f"{ids[0]} and {ids[1]} were not seen at both ends", ids)
        if left_ns >= came_ns:
            late = frame_id(one.crossing)
            return broken(f"{late} left after {frame_id(other.crossing)} had come", ids)
    return pair
