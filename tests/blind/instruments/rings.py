"""What BPF programs see of rings of io_uring(7): the operations that programs do by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lab.records import Recording, Syscall
from tests.blind.disturbance import Disturbed, Manner, Name, cuts, falsified, later, spread
from tests.blind.instruments.records import in_trace

MOST_OPERATIONS = 8

_with_calls = in_trace("syscalls")


def is_operation(call: Syscall) -> bool:
    """Whether it was done by a ring, and is no system call."""
    return call.ring is not None and bool(call.ring.operation)


def disturbed(recording: Recording) -> Iterator[Disturbed]:
    """Operations of all programs, of one, and one operation."""
    seen = recording.trace.syscalls
    places = [place for place, call in enumerate(seen) if is_operation(call)]
    if not places:
        return
    calls = [call for call in seen if not is_operation(call)]
    unfollowed = [replace(call, ring=None) for call in calls]
    yield _made(Manner.GONE, "rings are not followed", recording, unfollowed)
    yield _made(Manner.GONE, "no operation was seen", recording, calls)
    for program in dict.fromkeys(seen[place].program for place in places):
        rest = [call for call in seen if not (is_operation(call) and call.program == program)]
        steps = frozenset(seen[place].step for place in places if seen[place].program == program)
        yield _made(Manner.GONE, f"no operation of {program}", recording, rest, steps)
    for moment_ns, steps in cuts(recording):
        what = f"ended in the middle of {', '.join(sorted(steps))}"
        yield _made(Manner.CUT, what, recording, _until(seen, moment_ns), steps)
    late = [later(call) if is_operation(call) else call for call in seen]
    yield _made(Manner.LATE, "all are late", recording, late)
    for _, place in spread(places, MOST_OPERATIONS):
        call, before, after = seen[place], seen[:place], seen[place + 1 :]
        said = f"{call.name}, call {place + 1} of {len(seen)}, by {call.program}"
        yield _made(Manner.FALSE, f"{said}: not seen", recording, [*before, *after])
        assert call.ring is not None
        for field, ring in falsified(call.ring):
            changed = [*before, replace(call, ring=ring), *after]
            yield _made(Manner.FALSE, f"{said}: ring's {field}", recording, changed)
        for field, other in falsified(call, frozenset({"memory", "ring"})):
            yield _made(Manner.FALSE, f"{said}: {field}", recording, [*before, other, *after])


def _until(seen: Iterable[Syscall], moment_ns: int) -> Iterator[Syscall]:
    """Without operations that began later; those that were not complete have no result."""
    for call in seen:
        if not is_operation(call):
            yield call
        elif call.entry_ns < moment_ns:
            if call.exit_ns is not None and call.exit_ns >= moment_ns:
                memory = tuple(each for each in call.memory if not each.at_exit)
                yield replace(call, exit_ns=None, result=None, memory=memory)
            else:
                yield call


def _made(
    manner: Manner,
    what: str,
    recording: Recording,
    seen: Iterable[Syscall],
    steps: frozenset[str] | None = None,
) -> Disturbed:
    """With those calls, in order of entry, as a tracer has them."""
    ordered = sorted(seen, key=lambda call: call.entry_ns)
    return Disturbed(Name.RINGS, manner, what, _with_calls(recording, ordered), steps)
