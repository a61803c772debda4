"""From the records of the traced processes to their system calls and tasks.

Threads are followed from when they are made; what a program's process does before its execve(2) is
the lab's own and left out. A record's pid and tid are those of the sandbox's pid namespace, also of
a thread in one made inside it.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from errno import EINTR
from typing import NamedTuple

from lab.errors import InstrumentError
from lab.kernel.trace.bpf.plans import RESTART
from lab.kernel.trace.bpf.records import (
    ARGUMENTS,
    BEFORE,
    BODY_AT,
    HEADER,
    LENGTH,
    NEW,
    RESULT,
    SECTIONS_AT,
    SIGNAL,
    RawRecord,
    RecordKind,
    memory_in,
)
from lab.records import Memory, Syscall, TaskEvent, TaskKind
from lab.syscalls.i386 import i386_numbers
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS
from lab.syscalls.table import CALLS

CLONE_FILES = 0x400
CLONE_THREAD = 0x10000
SA_RESTART = 0x10000000
DEFAULT_OR_IGNORED = (0, 1)  # SIG_DFL, SIG_IGN

# include/linux/errno.h: what a call returns inside the kernel when a signal interrupts it. The
# program sees EINTR, or the call is restarted: that depends on the signal's handler.
ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK = 512, 513, 514, 516
_INTERRUPTED = {-ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND, -ERESTART_RESTARTBLOCK}

_AT_ENTRY, _AT_EXIT = SECTIONS_AT[RecordKind.ENTERED], SECTIONS_AT[RecordKind.RETURNED]


@dataclass(slots=True, eq=False)
class Thread:
    """A task of a program."""

    tid: int
    """In the records of BPF: that of the initial pid namespace."""
    number: int
    """Its tid in the sandbox's pid namespace, or 0 if unknown."""
    program: str
    """"" before it is known whose it is, and of the lab's own."""
    began_ns: int
    parent: Thread | None
    process: Thread | None
    """The main thread of its process, or None if it is the main thread."""
    shares_files: bool = False
    is_live: bool = False
    """Whether the program has begun: after its first execve."""
    ended_ns: int | None = None
    under_way: FollowedCall | None = None
    interrupted: FollowedCall | None = None
    """A call that a signal has interrupted and that may be restarted."""
    is_restarting: bool = False
    """Whether it will be restarted once the signal's handler has returned."""

    @property
    def known_as(self) -> int:
        """Its tid in the records."""
        return self.number or self.tid


@dataclass(slots=True, eq=False)
class FollowedCall:
    """A system call that is under way or has returned."""

    thread: Thread
    name: str
    arguments: tuple[int, ...]
    entry_ns: int
    exit_ns: int | None = None
    result: int | None = None
    memory: tuple[Memory, ...] = ()


class MovedBytes(NamedTuple):
    """How much a socket sent or received in a call of the run's, as the kernel itself has it."""

    time_ns: int
    tid: int
    """In the initial pid namespace."""
    is_sent: bool
    sock: int
    """The socket's address in the kernel."""
    family: int
    protocol: int
    result: int
    flags: int
    """The call's."""


class CallFollower:
    """Follows the threads of a sandbox over all steps of a run."""

    def __init__(self, machine: str) -> None:
        """`machine` is what uname(2) says: system calls have its numbers."""
        self._names: dict[int, tuple[str, int]] = {
            number: (name, len(CALLS[name].arguments)) for name, number in NUMBERS[machine].items()
        }
        self._names[OTHER_NUMBERS[machine][RESTART]] = RESTART, 0
        self._i386_names = {number: name for name, number in i386_numbers().items()}
        self._started: dict[int, deque[str]] = {}
        self._running: dict[int, Thread] = {}
        self._calls: list[FollowedCall] = []
        self._tasks: list[tuple[int, TaskKind, Thread]] = []
        self._lengths: list[MovedBytes] = []
        self._handlers = {
            RecordKind.ENTERED: self._entered,
            RecordKind.RETURNED: self._returned,
            RecordKind.I386_ENTERED: self._entered_by_i386,
            RecordKind.I386_RETURNED: self._returned_by_i386,
            RecordKind.NEW_TASK: self._new_task,
            RecordKind.EXECUTED: self._executed,
            RecordKind.ENDED: self._ended,
            RecordKind.SIGNALLED: self._signalled,
            RecordKind.SENT: self._sent,
            RecordKind.RECEIVED: self._sent,
        }
        self.threads: list[Thread] = []
        """All threads followed since the step before, in the order of their starts."""

    def begin(self, program: str, pid: int) -> None:
        """A process that the sandbox's init has made is the program's, by its pid there."""
        self._started.setdefault(pid, deque()).append(program)

    def feed(self, records: Sequence[RawRecord]) -> None:
        """Follow records, which are in order of time. Raises InstrumentError."""
        handlers, unpack = self._handlers, HEADER.unpack_from
        for time_ns, record in records:
            try:
                _, tid, kind, number = unpack(record)
                handlers[kind](time_ns, tid, number, record)
            except (struct.error, KeyError):
                raise InstrumentError(
                    f"a record of {len(record)} bytes that no program of the trace writes"
                ) from None

    def take(self, step: str) -> tuple[tuple[Syscall, ...], tuple[TaskEvent, ...]]:
        """The step's calls in order of entry, and its task events.

        They and the threads that have ended are removed. A call that has not returned by now
        counts as one that never does.
        """
        for thread in self._running.values():
            self._abandon(thread)
        calls = [_syscall(call, step) for call in self._calls]
        tasks = [_task_event(*task, step) for task in self._tasks]
        self._calls, self._tasks = [], []
        self.threads = [thread for thread in self.threads if thread.ended_ns is None]
        calls.sort(key=lambda call: call.entry_ns)
        return tuple(calls), tuple(tasks)

    def take_lengths(self) -> list[MovedBytes]:
        """What sockets sent and received since it was asked last, in order of time."""
        lengths, self._lengths = self._lengths, []
        return lengths

    def _entered(self, time_ns: int, tid: int, number: int, record: bytes) -> None:
        thread = self._running.get(tid)
        if thread is None or not thread.is_live:
            return
        name, count = self._names[number]
        arguments = ARGUMENTS.unpack_from(record, BODY_AT)[:count]
        if thread.under_way is not None:
            self._calls.append(thread.under_way)  # its return is lost
        call = self._made_again(thread, name, arguments)
        if call is None and name != RESTART:
            call = FollowedCall(thread, name, arguments, time_ns)
        if call is not None and len(record) > _AT_ENTRY:
            call.memory = memory_in(record, _AT_ENTRY, False)
        thread.under_way = call

    def _made_again(
        self, thread: Thread, name: str, arguments: tuple[int, ...]
    ) -> FollowedCall | None:
        """The interrupted call that this entry restarts, or None."""
        call = thread.interrupted
        if call is None:
            return None
        if name == RESTART or (call.name, call.arguments) == (name, arguments):
            thread.interrupted, thread.is_restarting = None, False
            call.exit_ns = call.result = None
            return call
        if not thread.is_restarting:
            self._finish_interrupted(thread, -EINTR)
        return None

    def _returned(self, time_ns: int, tid: int, number: int, record: bytes) -> None:
        thread = self._running.get(tid)
        call = thread.under_way if thread is not None else None
        if thread is None or call is None:
            return
        name, _ = self._names[number]
        if call.name != name and name != RESTART:
            return  # its entry is lost
        (result,) = RESULT.unpack_from(record, BODY_AT)
        thread.under_way = None
        call.exit_ns, call.result = time_ns, result
        if len(record) > _AT_EXIT:
            call.memory = memory_in(record, _AT_EXIT, True)
        if result in _INTERRUPTED:
            if thread.interrupted is not None:  # it will be made again, but when is lost
                self._finish_interrupted(thread, None)
            thread.interrupted = call
        else:
            self._calls.append(call)

    def _entered_by_i386(self, time_ns: int, tid: int, number: int, record: bytes) -> None:
        thread = self._running.get(tid)
        if thread is None or not thread.is_live:
            return
        if thread.under_way is not None:
            self._calls.append(thread.under_way)  # its return is lost
        arguments = ARGUMENTS.unpack_from(record, BODY_AT)
        thread.under_way = FollowedCall(thread, self._i386_names[number], arguments, time_ns)

    def _returned_by_i386(self, time_ns: int, tid: int, number: int, record: bytes) -> None:
        thread = self._running.get(tid)
        call = thread.under_way if thread is not None else None
        if thread is None or call is None or call.name != self._i386_names[number]:
            return
        thread.under_way = None
        call.exit_ns, (call.result,) = time_ns, RESULT.unpack_from(record, BODY_AT)
        self._calls.append(call)

    def _new_task(self, time_ns: int, maker: int, _: int, record: bytes) -> None:
        flags, tid, number = NEW.unpack_from(record, BODY_AT)
        parent = self._running.get(maker)
        program = parent.program if parent is not None else ""
        if not program and number in self._started:
            names = self._started[number]
            program = names.popleft()
            if not names:
                del self._started[number]
        process = None
        if parent is not None and flags & CLONE_THREAD:
            process = parent.process or parent
        thread = Thread(tid, number, program, time_ns, parent, process, bool(flags & CLONE_FILES))
        self._running[tid] = thread
        if parent is not None and parent.is_live:
            self._begin(thread)

    def _begin(self, thread: Thread) -> None:
        """Count what the thread does from now on as the program's."""
        thread.is_live = True
        self.threads.append(thread)
        self._tasks.append((thread.began_ns, "start", thread))

    def _executed(self, time_ns: int, tid: int, _: int, record: bytes) -> None:
        (before,) = BEFORE.unpack_from(record, BODY_AT)
        thread = self._running.get(before)
        if thread is None or not thread.program:
            return
        if tid != before:
            thread = self._take_over(thread, time_ns)
        if not thread.is_live:
            self._begin(thread)
        self._tasks.append((time_ns, "exec", thread))

    def _take_over(self, caller: Thread, time_ns: int) -> Thread:
        """The main thread of a process, whose tid the thread that called execve(2) now has.

        The main thread's end comes before that, the caller's own does not come.
        """
        first = caller.process or caller
        self._tasks = [task for task in self._tasks if task[1:] != ("exit", first)]
        self._end(time_ns, caller.tid)
        first.ended_ns = None
        self._running[first.tid] = first
        return first

    def _ended(self, time_ns: int, tid: int, _: int, record: bytes) -> None:
        self._end(time_ns, tid)

    def _end(self, time_ns: int, tid: int) -> None:
        thread = self._running.pop(tid, None)
        if thread is not None:
            thread.ended_ns = time_ns
            self._abandon(thread)
            if thread.is_live:
                self._tasks.append((time_ns, "exit", thread))

    def _abandon(self, thread: Thread) -> None:
        """Finish the call that the thread is in: it will not return."""
        if thread.interrupted is not None:
            thread.interrupted.exit_ns = None
            self._finish_interrupted(thread, None)
        if thread.under_way is not None:
            self._calls.append(thread.under_way)
            thread.under_way = None

    def _finish_interrupted(self, thread: Thread, result: int | None) -> None:
        assert thread.interrupted is not None
        thread.interrupted.result = result
        self._calls.append(thread.interrupted)
        thread.interrupted, thread.is_restarting = None, False

    def _signalled(self, _: int, tid: int, __: int, record: bytes) -> None:
        """Decide whether the call that a signal has interrupted is restarted.

        Source: signal(7), "Interruption of system calls and library functions by signal handlers".
        """
        handler, flags = SIGNAL.unpack_from(record, BODY_AT)
        thread = self._running.get(tid)
        call = thread.interrupted if thread is not None else None
        if thread is None or call is None or thread.is_restarting or handler in DEFAULT_OR_IGNORED:
            return
        if call.result == -ERESTARTNOINTR or (call.result == -ERESTARTSYS and flags & SA_RESTART):
            thread.is_restarting = True
        else:
            self._finish_interrupted(thread, -EINTR)

    def _sent(self, time_ns: int, tid: int, _: int, record: bytes) -> None:
        thread = self._running.get(tid)
        if thread is not None and thread.is_live:
            is_sent = HEADER.unpack_from(record)[2] == RecordKind.SENT
            self._lengths.append(
                MovedBytes(time_ns, tid, is_sent, *LENGTH.unpack_from(record, BODY_AT))
            )


def _syscall(call: FollowedCall, step: str) -> Syscall:
    thread = call.thread
    return Syscall(
        thread.program,
        (thread.process or thread).known_as,
        thread.known_as,
        call.name,
        call.arguments,
        call.memory,
        call.entry_ns,
        call.exit_ns,
        call.result,
        "",
        step,
    )


def _task_event(time_ns: int, kind: TaskKind, thread: Thread, step: str) -> TaskEvent:
    parent = thread.parent if kind == "start" else None
    return TaskEvent(
        time_ns=time_ns,
        program=thread.program,
        kind=kind,
        pid=(thread.process or thread).known_as,
        tid=thread.known_as,
        parent_tid=parent.known_as if parent else 0,
        shares_files=parent is not None and thread.shares_files,
        step=step,
    )
