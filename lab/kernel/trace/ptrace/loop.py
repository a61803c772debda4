"""The loop of a tracer process: it waits for the stops of one program's tasks and serves them.

A task is a thread, as clone(2) calls it; a process is a group of them. Source: ptrace(2).
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from lab.kernel.trace.ptrace import ptrace
from lab.kernel.trace.ptrace.calls import CallFacts, CallRecorder, Process, Task
from lab.kernel.trace.ptrace.live import LiveFeed
from lab.kernel.trace.ptrace.native import NativeStops
from lab.records import TaskEvent, TaskKind

CLONE_FILES = 0x400
CLONE_THREAD = 0x10000

_FIRST_STATUS_BYTES = 4096
_STOPPING = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_NEW_TASK = frozenset(
    {ptrace.PTRACE_EVENT_FORK, ptrace.PTRACE_EVENT_VFORK, ptrace.PTRACE_EVENT_CLONE}
)


class OneCpu:
    """The CPU that a tracer shares with its program while the program has a single task.

    Only one of the two can run at a time. On one CPU each stop costs two switches between them;
    on two it costs waking the other CPU as well, more than all the rest of the stop.
    """

    def __init__(self, cpu: int) -> None:
        self._allowed = os.sched_getaffinity(0)
        self._own = {cpu}
        self._is_bound = False

    def bind(self, tid: int) -> None:
        """Bind this process and the task to that CPU. Raises OSError."""
        for each in (0, tid):
            os.sched_setaffinity(each, self._own)
        self._is_bound = True

    def release(self, tids: Iterable[int]) -> None:
        """Let this process and the tasks use all CPUs again; a task's own choice is kept."""
        if self._is_bound:
            self._is_bound = False
            for each in (0, *tids):
                with suppress(ProcessLookupError):
                    if os.sched_getaffinity(each) == self._own:
                        os.sched_setaffinity(each, self._allowed)


class TracerLoop:
    """Records what a program's tasks do, from its first execve(2) until the last has ended."""

    def __init__(
        self,
        program: str,
        tid: int,
        can_sample: bool,
        cpu: int,
        feed: LiveFeed | None = None,
        library: ctypes.PyDLL | None = None,
    ) -> None:
        """Trace the program's first task, bound to that CPU. Raises KernelRefused and OSError.

        The `feed` gets calls while they are made. The `library` serves plain stops.
        """
        self._feed = feed
        self.calls = CallRecorder(can_sample)
        self._native: NativeStops | None = None
        if library is not None and feed is None:
            self._native = NativeStops(library, self.calls, can_sample)
        self.task_events: list[TaskEvent] = []
        self._program = program
        self._tasks: dict[int, Task] = {}
        self._processes: dict[int, Process] = {}
        self._unreported: dict[int, int] = {}
        """Indexes in `task_events` of starts whose parent's event has not come yet, by tid."""
        self._has_begun = False
        self._cpus = OneCpu(cpu)
        self._cpus.bind(tid)
        ptrace.seize(tid)
        self._add(tid, Process(tid), time.time_ns())

    def run(self) -> None:
        """Serve the tasks' stops until none is left."""
        if self._feed is not None:
            self._run_telling(self._feed)
        elif self._native is None:
            self._run_here(is_all=True)
        else:
            self._run_here(is_all=False)
            self._run_beside(self._native)

    def records(self) -> list[CallFacts]:
        """The calls, not in order."""
        found = [call.record() for call in self.calls.calls]
        return found if self._native is None else [*found, *self._native.records()]

    def _run_here(self, *, is_all: bool) -> None:
        """Serve them in Python: all, or until the program has begun."""
        wait, wall, now = os.waitpid, ptrace.WALL, time.time_ns
        tasks, calls = self._tasks, self.calls
        entry_stop, exit_stop = ptrace.SECCOMP_STOP, ptrace.EXIT_STOP
        while is_all or not self._has_begun:
            try:
                tid, status = wait(-1, wall)
            except ChildProcessError:
                return
            if status == exit_stop:
                calls.exit(tasks[tid], now())
            elif status == entry_stop:
                calls.enter(tasks[tid])
            else:
                self._serve(tid, status, now())

    def _run_beside(self, native: NativeStops) -> None:
        """Serve those that stops.c leaves to Python."""
        while (stop := native.run()) is not None:
            tid, status = stop
            now_ns = time.time_ns()
            task = self._tasks.get(tid)
            if task is not None:
                native.leave(task, forgets=False)
            if task is None or status not in (ptrace.EXIT_STOP, ptrace.SECCOMP_STOP):
                self._serve(tid, status, now_ns)
                continue
            call = task.call
            if status == ptrace.EXIT_STOP:
                self.calls.exit(task, now_ns)
            else:
                self.calls.enter(task)
                call = task.call
            if task.interrupted:
                native.leave(task, forgets=True)  # the call may be made again, and is one
            elif task.call is None:
                native.serve_from_now(task)
            native.served(None if call is None else call.socket)

    def _run_telling(self, feed: LiveFeed) -> None:
        """The same, telling of every call at its entry and its exit."""
        while True:
            try:
                tid, status = os.waitpid(-1, ptrace.WALL)
            except ChildProcessError:
                return
            if status == ptrace.EXIT_STOP:
                call = self._tasks[tid].call
                self.calls.exit(self._tasks[tid], time.time_ns())
                if call is not None and call.exit_ns is not None:
                    feed.tell(call)
            elif status == ptrace.SECCOMP_STOP:
                self.calls.enter(self._tasks[tid])
                call = self._tasks[tid].call
                if call is not None and self._has_begun:
                    feed.tell(call)
            else:
                self._serve(tid, status, time.time_ns())

    def _serve(self, tid: int, status: int, now_ns: int) -> None:
        """Serve a stop that is not at a call, or a task's end."""
        if not os.WIFSTOPPED(status):
            self._ended(tid, now_ns)
            return
        if tid not in self._tasks:
            self._adopt(tid, now_ns)
        task = self._tasks[tid]
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == ptrace.PTRACE_EVENT_STOP:
            # A new task, a group-stop, or its end: PTRACE_LISTEN lets the stop be one.
            request = ptrace.PTRACE_LISTEN if number in _STOPPING else ptrace.PTRACE_CONT
            ptrace.ptrace(request, tid, 0, 0)
            return
        if event in _NEW_TASK:
            self._made(task, ptrace.event_message(tid), now_ns)
        elif event == ptrace.PTRACE_EVENT_EXEC:
            self._became(task, now_ns)
        elif event == ptrace.PTRACE_EVENT_EXIT:
            self._exits(task, now_ns)
            self.calls.leave(task)
        ptrace.ptrace(ptrace.PTRACE_CONT, tid, 0, 0 if event else number)

    def _leave_to_python(self, process: Process) -> None:
        """Have the tasks' next stops served here: what stops.c knows of the process is changing."""
        if self._native is not None:
            for task in self._tasks.values():
                if task.process is process:
                    self._native.leave(task, forgets=True)

    def _add(self, tid: int, process: Process, now_ns: int, parent: int = 0) -> None:
        """Add a new task, and note its start."""
        if self._tasks:
            self._cpus.release((tid, *self._tasks))
        self._tasks[tid] = Task(tid, process)
        process.tasks += 1
        self._processes[process.tgid] = process
        self._note(now_ns, "start", process, tid, parent, process.tgid != tid)

    def _note(
        self,
        now_ns: int,
        kind: TaskKind,
        process: Process,
        tid: int,
        parent: int = 0,
        shares_files: bool = False,
    ) -> None:
        pid = process.tgid
        event = TaskEvent(now_ns, self._program, kind, pid, tid, parent, shares_files)
        self.task_events.append(event)

    def _adopt(self, tid: int, now_ns: int) -> None:
        """Add a new task that stops before its parent's event has come.

        If the parent is killed, the event never comes: then /proc has said who the parent is.
        """
        tgid, parent = _group_and_parent(tid)
        process = self._processes.get(tgid) if tgid != tid else None
        self._unreported[tid] = len(self.task_events)
        self._add(tid, process or Process(tgid), now_ns, parent)

    def _made(self, parent: Task, tid: int, now_ns: int) -> None:
        """Note that a task has made another, with the flags of its clone(2) call."""
        if not tid:
            return
        place = self._unreported.pop(tid, len(self.task_events))
        if place == len(self.task_events):
            is_thread = parent.clone_flags & CLONE_THREAD
            self._add(tid, parent.process if is_thread else Process(tid), now_ns)
        shares = bool(parent.clone_flags & CLONE_FILES)
        start = replace(self.task_events[place], parent_tid=parent.tid, shares_files=shares)
        self.task_events[place] = start
        task = self._tasks.get(tid)
        if shares and task is not None and task.process is not parent.process:
            self._leave_to_python(task.process)
            task.process.descriptors.share(parent.process.descriptors)

    def _became(self, task: Task, now_ns: int) -> None:
        """Note an execve(2): only this task is left of the process, whatever its tid was."""
        for tid in [t.tid for t in self._tasks.values() if t.process is task.process]:
            if tid != task.tid:
                self._forget(tid, now_ns)
        if not self._has_begun:
            self._has_begun = True
            self.calls.forget_all()  # calls between fork and execve are the lab's
        self._leave_to_python(task.process)
        task.became_another()
        task.process.became_another()
        self._note(now_ns, "exec", task.process, task.tid)

    def _exits(self, task: Task, now_ns: int) -> None:
        """Note that a task is about to end, while its descriptors are still open."""
        if not task.exits:
            task.exits = True
            self._note(now_ns, "exit", task.process, task.tid)

    def _ended(self, tid: int, now_ns: int) -> None:
        """Note that a task has ended."""
        if tid in self._tasks:
            self._forget(tid, now_ns)

    def _forget(self, tid: int, now_ns: int) -> None:
        task = self._tasks.pop(tid)
        if self._native is not None:
            self._native.leave(task, forgets=True)
        self._exits(task, now_ns)
        process = task.process
        process.tasks -= 1
        if process.tasks == 0:
            process.close()
            self._processes.pop(process.tgid, None)


def _group_and_parent(tid: int) -> tuple[int, int]:
    """A task's tgid and its parent, by /proc: for a thread, its tgid stands for the parent."""
    found = {"Tgid": tid, "PPid": 0}
    try:
        with open(f"/proc/{tid}/status", "rb") as file:  # noqa: PTH123 — a Path costs more
            for line in file.read(_FIRST_STATUS_BYTES).decode("ascii", "replace").splitlines():
                key, _, value = line.partition(":")
                if key in found:
                    found[key] = int(value)
    except OSError:
        pass  # it was killed meanwhile
    return found["Tgid"], found["Tgid"] if found["Tgid"] != tid else found["PPid"]
