"""What BPF programs see of rings of io_uring(7): the operations that programs do by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from lab.records import Recording, Syscall
from tests.blind.disturbance import Disturbed, Manner, Name, cuts, falsified, later, spread
from tests.blind.instruments.calls import made, until

MOST_OPERATIONS = 8

_made = partial(made, Name.RINGS)


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
        yield made(
            Name.RINGS, Manner.CUT, what, recording, until(seen, moment_ns, is_operation), steps
        )
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
            yield made(
                Name.RINGS, Manner.FALSE, f"{said}: {field}", recording, [*before, other, *after]
            )
