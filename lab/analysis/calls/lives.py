"""What a tracer saw of programs' lives, where that is not whole or does not fit their calls."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.records import Syscall, TaskEvent, Trace


def doubtful_lives(trace: Trace) -> Iterator[str]:
    """Why the tracer may have missed calls of one step, a sentence for each program.

    Of a program that made calls the start and the end are traced, and every call is made by a
    thread of its own, between the start and the end of that.
    """
    calls: defaultdict[str, list[Syscall]] = defaultdict(list)
    tasks: defaultdict[str, list[TaskEvent]] = defaultdict(list)
    for call in trace.syscalls:
        calls[call.program].append(call)
    for task in trace.tasks:
        tasks[task.program].append(task)
    for program in dict.fromkeys((*tasks, *calls)):
        if doubt := _doubt(program, calls[program], tasks[program]):
            yield f"the tracer is incomplete: {doubt}"


def _doubt(program: str, calls: list[Syscall], tasks: list[TaskEvent]) -> str:
    """What is missing or does not fit; "" where nothing."""
    starts = {task.tid: task for task in tasks if task.kind == "start"}
    ends = {task.tid: task for task in tasks if task.kind == "exit"}
    first = next((task for task in starts.values() if not task.parent_tid), None)
    if first is None:
        return f"the start of {program} was not traced"
    if first.tid not in ends:
        return f"the end of {program} was not traced"
    for call in calls:
        start, end = starts.get(call.tid), ends.get(call.tid)
        where = f"{call.name}() of {program}'s thread {call.tid}"
        if start is None:
            return f"{where}, whose start was not traced"
        if call.pid != start.pid:
            return f"{where} is one of process {start.pid}, and of process {call.pid}"
        if call.entry_ns < start.time_ns:
            return f"{where} was made before that started"
        last_ns = call.entry_ns if call.exit_ns is None else call.exit_ns
        if end is not None and end.time_ns < last_ns:
            return f"{where} was made after that ended"
    return ""
