"""Why TCP Fast Open sent nothing with its SYN: no cookie yet, none granted, or not accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.socket_calls import opens_fast
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.packets.packet import Tcp
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment

_OPTION = "fast_open_cookie"
_SYN, _ACK = int(TcpFlags.SYN), int(TcpFlags.ACK)


def slow_openings(facts: StepFacts) -> Iterator[Cause]:
    """The connections that were to be opened with data, and were not. Source: RFC 7413."""
    by_socket = {
        endpoint.id: talk for talk, is_client, endpoint in facts.evidence.tcp_ends() if is_client
    }
    asked = [
        (call, by_socket[call.socket])
        for call in facts.timeline.system_calls
        if opens_fast(call) and call.socket in by_socket
    ]
    opened = {facts.host_of(talk, True) for _, talk in asked if _carried(facts, talk)}
    for call, talk in asked:
        if facts.host_of(talk, True) in opened:
            continue  # the first asked for the cookie by which a later one was opened
        cause = _why_slow(facts, call, talk)
        if cause is not None:
            yield cause


def _header(facts: StepFacts, segment: Segment | None) -> Tcp | None:
    return None if segment is None else facts.crossing(segment).packet.tcp


def _syn(talk: TcpConversation) -> Segment | None:
    return next((each for each in talk.segments if int(each.flags) & (_SYN | _ACK) == _SYN), None)


def _syn_ack(talk: TcpConversation) -> Segment | None:
    both = _SYN | _ACK
    return next((each for each in talk.segments if int(each.flags) & both == both), None)


def _carried(facts: StepFacts, talk: TcpConversation) -> bool:
    """Whether its SYN carried data, and the SYN-ACK acknowledges that."""
    syn, answer = _header(facts, _syn(talk)), _header(facts, _syn_ack(talk))
    if syn is None or answer is None or not syn.payload_bytes:
        return False
    return (answer.ack - syn.seq) % (1 << 32) > 1


def _why_slow(facts: StepFacts, call: SystemCall, talk: TcpConversation) -> Cause | None:
    first, second = _syn(talk), _syn_ack(talk)
    syn, answer = _header(facts, first), _header(facts, second)
    if syn is None or answer is None or first is None or second is None:
        return None
    server = facts.host_of(talk, False)
    granted = answer.option(_OPTION) is not None
    syn_id, answer_id = frame_id(first.crossing), frame_id(second.crossing)
    if syn.payload_bytes:
        name = "fast-open-fell-back"
        text = (
            f"The SYN ({syn_id}) of {named(call)} carries {syn.payload_bytes} bytes, and the "
            f"SYN-ACK ({answer_id}) of {server} acknowledges the SYN alone: they are sent again "
            "after the handshake"
        )
    elif syn.option(_OPTION) is None:
        return None
    elif granted:
        name = "fast-open-no-cookie"
        text = (
            f"The SYN ({syn_id}) of {named(call)} carries no data: {call.host} had no cookie of "
            f"{server} yet and asks for one, which the SYN-ACK ({answer_id}) brings. The next "
            "connection may carry data in its SYN"
        )
    else:
        name = "fast-open-not-granted"
        set_to = facts.timeline.sysctl(server, "net.ipv4.tcp_fastopen")
        value = "" if set_to is None else f" (it is {set_to})"
        text = (
            f"The SYN ({syn_id}) of {named(call)} asks for a Fast Open cookie and carries no data, "
            f"and the SYN-ACK ({answer_id}) grants none: that takes TCP_FASTOPEN on the socket "
            f"that listens, and 2 in net.ipv4.tcp_fastopen of {server}{value}. The connection is "
            "opened as any other"
        )
    return Cause(
        name,
        f"{text}.",
        call.program,
        known_ids(call, syn_id, answer_id),
        "RFC 7413, 3 and 4.1; tcp(7), TCP_FASTOPEN",
        Surprise.HIDDEN,
        facts.counted(call.host, "TcpExtTCPFastOpenActiveFail"),
    )
