"""Which processes of a program had a socket open, as their calls and lives show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.system_call import SystemCall
from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.analysis.causes.facts.step_facts import StepFacts
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.records import TaskEvent

_COPIES = frozenset({"dup", "dup2", "dup3", "close_range"})
F_DUPS = (0, 1030)
"""F_DUPFD and F_DUPFD_CLOEXEC. Source: fcntl(2)."""
_CLOEXEC = 0o2000000
"""SOCK_CLOEXEC."""


@frozen
class Holders:
    """The processes that had a socket open."""

    made: SystemCall
    """The call that made it, of the process that had it first."""
    closed: tuple[SystemCall, ...]
    """The close(2) calls on it, each of another process, in order."""
    left: tuple[int, ...]
    """The pids of those that still had it."""


def holders_of(facts: StepFacts, socket: Endpoint, now_ns: int) -> Holders | None:
    """Who had a socket open at a time; None where descriptors of it were copied or passed.

    A process that fork(2) makes has its parent's descriptors, one that exits has none. execve(2)
    closes those that are to be closed then. Source: fork(2); execve(2).
    """
    made = facts.timeline.call_of.get(socket.made_by)
    calls = facts.evidence.calls.on(socket.id)
    if made is None or made.exit_ns is None or any(map(_copies, calls)):
        return None
    tasks = [each for each in facts.tasks if each.program == socket.program]
    pid_of = {task.tid: task.pid for task in tasks}
    flags = next((made.number(name) for name in ("flags", "type") if made.argument(name)), 0)
    closed_by_exec = bool((flags or 0) & _CLOEXEC)
    have, closed = {made.pid}, []
    steps: list[tuple[int, TaskEvent | SystemCall]] = [
        (each.time_ns, each) for each in tasks if each.time_ns > made.exit_ns
    ]
    steps += [(call.entry_ns, call) for call in calls if call.name == "close" and not call.error]
    for time_ns, step in sorted(steps, key=lambda each: each[0]):
        if time_ns >= now_ns:
            break
        if isinstance(step, SystemCall):
            have.discard(step.pid)
            closed.append(step)
        else:
            _follow(step, have, pid_of, closed_by_exec=closed_by_exec)
    return Holders(made, tuple(closed), tuple(sorted(have)))


def _follow(
    task: TaskEvent, have: set[int], pid_of: Mapping[int, int], *, closed_by_exec: bool
) -> None:
    """Let a process begin, end, or become another program."""
    if task.kind == "start" and task.tid == task.pid:
        if pid_of.get(task.parent_tid) in have:
            have.add(task.pid)
    elif task.tid == task.pid and (task.kind == "exit" or closed_by_exec):
        have.discard(task.pid)


def _copies(call: SystemCall) -> bool:
    """Whether a process may have the socket by another descriptor, or another process may."""
    is_dup = call.name == "fcntl" and call.number("op") in F_DUPS
    return call.name in _COPIES or is_dup
