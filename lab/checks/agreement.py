"""Checks of system calls against what the programs say of them, and against another run's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.checks.wire_witness import is_on_the_wire
from lab.model.claim import Verdict, broken, claim, holds, skipped, undecided
from lab.model.counted import counted
from lab.records import InstrumentKind

if TYPE_CHECKING:
    from lab.analysis.calls.agreement import Agreement
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

COMPARED = ("socket", "bind", "listen", "accept", "connect", "sendto", "shutdown", "close")
"""Calls whose number and results are the program's doing alone; reads depend on time as well."""


def why_untraced(timeline: Timeline) -> str:
    """Why there are no system calls to judge, as the recording's instruments have it."""
    unusable = timeline.recording.unusable(InstrumentKind.CALLS)
    return str(unusable or "no system call on a socket or pipe was traced")


@claim(
    "What the programs say they called is what the kernel was asked.",
    source="syscalls(2)",
    name="traced",
    weighs_instruments=True,
)
def traces_what_is_printed(*timelines: Timeline) -> Verdict:
    """Every call that a program printed was traced: in that order, with that result and data.

    What it made and did not print is no matter of this claim. It is broken where the wire sides
    with the tracer: then the program did not say what it did.
    """
    if untraced := next((each for each in timelines if not each.system_calls), None):
        return skipped(why_untraced(untraced))
    evidence: list[EventId] = []
    with_bytes = 0
    for timeline in timelines:
        for agreement in timeline.agreements.values():
            if fault := _fault(timeline, agreement):
                return fault
            for printed, traced in agreement.pairs:
                evidence += [printed.id, traced.id]
                with_bytes += bool(traced.data)
    if not evidence:
        return undecided("the programs printed no call that was traced")
    return holds(
        f"{counted(len(evidence) // 2, 'printed call')} traced in the same order, with the same "
        f"results; the bytes of {with_bytes} were compared, and are the same",
        evidence,
    )


@claim(
    "The programs make the same calls with the same results as over TCP, and no frame appears.",
    source="unix(7); socket(2)",
    statements=("S2", "U1"),
    name="same-calls",
)
def makes_the_same_calls(unix: Timeline, internet: Timeline) -> Verdict:
    """Two steps' programs make the same calls with the same results; the first has no frame."""
    if not (unix.system_calls and internet.system_calls):
        return skipped(why_untraced(unix))
    if unix.crossings:
        return broken(f"{counted(len(unix.crossings), 'frame')} seen", [unix.crossings[0].id])
    evidence: list[EventId] = []
    findings: list[str] = []
    if not unix.programs or len(unix.programs) != len(internet.programs):
        counts = f"{len(unix.programs)} and {len(internet.programs)}"
        return undecided(f"the two steps have {counts} programs, not the same number")
    for ours, theirs in zip(unix.programs, internet.programs, strict=True):
        pair = [
            [call for call in timeline.system_calls if call.program == run.name]
            for timeline, run in ((unix, ours), (internet, theirs))
        ]
        if not all(pair):
            silent = ours.name if not pair[0] else theirs.name
            return undecided(f"no call of {silent} was traced")
        if fault := _difference(pair[0], pair[1]):
            return broken(f"{ours.name} and {theirs.name}: {fault}", _ids(pair[0] + pair[1]))
        made = Counter(_common_name(call) for call in pair[0] if _is_compared(call))
        calls = ", ".join(f"{n} {name}" for name, n in made.items())
        findings.append(
            f"{ours.name}: {calls}; {counted(_read(pair[0]), 'byte')} read until the end"
        )
        evidence += _ids(pair[0])
    return holds(
        f"{'. '.join(findings)}. The same as over TCP, with "
        f"{counted(len(internet.crossings), 'frame')} there and none here",
        evidence,
    )


def _fault(timeline: Timeline, agreement: Agreement) -> Verdict | None:
    """What one program printed otherwise than it was traced; None where nothing."""
    for printed, traced in agreement.untraced:
        if traced is not None and is_on_the_wire(timeline, traced):
            return broken(
                f"{printed.said}, and no such call was traced: it was {traced.text} = "
                f"{traced.returned}, as the wire has it",
                [printed.id, traced.id],
            )
    if agreement.untraced:
        return undecided(agreement.why_untraced(), [agreement.untraced[0][0].id])
    return None


def _difference(ours: Sequence[SystemCall], theirs: Sequence[SystemCall]) -> str:
    """What the two programs' calls differ in; "" where they do not."""
    results = [
        [(_common_name(call), call.result, call.error) for call in calls if _is_compared(call)]
        for calls in (ours, theirs)
    ]
    for first, second in zip(*results, strict=False):
        if first != second:
            return f"{_with_result(first)} here, {_with_result(second)} there"
    if len(results[0]) != len(results[1]):
        return f"{counted(len(results[0]), 'call')} here, {len(results[1])} there"
    if _read(ours) != _read(theirs):
        return f"{counted(_read(ours), 'byte')} read here, {_read(theirs)} there"
    return ""


def _with_result(call: tuple[str, int | None, str]) -> str:
    name, result, error = call
    return f"{name} = {_outcome(result, error)}"


def _outcome(result: int | None, error: str) -> str:
    return f"{result} {error}" if error else str(result)


def _is_compared(call: SystemCall) -> bool:
    return _common_name(call) in COMPARED


def _common_name(call: SystemCall) -> str:
    return "accept" if call.name == "accept4" else call.name


def _read(calls: Sequence[SystemCall]) -> int:
    return sum(call.moved for call in calls if call.name in ("recvfrom", "recvmsg", "read"))


def _ids(calls: Sequence[SystemCall]) -> list[EventId]:
    return [call.id for call in calls if _is_compared(call)]
