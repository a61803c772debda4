"""Edits of what the instruments traced, for recordings of any scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import recorded as r
import run_edits as e

from lab.analysis.assembly import build_timelines
from lab.model.claim import Verdict
from lab.model.scenario import Scenario
from lab.records import Instrument, InstrumentKind, Memory, Recording, Syscall, Trace

Changed = Callable[[Syscall], Syscall | None]
"""What a call was instead; None where it was not traced."""


def checked(scenario: Scenario, claim: str, recording: Recording) -> Verdict:
    """What the claim's check says, whether or not the instruments are to be believed."""
    (wanted,) = (each for each in scenario.claims if each.id == claim)
    steps = wanted.step_names or (scenario.steps[0].name,)
    by_step = {timeline.step: timeline for timeline in build_timelines(recording)}
    return wanted(*(by_step[step] for step in steps))


def with_calls(recording: Recording, calls: list[Syscall]) -> Recording:
    ordered = tuple(sorted(calls, key=lambda call: call.entry_ns))
    return replace(recording, trace=replace(recording.trace, syscalls=ordered))


def call_of(recording: Recording, program: str, name: str, nth: int = 0) -> Syscall:
    """The nth call of that name that a program made."""
    calls = recording.trace.syscalls
    return [call for call in calls if (call.program, call.name) == (program, name)][nth]


def changed(program: str, name: str, change: Changed, nth: int = 0) -> r.Edit:
    """The nth call of that name that a program made was another."""

    def edit(recording: Recording) -> Recording:
        old = call_of(recording, program, name, nth)
        new = change(old)
        kept = [call for call in recording.trace.syscalls if call is not old]
        return with_calls(recording, kept if new is None else [*kept, new])

    return edit


def unseen(program: str, *names: str) -> r.Edit:
    """No call of those names that a program made was traced; without names, none at all."""

    def edit(recording: Recording) -> Recording:
        calls = recording.trace.syscalls
        kept = [c for c in calls if c.program != program or (names and c.name not in names)]
        assert len(kept) < len(calls), "an edit of nothing breaks nothing"
        return with_calls(recording, kept)

    return edit


def untraced(recording: Recording, why: str = "") -> Recording:
    """A run whose programs were not traced; `why` is the instrument's text."""
    kind = InstrumentKind.CALLS
    others = tuple(each for each in recording.instruments if each.kind is not kind)
    instruments = (*others, Instrument(kind, None, 0, why)) if why else others
    return replace(recording, trace=Trace(), instruments=instruments)


def lossy(recording: Recording) -> Recording:
    """A run of which the tracer knows that it missed something."""
    return replace(recording, trace=replace(recording.trace, lost=1))


def more_result(amount: int) -> Changed:
    """A call that moved so many bytes more."""

    def change(call: Syscall) -> Syscall:
        assert call.result is not None
        return replace(call, result=call.result + amount)

    return change


def with_result(result: int | None) -> Changed:
    """A call that returned something else, or, by None, never."""
    return lambda call: replace(
        call, result=result, exit_ns=None if result is None else call.exit_ns
    )


def with_data(change: Callable[[bytes], bytes]) -> Changed:
    """A call whose pointers pointed to other bytes."""

    def of(memory: Memory) -> Memory:
        return replace(memory, data=change(memory.data))

    return lambda call: replace(call, memory=tuple(map(of, call.memory)))


def without_memory(recording: Recording) -> Recording:
    """An instrument that cannot read what pointers point to."""
    return with_calls(recording, [replace(c, memory=()) for c in recording.trace.syscalls])


def not_there(_: Syscall) -> None:
    """A call that was not traced."""


def as_printed(recording: Recording) -> Recording:
    """A run whose programs printed of their calls what was traced: two witnesses of the same."""
    for timeline in build_timelines(recording):
        for agreement in timeline.agreements.values():
            for printed, traced in agreement.untraced:
                line = printed.said.removeprefix(f"{printed.program} printed ") + "\n"
                returned = traced is not None and traced.result is not None
                instead = f"{printed.text} = {traced.returned}\n" if traced and returned else ""
                recording = e.told(printed.program, line, instead, 1)(recording)
    return recording
