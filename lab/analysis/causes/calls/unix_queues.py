"""Why a send or a connect on a unix socket failed with EAGAIN, or waited: who does not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.calls.unix_names import owner_of
from lab.analysis.causes.calls.why import SENDS, unix_name_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.model.address import UnixName
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why
    from lab.analysis.sockets.endpoint import Endpoint

_BLOCKED_NS = 100_000_000
"""A send that took longer than this waited for room, and not for its turn on the processor."""


def blocked_sends(facts: StepFacts) -> Iterator[Cause]:
    """The sends and connects on unix sockets that waited until somebody read or accepted."""
    for call in facts.timeline.system_calls:
        if call.error or call.name not in (*SENDS, "connect"):
            continue
        if call.exit_ns is not None and call.exit_ns - call.entry_ns < _BLOCKED_NS:
            continue
        cause = _why_full(facts, call)
        if cause is not None:
            yield cause


def _why_full(facts: StepFacts, call: SystemCall) -> Cause | None:
    """The queue that had no room for it. Source: unix(7); listen(2), backlog."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.protocol != "unix" or not facts.is_traced:
        return None
    if call.name == "connect":
        return _accept_queue(facts, call)
    if call.error and socket.type == "SOCK_STREAM" and _goes_on(facts, call):
        return None  # a program that waits for room is meant to see this
    receiver = _receiver(facts, call, socket)
    if receiver is None:
        return None
    waiting = _waiting(facts, receiver, call.entry_ns, is_stream=socket.type == "SOCK_STREAM")
    if not waiting:
        return None
    what = "byte" if socket.type == "SOCK_STREAM" else "message"
    return Cause(
        "unix-queue-full",
        f"{_comes_to(call)}: the receive queue of {receiver.program}'s socket "
        f"({receiver.made_by}) has no room for more than the {counted(waiting, what)} that wait "
        "there, sent before. "
        f"{_reads(facts, call, receiver)}.",
        call.program,
        known_ids(call, receiver.made_by, _next_read(facts, call, receiver)),
        "unix(7); send(2), EAGAIN; socket(7), SO_SNDBUF",
        Surprise.ELSEWHERE,
    )


def _comes_to(call: SystemCall) -> str:
    if call.error:
        return f"{named(call)} fails with {call.error}, as the call is not to wait"
    if call.exit_ns is None:
        return f"{named(call)} waits and never returned"
    return f"{named(call)} waits for {ms(call.exit_ns - call.entry_ns)}"


def _goes_on(facts: StepFacts, call: SystemCall) -> bool:
    """Whether a later send on the socket succeeded."""
    return any(
        each.entry_ns > call.entry_ns for each in facts.calls_on(_socket(facts, call), *SENDS)
    )


def _socket(facts: StepFacts, call: SystemCall) -> Endpoint:
    return facts.timeline.endpoint_of[call.socket]


def _receiver(facts: StepFacts, call: SystemCall, socket: Endpoint) -> Endpoint | None:
    """The socket that the call sends to."""
    name = unix_name_of(call)
    if name is None and socket.peer:
        return facts.timeline.endpoint_of.get(socket.peer)
    name = name or (socket.remote if isinstance(socket.remote, UnixName) else None)
    owner = None if name is None else owner_of(facts, call, name)
    return None if owner is None else owner[0]


def _waiting(facts: StepFacts, receiver: Endpoint, at_ns: int, *, is_stream: bool) -> int:
    """How many messages, of a stream how many bytes, had been sent to it by then and not read."""
    calls, sent = facts.timeline.call_of, 0
    for channel in facts.correlation.channels:
        if channel.receiver != receiver.id or channel.flow is not None:
            continue
        for part in channel.parts:
            if calls[part.call].entry_ns >= at_ns:
                continue
            reads = [calls[each] for each in part.reads]
            if is_stream:
                sent += part.end - part.start
            elif not any((each.exit_ns or 0) <= at_ns for each in reads):
                sent += 1
    if is_stream:
        reads = facts.evidence.calls.reads(receiver.id)
        sent -= sum(each.moved for each in reads if (each.exit_ns or 0) <= at_ns)
    return sent


def _next_read(facts: StepFacts, call: SystemCall, receiver: Endpoint) -> SystemCall | None:
    reads = facts.evidence.calls.reads(receiver.id)
    return next((each for each in reads if (each.exit_ns or 0) > call.entry_ns), None)


def _reads(facts: StepFacts, call: SystemCall, receiver: Endpoint) -> str:
    """When its program reads: "server reads with server#3 (recvfrom), 981 ms later"."""
    read = _next_read(facts, call, receiver)
    if read is None or read.exit_ns is None:
        return f"{receiver.program} reads nothing after that"
    late = ms(read.exit_ns - call.entry_ns)
    return f"{receiver.program} reads the next with {named(read)}, {late} later"


def _accept_queue(facts: StepFacts, call: SystemCall) -> Cause | None:
    """A listening socket on which more wait to be accepted than it allows."""
    name = unix_name_of(call)
    owner = None if name is None else owner_of(facts, call, name)
    listen = None if owner is None else facts.listen_call(owner[0])
    if owner is None or listen is None or listen.entry_ns > call.entry_ns:
        return None
    listener = owner[0]
    before = [
        each
        for endpoint in facts.timeline.endpoints
        for each in facts.calls_on(endpoint, "connect")
        if unix_name_of(each) == name and (each.exit_ns or call.entry_ns) < call.entry_ns
    ]
    accepts = [
        each
        for each in facts.calls_on(listener, "accept", "accept4")
        if each.exit_ns is not None and each.exit_ns < call.entry_ns
    ]
    waiting = len(before) - len(accepts)
    if waiting <= 0:
        return None
    later = next(
        (
            each
            for each in facts.calls_on(listener, "accept", "accept4")
            if (each.exit_ns or 0) > call.entry_ns
        ),
        None,
    )
    then = "accepts none after that" if later is None else f"accepts the next with {named(later)}"
    backlog = listen.argument("backlog")
    return Cause(
        "unix-accept-queue-full",
        f"{_comes_to(call)}: on {name} as many connections wait to be accepted as "
        f"{named(listen)} of {listener.program} allows with a backlog of "
        f"{'?' if backlog is None else backlog.text} ({waiting}). {listener.program} {then}.",
        call.program,
        known_ids(call, listen, later),
        "listen(2), backlog; unix(7)",
        Surprise.ELSEWHERE,
    )


WHY: dict[tuple[str, str], Why] = {(name, "EAGAIN"): _why_full for name in (*SENDS, "connect")}
