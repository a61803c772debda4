"""When waits ended that had been in vain: the lab ended a program, or it gave up itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.standing import READS, WAITS, Standing, sides_at
from lab.analysis.tcp.segment import Note
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.facts.step_facts import StepFacts
    from lab.analysis.tcp.conversation import TcpConversation

_LONG_NS = 500_000_000
"""What waited for a shorter time may have looked in only."""
_TIMED_OUT = ("EAGAIN", "ETIMEDOUT")
_OF_MANY = frozenset({"epoll_wait", "epoll_pwait", "epoll_pwait2"})
_LOOKED_AT = 3
_LETS_GO = frozenset({"close", "shutdown", "getsockopt", "fcntl", "getsockname", "getpeername"})


@frozen
class GivenUp:
    """A connection at the moment when the wait of one side ended."""

    waits: Standing
    """The side whose wait it was."""
    other: Standing
    how: str
    """How it ended: "until the lab ended it"."""


def given_up(facts: StepFacts) -> Iterator[GivenUp]:
    """Of each connection that was open when a wait for it ended in vain, that moment."""
    in_vain: dict[str, list[SystemCall]] = {}
    for call in _in_vain(facts):
        in_vain.setdefault(call.program, []).append(call)
    for talk in facts.timeline.conversations:
        for name in _programs(facts, talk):
            found = _of_program(facts, talk, name, in_vain.get(name, []))
            if found is not None:
                yield found
                break


def _programs(facts: StepFacts, talk: TcpConversation) -> Iterator[str]:
    """Those at the connection's ends, the client's first; what is not traced, by its host."""
    for is_client in (True, False):
        socket = facts.side(talk, is_client)
        if socket is not None:
            yield socket.program
        elif not facts.is_traced:
            host = facts.host_of(talk, is_client)
            yield from (run.name for run in facts.timeline.programs if run.host == host)


def _of_program(
    facts: StepFacts, talk: TcpConversation, name: str, in_vain: list[SystemCall]
) -> GivenUp | None:
    (run,) = (each for each in facts.timeline.programs if each.name == name)
    if run.failure and run.stopped_ns is not None:
        return _at(facts, talk, name, run.stopped_ns, "until the lab ended it")
    if any(Note.KEEP_ALIVE in each.notes for each in talk.segments):
        return None  # a silence that was reckoned with
    for call in _concerning(facts, talk, in_vain):
        if call.exit_ns is None and not run.failure:
            continue
        ended_ns = _ended_ns(facts, call)
        how = "until it gave up" if call.exit_ns is not None else "until it was ended"
        found = _at(facts, talk, name, ended_ns, how)
        if found is not None and found.waits.call == call and _was_owed(found.waits, found.other):
            return found
    return None


def _concerning(
    facts: StepFacts, talk: TcpConversation, in_vain: list[SystemCall]
) -> Iterator[SystemCall]:
    """Those after which the program did nothing more with its socket than to let it go."""
    for is_client in (True, False) if in_vain else ():
        socket = facts.side(talk, is_client)
        if socket is None or socket.program != in_vain[0].program:
            continue
        used = [call for call in facts.evidence.calls.on(socket.id) if call.name not in _LETS_GO]
        last_ns = max((call.entry_ns for call in used), default=0)
        later = (call for call in in_vain if call.exit_ns is None or call.exit_ns > last_ns)
        yield from islice(later, _LOOKED_AT)


def _was_owed(waits: Standing, other: Standing) -> bool:
    """Whether a wait was for what the other was to send, as far as that shows.

    Who waits for many things at once may let a connection go that has done its work.
    """
    if waits.call is None or waits.call.name not in _OF_MANY:
        return True
    return waits.last_sent_ns > other.last_sent_ns


def _at(
    facts: StepFacts, talk: TcpConversation, name: str, now_ns: int, how: str
) -> GivenUp | None:
    sides = sides_at(facts, talk, now_ns)
    if sides is None:
        return None
    client, server = sides
    run = next(each for each in facts.timeline.programs if each.name == name)
    is_client = client.name == name or (client.socket is None and client.host == run.host)
    waits, other = (client, server) if is_client else (server, client)
    # Who has ended its own sending may still wait for an answer.
    if other.has_ended or waits.has_reset or not _is_about(facts, waits):
        return None
    return GivenUp(waits, other, how)


def _is_about(facts: StepFacts, waits: Standing) -> bool:
    """Whether a wait for descriptors is for this connection: of several, for the one used last."""
    call = waits.call
    if call is None or call.name not in WAITS or waits.last is None:
        return True
    others = (
        each.entry_ns
        for each in facts.timeline.system_calls
        if each.tid == call.tid
        and each.program == call.program
        and each.entry_ns < call.entry_ns
        and (used := facts.timeline.endpoint_of.get(each.socket)) is not None
        and used.protocol == "tcp"
    )
    return waits.last.entry_ns >= max(others, default=0)


def _in_vain(facts: StepFacts) -> Iterator[SystemCall]:
    """The calls that waited long and got nothing, or never returned."""
    for call in facts.timeline.system_calls:
        if call.name not in READS | WAITS:
            continue
        lasted_ns = None if call.exit_ns is None else call.exit_ns - call.entry_ns
        if lasted_ns is None or (lasted_ns >= _LONG_NS and _got_nothing(call)):
            yield call


def _got_nothing(call: SystemCall) -> bool:
    return call.error in _TIMED_OUT or (call.name in WAITS and call.result == 0)


def _ended_ns(facts: StepFacts, call: SystemCall) -> int:
    """When the wait was over: when the call returned, or when its process ended."""
    if call.exit_ns is not None:
        return call.exit_ns
    ends = facts.evidence.exits.get(call.program, ())
    return next((time_ns for time_ns, pid in ends if pid == call.pid), call.entry_ns)
