"""Checks of connections that end with a RST, or never begin for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN, Note
from lab.checks.tcp import on_the_connection
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.tcp.segment import Segment
    from lab.checks.tcp import Connection
    from lab.model.event import EventId

NO_RESET = "no RST came"
_SYN, _FIN, _RST, _ACK = TcpFlags.SYN, TcpFlags.FIN, TcpFlags.RST, TcpFlags.ACK


@claim(
    "Closing with bytes left to read sends a RST and no FIN: the peer learns that they are lost.",
    source="RFC 9293, 3.6.1; RFC 1122, 4.2.2.13",
    name="unread",
)
@on_the_connection
def resets_what_is_unread(connection: Connection) -> Verdict:
    """The side that sent the RST had read less than came; the peer's call fails."""
    rst = _came(connection, _RST)
    if rst is None:
        return broken(NO_RESET)
    evidence = [frame_id(rst.crossing)]
    talk = connection.conversation
    came = talk.server_to_client if rst.from_client else talk.client_to_server
    own, peers = _calls(connection, rst)
    if not own or not peers:
        return undecided("the programs printed no calls", evidence)
    reads = reads_of(own)
    left = came.length - sum(len(call.data) for call in reads)
    evidence += [call.id for call in reads]
    if fin := _before(connection, rst, _FIN):
        return broken(f"{frame_id(fin.crossing)} is a FIN of the side that resets", evidence)
    if left <= 0:
        return broken("all that came was read", evidence)
    said = f"{counted(left, 'byte')} of {came.length} unread"
    return _failing(connection, said, rst, peers, "ECONNRESET", evidence)


@claim(
    "With SO_LINGER of 0 seconds, closing sends a RST and no FIN.",
    source="socket(7), SO_LINGER; RFC 9293, 3.10.5",
    name="linger",
)
@on_the_connection
def resets_by_lingering_for_no_time(connection: Connection) -> Verdict:
    """The side that sent the RST had set the option; no FIN; the peer's call fails."""
    rst = _came(connection, _RST)
    if rst is None:
        return broken(NO_RESET)
    own, peers = _calls(connection, rst)
    evidence = [frame_id(rst.crossing)]
    lingers = [call for call in own if "SO_LINGER" in call.arguments and (1, 0) in call.arguments]
    if not lingers or not peers:
        return undecided("the programs printed no SO_LINGER of 0 seconds", evidence)
    evidence.append(lingers[0].id)
    if fin := _before(connection, rst, _FIN):
        return broken(f"{frame_id(fin.crossing)} is a FIN of the side that resets", evidence)
    return _failing(connection, "no FIN", rst, peers, "ECONNRESET", evidence)


@claim(
    "A SYN to a port where nobody listens is answered with a RST that acknowledges it.",
    source="RFC 9293, 3.5.2 and 3.10.7.1; connect(2), ECONNREFUSED",
    name="refused",
)
@on_the_connection
def refuses_where_nobody_listens(connection: Connection) -> Verdict:
    """RST and ACK, sequence number 0, of the SYN's number plus one; connect(2) fails."""
    rst = _came(connection, _RST)
    if rst is None:
        return broken(NO_RESET)
    evidence = [frame_id(rst.crossing)]
    syn = _before(connection, rst, _SYN, of_peer=True)
    if syn is None:
        return broken(f"no SYN came before {evidence[0]}", evidence)
    evidence.append(frame_id(syn.crossing))
    sent, answer = connection.tcp(syn.crossing), connection.tcp(rst.crossing)
    fits = answer.flags & _ACK and answer.ack == (sent.seq + 1) % (1 << 32) and not answer.seq
    if not fits:
        return broken(f"its numbers are {answer.seq} and {answer.ack}: no answer to it", evidence)
    _, peers = _calls(connection, rst)
    if not peers:
        return undecided("the program printed no calls", evidence)
    return _failing(
        connection,
        f"it acknowledges {answer.ack}, the SYN's {sent.seq} plus 1",
        rst,
        peers,
        "ECONNREFUSED",
        evidence,
    )


@claim(
    "Who has lost a connection answers its segments with a RST, whose number is their ACK.",
    source="RFC 9293, 3.5.1 and 3.10.7.1",
    name="half-open",
)
@on_the_connection
def resets_what_it_knows_nothing_of(connection: Connection) -> Verdict:
    """One side was gone unnoticed; the other's next segment is answered; its call fails."""
    segments = connection.conversation.segments
    rst = _came(connection, _RST)
    if rst is None:
        return broken(NO_RESET)
    gone = _before(connection, rst, _RST | _FIN, lost=True)
    if gone is None:
        return undecided("the connection was not half open", [frame_id(rst.crossing)])
    asked = [
        each
        for each in segments
        if gone.crossing < each.crossing < rst.crossing
        and each.from_client != rst.from_client
        # The kernel drops it as well: no TCP takes it.
        and Note.LOST not in each.notes
    ]
    evidence = [frame_id(each.crossing) for each in (gone, *asked, rst)]
    if not asked:
        return broken(f"{evidence[-1]} answers nothing", evidence)
    sent, answer = connection.tcp(asked[-1].crossing), connection.tcp(rst.crossing)
    if answer.flags & _ACK or answer.seq != sent.ack:
        return broken(f"its number {answer.seq} is not {sent.ack}, what was acknowledged", evidence)
    _, peers = _calls(connection, rst)
    if not peers:
        return undecided("the programs printed no calls", evidence)
    said = f"{frame_id(gone.crossing)} was lost; number {answer.seq} is the ACK of {evidence[-2]}"
    return _failing(connection, said, rst, peers, "ECONNRESET", evidence)


def _failing(
    connection: Connection,
    said: str,
    rst: Segment,
    calls: tuple[PrintedCall, ...],
    error: str,
    evidence: list[EventId],
) -> Verdict:
    """Whether a call of the side that the RST came to failed with that error."""
    failed = [call for call in calls if call.error == error]
    frame = frame_id(rst.crossing)
    program = calls[0].id.program
    traced = [each for each in connection.timeline.system_calls if each.program == program]
    seen = next((each for each in traced if each.error == error), None)
    if not failed and seen is not None:
        what = f"{frame}: {said}; {program} printed no call that failed with {error}"
        return undecided(f"{what}, and {seen.text} was traced", [*evidence, seen.id])
    if not failed:
        return broken(f"{frame}: {said}; no call failed with {error}", evidence)
    evidence = [*evidence, failed[0].id]
    return holds(f"{frame}: {said}; {failed[0].name}() fails with {error}", evidence)


def _came(connection: Connection, flags: TcpFlags) -> Segment | None:
    """The first segment with one of the flags that reached its receiver's TCP."""
    for each in connection.conversation.segments:
        if each.flags & flags and not each.notes & UNTAKEN:
            return each
    return None


def _before(
    connection: Connection,
    rst: Segment,
    flags: TcpFlags,
    *,
    of_peer: bool = False,
    lost: bool = False,
) -> Segment | None:
    """The first segment before a RST with one of the flags, of the same side or of its peer."""
    for each in connection.conversation.segments:
        is_sides = (each.from_client != rst.from_client) == of_peer
        is_one = each.crossing < rst.crossing and is_sides and each.flags & flags
        if is_one and (not lost or each.notes & UNTAKEN):
            return each
    return None


def _calls(
    connection: Connection, rst: Segment
) -> tuple[tuple[PrintedCall, ...], tuple[PrintedCall, ...]]:
    """What the side that sent the RST printed, and what its peer did."""
    both = connection.client_calls, connection.server_calls
    return both if rst.from_client else both[::-1]
