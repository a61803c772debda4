"""Why a call on a non-blocking socket was no failure: it had not finished, or nothing had come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.calls.options import SO_RCVTIMEO, SO_RCVTIMEO_NEW
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.standing import ACCEPTS, READS, SENDS, WAITS
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.sockets.facts import takes
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment

_AT_ONCE_NS = 10_000_000
"""A call that took longer on a socket with SO_RCVTIMEO had waited for so long."""
_USES = READS | SENDS | ACCEPTS | {"connect", "close"}
_GOES_WITHOUT = ("EAGAIN", "ENOTCONN", "EPIPE")


def _afterwards(facts: StepFacts, call: SystemCall) -> SystemCall | None:
    """What its program did next of what matters: on the socket, or a wait for any."""
    for each in facts.timeline.system_calls:
        if each.program != call.program or each.entry_ns <= call.entry_ns:
            continue
        if each.name in WAITS:
            return each
        if each.socket == call.socket and each.name in (
            *READS,
            *SENDS,
            *ACCEPTS,
            "connect",
            "close",
        ):
            return each
    return None


def _may_have_waited(facts: StepFacts, call: SystemCall) -> bool:
    """Whether EAGAIN may say that SO_RCVTIMEO was over; else the socket is non-blocking.

    A call that did not wait may take long all the same: its task was stopped, or had no CPU.
    Source: socket(7), recv(2).
    """
    endpoint = facts.timeline.endpoint_of.get(call.socket)
    is_short = call.exit_ns is not None and call.exit_ns - call.entry_ns <= _AT_ONCE_NS
    if endpoint is None or is_short:
        return not is_short
    options = (SO_RCVTIMEO, SO_RCVTIMEO_NEW)
    return any(facts.option_call(endpoint, each, call.entry_ns) for each in options)


def _conversation(facts: StepFacts, call: SystemCall) -> tuple[TcpConversation, bool] | None:
    """The TCP connection of the call's socket, and whether that is the client's end."""
    for talk, is_client, endpoint in facts.evidence.tcp_ends():
        if endpoint.id == call.socket:
            return talk, is_client
    return None


def _in_progress(facts: StepFacts, call: SystemCall) -> Cause | None:
    """connect(2) with EINPROGRESS, whose end its program did not wait for. Source: connect(2)."""
    found, then = _conversation(facts, call), _afterwards(facts, call)
    if found is None or not facts.is_traced:
        return None
    talk, _ = found
    opened = None if talk.handshake is None else _opened(talk)
    opened_ns = None if opened is None else facts.arrival_ns(opened)
    if then is not None and (then.name in WAITS or then.name == "connect"):
        return None
    if then is None:
        did = f"{call.program} did nothing more with it"
    elif then.error in _GOES_WITHOUT:
        did = f"{call.program} did not wait for that, and {named(then)} fails with {then.error}"
    elif then.name == "close":
        did = f"{call.program} did not wait for that: {named(then)} gave it up"
    else:
        return None
    if opened is None or opened_ns is None:
        how = "It never was open"
    else:
        how = f"It was open {ms(opened_ns - call.entry_ns)} later ({frame_id(opened.crossing)})"
    return Cause(
        "connect-in-progress",
        f"{named(call)} fails with EINPROGRESS, which is no failure: the socket is non-blocking, "
        f"and the connection goes on opening. {how}. {did}: poll(2) for writing, then SO_ERROR, "
        "say how it ended.",
        call.program,
        known_ids(call, then, None if opened is None else frame_id(opened.crossing)),
        "connect(2), EINPROGRESS",
        Surprise.HIDDEN,
    )


def _opened(talk: TcpConversation) -> Segment | None:
    """The SYN-ACK."""
    return next((each for each in talk.segments if not each.from_client), None)


def _nothing_yet(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EAGAIN of a read after which the program gave up, though something came later."""
    found, then = _conversation(facts, call), _afterwards(facts, call)
    if found is None or call.exit_ns is None or _may_have_waited(facts, call):
        return None
    talk, is_client = found
    if not facts.is_traced or (then is not None and then.name != "close"):
        return None
    late = next(_came_after(facts, talk, is_client, call.exit_ns), None)
    if late is None:
        return None
    arrival_ns = facts.arrival_ns(late) or 0
    gave_up = f"{call.program} read no more" if then is None else f"{named(then)} closed the socket"
    return Cause(
        "nothing-yet",
        f"{named(call)} fails with EAGAIN, which is no end: the socket is non-blocking, and "
        f"nothing had come yet. {gave_up}; {counted(late.length, 'byte')} came "
        f"{ms(arrival_ns - call.exit_ns)} after the read ({frame_id(late.crossing)}). poll(2) "
        "waits for them.",
        call.program,
        known_ids(call, then, frame_id(late.crossing)),
        "recv(2), EAGAIN",
        Surprise.ELSEWHERE,
    )


def _came_after(
    facts: StepFacts, talk: TcpConversation, is_client: bool, time_ns: int
) -> Iterator[Segment]:
    for each in talk.segments:
        if (
            each.from_client != is_client
            and each.length
            and (facts.arrival_ns(each) or 0) > time_ns
        ):
            yield each


def _nobody_yet(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EAGAIN of an accept after which the program gave up, though a SYN came later."""
    listener, then = facts.timeline.endpoint_of.get(call.socket), _afterwards(facts, call)
    if listener is None or listener.protocol != "tcp" or call.exit_ns is None:
        return None
    if _may_have_waited(facts, call) or not facts.is_traced:
        return None
    if then is not None and then.name != "close":
        return None
    for talk in facts.timeline.conversations:
        first = talk.segments[0]
        place, came_ns = facts.place_of(talk, False), facts.arrival_ns(first)
        if facts.host_of(talk, False) != call.host or came_ns is None or came_ns < call.exit_ns:
            continue
        if takes(listener.local, place):
            gave_up = "accepted no more" if then is None else f"closed the socket by {named(then)}"
            return Cause(
                "nobody-yet",
                f"{named(call)} fails with EAGAIN: the socket is non-blocking, and nobody had "
                f"connected yet. {call.program} {gave_up}; the first SYN came "
                f"{ms(came_ns - call.exit_ns)} after that call ({frame_id(first.crossing)}). "
                "poll(2) waits for it.",
                call.program,
                known_ids(call, then, frame_id(first.crossing)),
                "accept(2), EAGAIN",
                Surprise.ELSEWHERE,
            )
    return None


WHY: dict[tuple[str, str], Why] = {
    ("connect", "EINPROGRESS"): _in_progress,
    **{(name, "EAGAIN"): _nothing_yet for name in sorted(READS)},
    **{(name, "EAGAIN"): _nobody_yet for name in sorted(ACCEPTS)},
}
