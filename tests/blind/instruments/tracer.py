"""What a tracer sees of programs: their calls, their tasks, and the memory behind pointers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from lab.records import Memory, Recording
from tests.blind.disturbance import Disturbed, Manner, Name, cuts, falsified, later, spread
from tests.blind.instruments.calls import made, until, with_calls
from tests.blind.instruments.records import disturbed_records, in_trace

MOST_CALLS = 8
MOST_MEMORIES = 8

_made = partial(made, Name.CALLS)


def calls(recording: Recording) -> Iterator[Disturbed]:
    """System calls of all programs, of one, and one call."""
    seen = recording.trace.syscalls
    if not seen:
        return
    yield Disturbed(Name.CALLS, Manner.GONE, "no call was seen", with_calls(recording, ()))
    for program in dict.fromkeys(call.program for call in seen):
        steps = frozenset(call.step for call in seen if call.program == program)
        rest = [call for call in seen if call.program != program]
        gone = with_calls(recording, rest)
        yield Disturbed(Name.CALLS, Manner.GONE, f"no call of {program}", gone, steps)
        late = [later(call) if call.program == program else call for call in seen]
        what = f"those of {program} are late"
        yield _made(Manner.LATE, what, recording, late, steps)
    for moment_ns, steps in cuts(recording):
        early = until(seen, moment_ns)
        what = f"ended in the middle of {', '.join(sorted(steps))}"
        yield _made(Manner.CUT, what, recording, early, steps)
    yield _made(Manner.LATE, "all are late", recording, map(later, seen))
    for place, call in spread(seen, MOST_CALLS):
        before, after = seen[:place], seen[place + 1 :]
        said = f"{call.name}, call {place + 1} of {len(seen)}, by {call.program}"
        yield _made(Manner.FALSE, f"{said}: not seen", recording, [*before, *after])
        for field, other in falsified(call, frozenset({"memory"})):
            yield made(
                Name.CALLS, Manner.FALSE, f"{said}: {field}", recording, [*before, other, *after]
            )


def tasks(recording: Recording) -> Iterator[Disturbed]:
    """Starts and ends of processes."""
    yield from disturbed_records(
        Name.TASKS, recording, recording.trace.tasks, in_trace("tasks"), most=MOST_CALLS
    )


def memory(recording: Recording) -> Iterator[Disturbed]:
    """What pointers point to: not read, the half of it, or one byte or number otherwise."""
    seen = recording.trace.syscalls
    places = [place for place, call in enumerate(seen) if call.memory]
    if not places:
        return
    without = [replace(call, memory=()) for call in seen]
    yield Disturbed(Name.MEMORY, Manner.GONE, "not read", with_calls(recording, without))
    for moment_ns, steps in cuts(recording):
        early = [replace(call, memory=()) if call.entry_ns >= moment_ns else call for call in seen]
        what = f"not read from the middle of {', '.join(sorted(steps))} on"
        yield Disturbed(Name.MEMORY, Manner.CUT, what, with_calls(recording, early), steps)
    half = [replace(call, memory=tuple(map(_half, call.memory))) for call in seen]
    yield Disturbed(Name.MEMORY, Manner.CUT, "half of each", with_calls(recording, half))
    for _, place in spread(places, MOST_MEMORIES):
        call = seen[place]
        for number, each in enumerate(call.memory):
            said = f"{call.name}, call {place + 1} of {len(seen)}, by {call.program}"
            for field, other in falsified(each):
                memories = (*call.memory[:number], other, *call.memory[number + 1 :])
                changed = [*seen[:place], replace(call, memory=memories), *seen[place + 1 :]]
                what = f"{said}: {field}"
                made = with_calls(recording, changed)
                yield Disturbed(Name.MEMORY, Manner.FALSE, what, made)


def _half(memory: Memory) -> Memory:
    return replace(memory, data=memory.data[: len(memory.data) // 2])
