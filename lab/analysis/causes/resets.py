"""Why a RST was sent: nobody listens, bytes thrown away unread, a connection that is no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.calls.options import SO_LINGER
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.elsewhere import Came, where_else
from lab.analysis.causes.facts.reset import FIN, RST, Reset, SideSegments
from lab.analysis.causes.facts.reset_reasons import by_reason, contradicts, reset_reason
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.facts import takes
from lab.analysis.tcp.segment import DISCARDED, UNTAKEN, Note, Segment
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint

_SYN, _ACK = int(TcpFlags.SYN), int(TcpFlags.ACK)
_INET = ("AF_INET", "AF_INET6")


def resets(facts: StepFacts) -> Iterator[Cause]:
    """The causes of a step's RSTs, of each connection each kind once."""
    for talk in facts.timeline.conversations:
        told: set[str] = set()
        numbers = frozenset(talk.resets)
        past = SideSegments(talk.segments if numbers else ())
        for segment in talk.segments if numbers else ():
            is_reset = segment.crossing in numbers and not segment.notes & DISCARDED
            if not is_reset or facts.crossing(segment).is_made:
                continue
            if facts.is_over(facts.departure_ns(segment)):
                continue
            reset = Reset(
                facts,
                talk,
                past,
                segment,
                facts.host_of(talk, segment.from_client),
                facts.side(talk, segment.from_client),
                facts.side(talk, not segment.from_client),
            )
            cause = _cause_of(reset)
            if cause is not None and cause.name not in told:
                told.add(cause.name)
                yield cause


def _cause_of(reset: Reset) -> Cause | None:
    """The first kind that it is, unless the kernel itself says otherwise."""
    reason = reset_reason(reset)
    cause = next((found for kind in _KINDS if (found := kind(reset)) is not None), None)
    if cause is None:
        return by_reason(reset, reason)
    if contradicts(reason, cause.name):
        return None
    if not reason:
        return cause
    decided = "" if cause.name == "reset-nobody-listens" else cause.decided_by
    text = f"{cause.text} The kernel's own reason: {reason}."
    return replace(cause, text=text, decided_by=decided)


def _nobody_listens(reset: Reset) -> Cause | None:
    """A SYN that is answered by a RST, and no socket listens. Source: RFC 9293, 3.10.7.1."""
    facts, talk, syns = reset.facts, reset.talk, reset.other_before
    is_answer = int(reset.rst.flags) & _ACK and reset.rst.ack is not None and not reset.own_before
    if not syns or not is_answer or not all(_is_bare_syn(each) for each in syns):
        return None
    place = facts.place_of(talk, reset.rst.from_client)
    syn = frame_id(syns.last.crossing)
    source = facts.place_of(talk, not reset.rst.from_client)
    sent_ns = facts.departure_ns(syns.last)
    other = where_else(facts, Came(reset.host, "tcp", source, place, sent_ns, reset.left_ns))
    if other.takes:
        return None
    text = (
        f"Nobody listens on {place}: the kernel of {reset.host} answers the SYN ({syn}) with a "
        f"RST ({reset.id}){reset.and_so()}.{other.text}"
    )
    return Cause(
        "reset-nobody-listens",
        text,
        str(place),
        known_ids(syn, reset.id, reset.failed, *other.evidence),
        "RFC 9293, 3.10.7.1; connect(2), ECONNREFUSED",
        Surprise.ELSEWHERE if other.text else Surprise.SAID,
        decided_by=""
        if facts.is_traced
        else f"the sockets of {reset.host} at that time (ss -ltn); a firewall may answer so too",
    )


def _by_hand(reset: Reset) -> Cause | None:
    """A SYN that no socket sent: the SYN-ACK meets a kernel that knows nothing of it."""
    facts, own, answers = reset.facts, reset.own_before, reset.other_before
    if reset.own is not None or not facts.is_traced or not own or not answers:
        return None
    if not all(int(each.flags) & _SYN for each in answers):
        return None
    if not all(_is_bare_syn(each) for each in own):
        return None
    raw = next(
        (
            each
            for each in facts.timeline.endpoints
            if each.host == reset.host and _makes_packets(each)
        ),
        None,
    )
    if raw is None:
        return None
    syn, syn_ack = frame_id(own.first.crossing), frame_id(answers.first.crossing)
    return Cause(
        "reset-handshake-by-hand",
        f"{raw.program} made the SYN ({syn}) by hand, through {raw.made_by} "
        f"({raw.domain}, {raw.type}): the kernel of {reset.host} has no socket for it and answers "
        f"the SYN-ACK ({syn_ack}) with a RST ({reset.id}).",
        raw.program,
        known_ids(raw.made_by, syn, syn_ack, reset.id),
        "RFC 9293, 3.10.7.1; raw(7)",
        Surprise.HIDDEN,
    )


def _unread(reset: Reset) -> Cause | None:
    """Bytes had come and were never read when the socket was closed."""
    facts, own = reset.facts, reset.own
    channel = None if own is None else facts.channel_into.get((reset.talk.flow.id, own.id))
    if own is None or channel is None or channel.uncounted or not facts.is_traced:
        return None
    closed = facts.last_close(own)
    if closed is not None and closed.entry_ns > reset.left_ns:
        return None
    closed_ns = reset.left_ns if closed is None else closed.entry_ns
    if closed is None and not _ended_with(reset):
        return None
    if any(facts.departure_ns(each) > closed_ns for each in reset.own_before):
        return None
    came = [
        each.seq + each.length - 1
        for each in reset.other_before
        if each.length and not each.notes & UNTAKEN and (facts.arrival_ns(each) or 0) <= closed_ns
    ]
    total = max(came, default=0)
    unread = total - channel.read
    if unread <= 0:
        return None
    who = (
        f"{own.program} ended with its socket open, which"
        if closed is None
        else f"{named(closed)} of {own.program}"
    )
    return Cause(
        "reset-unread",
        f"{who} threw away {counted(unread, 'byte')} of {total} that had come and were never "
        f"read: so a RST ({reset.id}) and no FIN{reset.and_so()}.",
        own.program,
        known_ids(closed, reset.id, reset.failed),
        "RFC 1122, 4.2.2.13; RFC 9293, 3.6.1",
        Surprise.ELSEWHERE,
        facts.counted(reset.host, "TcpExtTCPAbortOnClose"),
    )


def _lingers_not(reset: Reset) -> Cause | None:
    """SO_LINGER of 0 seconds: close(2) throws the connection away. Source: socket(7)."""
    facts, own = reset.facts, reset.own
    if own is None or not facts.is_traced:
        return None
    asked = facts.option_call(own, SO_LINGER, reset.left_ns)
    closed = next((each for each in facts.correlation.closed if each.segment == reset.id), None)
    if asked is None or not _lingers_no_time(asked):
        return None
    if closed is None or closed.endpoint != own.id:
        return None
    call = None if closed.call is None else facts.timeline.call_of[closed.call]
    how = f"the end of {own.program}" if call is None else named(call)
    whose = (
        ""
        if asked.socket == own.id
        else " on the socket that listens, from which the accepted one has it"
    )
    return Cause(
        "reset-linger",
        f"{own.program} had set SO_LINGER to 0 seconds{whose} ({asked.id}): {how} throws the "
        f"connection away with a RST ({reset.id}), whatever is still to be sent{reset.and_so()}.",
        own.program,
        known_ids(asked, call, reset.id, reset.failed),
        "socket(7), SO_LINGER; RFC 9293, 3.10.5",
        Surprise.ELSEWHERE,
        facts.counted(reset.host, "TcpExtTCPAbortOnData"),
    )


def _lingers_no_time(asked: SystemCall) -> bool:
    """Whether it sets a struct linger that is on, of 0 seconds. Source: socket(7)."""
    argument = asked.argument("optval")
    value = b"" if argument is None or argument.value is None else argument.value
    return len(value) >= 8 and any(value[:4]) and not any(value[4:8])


def _half_open(reset: Reset) -> Cause | None:
    """The sender had given the connection up before, with a RST that never arrived."""
    facts = reset.facts
    lost = next((each for each in reset.own_with(RST) if Note.LOST in each.notes), None)
    if lost is None:
        return None
    asked = [
        each
        for each in reset.other_before
        if each.crossing > lost.crossing and Note.LOST not in each.notes
    ]
    if not asked:
        return None
    gone, last = frame_id(lost.crossing), frame_id(asked[-1].crossing)
    other = facts.host_of(reset.talk, not reset.rst.from_client)
    return Cause(
        "reset-half-open",
        f"The connection was half open: {reset.host} had given it up, and its RST ({gone}) never "
        f"reached {other}, which believed in it. What {other} sent then ({last}) meets a kernel "
        f"that knows no such connection: RST ({reset.id}){reset.and_so()}.",
        reset.host,
        known_ids(gone, last, reset.id, reset.failed),
        "RFC 9293, 3.5.1",
        Surprise.ELSEWHERE,
    )


def _after_close(reset: Reset) -> Cause | None:
    """The peer sent more when nobody was there any more to read it."""
    facts, own = reset.facts, reset.own
    if own is None or not facts.is_traced:
        return None
    fins = reset.own_with(FIN)
    closed = facts.last_close(own)
    gone_ns = facts.ended_ns(own) if closed is None else closed.entry_ns
    if not fins or not 0 < gone_ns < reset.left_ns:
        return None
    # A copy of bytes that its kernel had before, which came late, is not what the peer sent then.
    had = max((each.ack or 0 for each in reset.own_before), default=0)
    late = (
        each
        for each in reset.other_before
        if each.length and not each.notes & UNTAKEN and each.seq + each.length > had
        if (facts.arrival_ns(each) or 0) > gone_ns
    )
    if (first := next(late, None)) is None:
        return None
    fin, data = frame_id(fins.first.crossing), frame_id(first.crossing)
    send = facts.sent_by.get(data)
    how = f"{own.program} had ended" if closed is None else f"{own.program} had called {closed.id}"
    who = data if send is None else f"{named(send)}, {data}"
    return Cause(
        "reset-after-close",
        f"{how}{'' if closed is None else ' (close)'}, so nobody reads any more what the peer "
        f"sends after that ({who}): RST ({reset.id}){reset.and_so()}. The FIN ({fin}) says only "
        "that no more will come from there; a send after it succeeds all the same.",
        own.program,
        known_ids(closed, fin, send, data, reset.id, reset.failed),
        "RFC 1122, 4.2.2.13; send(2), EPIPE",
        Surprise.HIDDEN,
        facts.counted(reset.host, "TcpExtTCPAbortOnData"),
    )


def _queue_closed(reset: Reset) -> Cause | None:
    """The listening socket was closed while the connection waited to be accepted."""
    facts, talk = reset.facts, reset.talk
    if reset.own is not None or reset.rst.from_client or talk.handshake is None:
        return None
    place = facts.place_of(talk, False)
    for listener in facts.sockets(reset.host, "tcp"):
        listen = facts.listen_call(listener)
        if listen is None or not takes(listener.local, place):
            continue
        closed, ended_ns = facts.last_close(listener), facts.ended_ns(listener)
        late_ns = reset.left_ns if closed is None or closed.exit_ns is None else closed.exit_ns
        if not ended_ns <= reset.left_ns <= late_ns or not facts.is_traced:
            continue
        how = f"{listener.program} ended" if closed is None else f"{named(closed)} closed it"
        return Cause(
            "reset-queue-closed",
            f"The connection waited in the accept queue of {listener.program}'s socket "
            f"({listen.id}) and was never accepted: {how}, and the kernel resets what waits there "
            f"({reset.id}){reset.and_so()}.",
            listener.program,
            known_ids(listen, closed, reset.id, reset.failed),
            "listen(2); accept(2)",
            Surprise.ELSEWHERE,
        )
    return None


def _makes_packets(socket: Endpoint) -> bool:
    """Whether a program can make TCP segments itself through it."""
    is_raw = socket.domain in _INET and socket.type == "SOCK_RAW"
    return is_raw or socket.domain == "AF_PACKET"


def _is_bare_syn(segment: Segment) -> bool:
    return int(segment.flags) & (_SYN | _ACK | RST) == _SYN


def _ended_with(reset: Reset) -> bool:
    """Whether the sender's program had begun to end when the RST left."""
    own = reset.own
    joined = [each for each in reset.facts.correlation.closed if each.segment == reset.id]
    return own is not None and any(each.endpoint == own.id for each in joined)


_KINDS = (
    _nobody_listens,
    _by_hand,
    _unread,
    _lingers_not,
    _half_open,
    _after_close,
    _queue_closed,
)
