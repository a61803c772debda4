"""Why a call on a stream failed: not connected, connected already, its sending ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.calls.why import MOVES, SENDS
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why

_KINDS = ("tcp", "unix")
_GOES_ON = ("", "EINPROGRESS", "EINTR")
"""With these connect(2) has connected, or goes on with it."""


def _not_connected(facts: StepFacts, call: SystemCall) -> Cause | None:
    """ENOTCONN, or EPIPE of a stream that never was connected. Source: send(2); recv(2)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.protocol not in _KINDS or socket.listener:
        return None
    if facts.timeline.call_of[socket.made_by].name == "socketpair":
        return None
    begun = (
        each
        for each in facts.evidence.calls.on(socket.id)
        if each.name == "connect" and each.entry_ns < call.entry_ns
    )
    if any(each.error in _GOES_ON for each in begun):
        return None
    what = (
        "the socket listens: data goes over what accept() returns"
        if facts.listen_call(socket) is not None
        else "connect() had not been called on the socket, or had not succeeded"
    )
    return Cause(
        "not-connected",
        f"{facts.failing(call)}: {what}.",
        call.program,
        known_ids(call, facts.listen_call(socket)),
        "send(2), ENOTCONN; recv(2), ENOTCONN",
        Surprise.HIDDEN if call.error == "EPIPE" else Surprise.SAID,
    )


def _own_shutdown(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EPIPE since the program itself has ended the sending. Source: shutdown(2); send(2)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.protocol not in _KINDS:
        return None
    for each in facts.calls_on(socket, "shutdown"):
        if each.entry_ns < call.entry_ns and each.number("how") in (1, 2):
            return Cause(
                "sending-was-ended",
                f"{facts.failing(call)}: {named(each)} had ended the sending on this socket.",
                call.program,
                known_ids(each, call),
                "shutdown(2); send(2), EPIPE",
                Surprise.HIDDEN,
            )
    return None


def _broken_pipe(facts: StepFacts, call: SystemCall) -> Cause | None:
    return _own_shutdown(facts, call) or _peer_closed(facts, call) or _not_connected(facts, call)


def _peer_closed(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EPIPE or ECONNRESET of a unix socket whose other end is closed. Source: unix(7)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    peer = None if socket is None else facts.timeline.endpoint_of.get(socket.peer)
    if socket is None or socket.protocol != "unix" or peer is None:
        return None
    closed, ended_ns = facts.last_close(peer), facts.ended_ns(peer)
    if ended_ns > (call.exit_ns or 0) or (closed is None and peer.program == call.program):
        return None
    how = f"{peer.program} ended" if closed is None else f"{named(closed)} of {peer.program}"
    did = "which closed" if closed is None else "closed"
    return Cause(
        "unix-peer-closed",
        f"{facts.failing(call)}: {how} {did} the other end of the socket "
        f"{ms(max(call.entry_ns - ended_ns, 0))} before.",
        call.program,
        known_ids(call, closed),
        "unix(7), EPIPE; send(2), EPIPE",
        Surprise.ELSEWHERE,
    )


def _no_destination(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EDESTADDRREQ: a datagram to nobody. Source: send(2), EDESTADDRREQ."""
    if call.socket not in facts.timeline.endpoint_of:
        return None
    return Cause(
        "no-destination",
        f"{named(call)} fails with EDESTADDRREQ: it names no address to send to, and the socket "
        "was not connected to one.",
        call.program,
        (call.id,),
        "send(2), EDESTADDRREQ; udp(7)",
        Surprise.SAID,
    )


def _already(facts: StepFacts, call: SystemCall) -> Cause | None:
    """connect(2) with EISCONN: it is connected already. Source: connect(2)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.protocol != "tcp":
        return None
    before = [
        each
        for each in facts.evidence.calls.on(socket.id)
        if each.name == "connect" and each.entry_ns < call.entry_ns
    ]
    # A program that asks again until EISCONN asks how its EINPROGRESS ended.
    if not before or before[0].error:
        return None
    return Cause(
        "already-connected",
        f"{named(call)} fails with EISCONN: {named(before[0])} had connected this socket to "
        f"{socket.remote or 'its peer'}; a new connection needs a new socket.",
        call.program,
        known_ids(before[0], call),
        "connect(2), EISCONN",
        Surprise.SAID,
    )


WHY: dict[tuple[str, str], Why] = {
    ("connect", "EISCONN"): _already,
    **{(name, "EPIPE"): _broken_pipe for name in SENDS},
    **{(name, "ECONNRESET"): _peer_closed for name in MOVES},
    **{(name, "EDESTADDRREQ"): _no_destination for name in SENDS},
    **{(name, "ENOTCONN"): _not_connected for name in MOVES},
}
