"""What is expected of the system calls and the ends of programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lab.checks.agreement import why_untraced
from lab.errors import UsageError, did_you_mean
from lab.expect.expectation import Expectation, met, unmet
from lab.expect.values import shown
from lab.model.claim import Contrast, Verdict, undecided
from lab.model.counted import counted
from lab.syscalls.table import CALLS

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.expect.subject import Subject
    from lab.records import ProgramRun


def never_calls(program: str, call: str) -> Expectation:
    """The program never makes this call, by its name in section 2 of the manual.

    Raises UsageError for a call that the lab does not trace.
    """
    _check_name(call)

    def check(subjects: Sequence[Subject]) -> Verdict:
        if why := _why_unknown(subjects, program):
            return undecided(why)
        made = [each for each in _calls(subjects, program) if _is_called(each, call)]
        if not made:
            return met(f"{_whose(program)} never calls {call}(2)")
        compared = [Contrast(f"{call}(2)", "never", made[0].text)]
        return unmet(f"{made[0].id} is one", compared, (each.id for each in made))

    sentence = f"{'The program ' + program if program else 'No program'} "
    sentence += f"never calls {call}(2)." if program else f"calls {call}(2)."
    return Expectation(f"never:{_by(program)}{call}", sentence, f"{call}(2)", check, False)


def makes_call(program: str, call: str, times: int | None = None) -> Expectation:
    """The program makes this call; where `times` is given, just so often. Raises UsageError."""
    _check_name(call)

    def check(subjects: Sequence[Subject]) -> Verdict:
        if why := _why_unknown(subjects, program):
            return undecided(why)
        made = [each for each in _calls(subjects, program) if _is_called(each, call)]
        if made if times is None else len(made) == times:
            return met(f"{call}(2), {counted(len(made), 'time')}", (each.id for each in made))
        wanted = "called" if times is None else counted(times, "time")
        compared = [Contrast(f"{call}(2)", wanted, counted(len(made), "time"))]
        return unmet(
            f"it is called {counted(len(made), 'time')}", compared, (each.id for each in made)
        )

    often = "" if times is None else f" {counted(times, 'time')}"
    sentence = f"{'The program ' + program if program else 'Some program'} calls {call}(2){often}."
    return Expectation(f"calls:{_by(program)}{call}", sentence, f"{call}(2)", check, False)


def returns_within(program: str, call: str, milliseconds: float) -> Expectation:
    """Each such call returns in that time; what tracing costs is in it. Raises UsageError."""
    _check_name(call)

    def check(subjects: Sequence[Subject]) -> Verdict:
        if why := _why_unknown(subjects, program):
            return undecided(why)
        made = [each for each in _calls(subjects, program) if _is_called(each, call)]
        if not made:
            return undecided(f"{_whose(program)} made no {call}(2)")
        late = [each for each in made if _lasted_ms(each) > milliseconds]
        if not late:
            longest = max(map(_lasted_ms, made))
            return met(f"the longest took {longest:.3f} ms", (each.id for each in made))
        lasted = _lasted_ms(late[0])
        took = "never returned" if lasted == math.inf else f"took {lasted:.3f} ms"
        compared = [Contrast(late[0].text, f"at most {milliseconds:g} ms", took)]
        return unmet(f"{late[0].id} {took}", compared, (each.id for each in late))

    sentence = f"Each {call}(2) of {_whose(program)} returns within {milliseconds:g} ms."
    return Expectation(
        f"returns:{_by(program)}{call}<={milliseconds:g}ms", sentence, f"{call}(2)", check, False
    )


def exits(program: str, status: int) -> Expectation:
    """The program ends by itself, with this status."""

    def check(subjects: Sequence[Subject]) -> Verdict:
        runs = _runs(subjects, program)
        if not runs:
            return undecided(f"no program is called {program}")
        for run in runs:
            if run.exit_status != status:
                compared = [Contrast("exit status", str(status), _ended(run))]
                if lines := run.stderr.strip().splitlines():
                    compared.append(Contrast("standard error", "", shown(lines[-1], 100)))
                return unmet(f"{run.name}: {_ended(run)}", compared)
        return met(f"{program} ended with {status}")

    sentence = f"The program {program} ends with status {status}."
    return Expectation(f"exits:{program}={status}", sentence, "wait(2)", check, False)


def prints(program: str, text: str) -> Expectation:
    """Its standard output has this text."""

    def check(subjects: Sequence[Subject]) -> Verdict:
        runs = _runs(subjects, program)
        if not runs:
            return undecided(f"no program is called {program}")
        if any(text in run.stdout for run in runs):
            return met(f"{program} printed it")
        said = repr("".join(run.stdout for run in runs)[-200:])
        compared = [Contrast("standard output", f"contains {text!r}", f"ends with {said}")]
        return unmet(f"{program} did not print it", compared)

    sentence = f"The program {program} prints {text!r}."
    return Expectation(f"prints:{program}={text}", sentence, "write(2)", check, False)


def _calls(subjects: Iterable[Subject], program: str) -> list[SystemCall]:
    return [
        call
        for subject in subjects
        if subject.timeline is not None
        for call in subject.timeline.system_calls
        if not program or call.program == program
    ]


def _runs(subjects: Iterable[Subject], program: str) -> list[ProgramRun]:
    return [
        run
        for subject in subjects
        if subject.timeline is not None
        for run in subject.timeline.programs
        if run.name == program
    ]


def _ended(run: ProgramRun) -> str:
    how = run.failure or run.remark
    ended = f"signal {-run.exit_status}" if run.exit_status < 0 else str(run.exit_status)
    return f"{ended}: it {how}" if how else ended


def _why_unknown(subjects: Sequence[Subject], program: str) -> str:
    """Why the calls are unknown; "" where they are."""
    timelines = [subject.timeline for subject in subjects if subject.timeline is not None]
    if not timelines:
        return "a capture file has no system calls"
    lost = timelines[0].recording.trace.lost
    if lost:
        return f"{counted(lost, 'event')} of the tracer were lost"
    if not any(timeline.system_calls for timeline in timelines):
        return why_untraced(timelines[0])
    if program and not _runs(subjects, program):
        return f"no program is called {program}"
    return ""


def _is_called(call: SystemCall, name: str) -> bool:
    """By the man page's name: send(2) is made by sendto, recv(2) by recvfrom."""
    return call.name in _MADE_BY.get(name, (name,))


_MADE_BY = {
    "send": ("sendto",),
    "recv": ("recvfrom",),
    "accept": ("accept", "accept4"),
    "select": ("select", "pselect6"),
    "poll": ("poll", "ppoll"),
    "epoll_wait": ("epoll_wait", "epoll_pwait", "epoll_pwait2"),
}


def _lasted_ms(call: SystemCall) -> float:
    """From entry to exit; infinite where it never returned."""
    return math.inf if call.exit_ns is None else (call.exit_ns - call.entry_ns) / 1e6


def _check_name(call: str) -> None:
    known = {*CALLS, *_MADE_BY}
    if call not in known:
        raise UsageError(f"{call}(2) is not traced{did_you_mean(call, known)}")


def _by(program: str) -> str:
    return f"{program}:" if program else ""


def _whose(program: str) -> str:
    return f"the program {program}" if program else "any program"
