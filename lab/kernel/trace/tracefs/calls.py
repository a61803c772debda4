"""From the events of the traced processes to their system calls and tasks.

Threads are followed from the mark that a program's process writes before its execve(2); what
it does before the execve is the lab's own and left out. A record's pid and tid are those of the
sandbox's pid namespace: for the process that was marked as its mark says, for any other as the
call that made it returned it. If that call's return is not in the trace, or another thread of
the step has the same tid, they are those of the trace: of the machine's initial pid namespace.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from errno import EINTR
from operator import itemgetter
from typing import TYPE_CHECKING

from lab.errors import InstrumentError
from lab.kernel.trace.tracefs import events as trace_events
from lab.kernel.trace.tracefs.format import EventFormat, Formats
from lab.kernel.trace.tracefs.pages import Handler, RawEvent
from lab.records import Memory, Syscall, TaskEvent, TaskKind
from lab.syscalls.i386 import i386_numbers
from lab.syscalls.table import CALLS

if TYPE_CHECKING:
    from lab.kernel.trace.bpf.records import CompatCall

CLONE_FILES = 0x400
CLONE_THREAD = 0x10000
SA_RESTART = 0x10000000
DEFAULT_OR_IGNORED = (0, 1)  # SIG_DFL, SIG_IGN

# include/linux/errno.h: what a call returns inside the kernel when a signal interrupts it. The
# program sees EINTR, or the call is restarted: that depends on the signal's handler.
ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK = 512, 513, 514, 516
_INTERRUPTED = {-ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND, -ERESTART_RESTARTBLOCK}

_RAW_ARGUMENTS = struct.Struct("=6Q")

WITH_POINTERS = frozenset(name for name, shape in CALLS.items() if shape.pointers)


@dataclass(slots=True, eq=False)
class Thread:
    """A task of a program."""

    tid: int
    """In the trace: that of the initial pid namespace."""
    program: str
    began_ns: int
    parent: Thread | None
    process: Thread | None
    """The main thread of its process, or None if it is the main thread."""
    shares_files: bool = False
    number: int = 0
    """Its tid in the sandbox's pid namespace, or 0 if unknown."""
    is_live: bool = False
    """Whether the program has begun: after its first execve."""
    ended_ns: int | None = None
    under_way: FollowedCall | None = None
    interrupted: FollowedCall | None = None
    """A call that a signal has interrupted and that may be restarted."""
    is_restarting: bool = False
    """Whether it will be restarted once the signal's handler has returned."""
    newest: Thread | None = None
    """The thread that it is making, until the call has returned that thread's tid."""
    entries: list[Entry] = field(default_factory=list)
    """Every entry of a call that has pointers in the call table, in order."""
    entered: int | None = None
    """The number of the call that it has just entered, until that call's raw event has come."""
    made_by_i386: set[str] = field(default_factory=set)
    """Of a main thread: the names of the calls of 32 bits that its process has made."""

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


Entry = tuple[int, int, FollowedCall | None]
"""A call's number, when it was entered, and the call, or None before the program began. A
restarted call has several entries."""


class CallFollower:
    """Follows the traced threads over all steps of a run."""

    def __init__(self, formats: Formats, programs: Sequence[str], starter: int) -> None:
        """`programs` are the programs' names, which marks give as indexes; the list may grow.

        `starter` is the process that starts them, by its pid in the trace.
        """
        self._formats = formats
        self._programs = programs
        self._starter = starter
        self._handlers: dict[int, Handler] = {}
        self._i386_names = {number: name for name, number in i386_numbers().items()}
        self._running: dict[int, Thread] = {}
        self._calls: list[FollowedCall] = []
        self._tasks: list[tuple[int, TaskKind, Thread]] = []
        self.threads: list[Thread] = []
        """All threads followed since the step before, in the order of their starts."""

    def feed(self, events: Sequence[RawEvent], compat: Sequence[CompatCall] = ()) -> None:
        """Follow events and calls by the i386 table, each in order of time.

        Raises InstrumentError.
        """
        done = 0
        for call in compat:
            before = bisect_left(events, call.time_ns, done, key=itemgetter(0))
            self._follow(events[done:before])
            done = before
            thread = self._running.get(call.tid)
            if thread is not None and call.at_exit:
                self._leave_by_i386(thread, call.number, call.result, call.time_ns)
            elif thread is not None:
                self._enter_by_i386(thread, call.number, call.arguments, call.time_ns)
        self._follow(events[done:] if done else events)

    def _follow(self, events: Sequence[RawEvent]) -> None:
        handlers, type_of = self._handlers, self._formats.type_of
        for time_ns, record in events:
            number = type_of(record)
            handle = handlers.get(number)
            if handle is None:
                handle = handlers[number] = self._handler(self._formats.get(number))
            try:
                handle(time_ns, record)
            except struct.error:
                raise InstrumentError(
                    f"a record of tracepoint {number} with {len(record)} bytes in the trace"
                ) from None

    def take(self, step: str) -> tuple[tuple[Syscall, ...], tuple[TaskEvent, ...]]:
        """The step's calls in order of entry, and its task events.

        They and the threads that have ended are removed. A call that has not returned by now
        counts as one that never does.
        """
        for thread in self._running.values():
            self._abandon(thread)
        self.make_numbers_unique()
        calls = [_syscall(call, step) for call in self._calls]
        tasks = [_task_event(*task, step) for task in self._tasks]
        self._calls, self._tasks = [], []
        self.threads = [thread for thread in self.threads if thread.ended_ns is None]
        for thread in self.threads:
            thread.entries = []
        calls.sort(key=lambda call: call.entry_ns)
        return tuple(calls), tuple(tasks)

    def make_numbers_unique(self) -> None:
        """Make the threads' tids in the records unique at any time: the first thread keeps it."""
        holders: dict[int, Thread] = {}
        for thread in self.threads:
            holder = holders.get(thread.number)
            if holder and (holder.ended_ns is None or holder.ended_ns > thread.began_ns):
                thread.number = 0
            holders[thread.known_as] = thread

    def _handler(self, format_: EventFormat | None) -> Handler:
        """The function that handles events of that format."""
        if format_ is None:
            return lambda *_: None
        if call := trace_events.ENTRY_OF.get(format_.name):
            return self._entry_handler(call, format_)
        if call := trace_events.EXIT_OF.get(format_.name):
            return self._exit_handler(call, format_)
        if format_.name in trace_events.SAME_NUMBERED:
            return self._same_numbered_handler(format_)
        if format_.name == trace_events.RAW_ENTER:
            return self._raw_entry_handler(format_)
        if format_.name == trace_events.RAW_EXIT:
            return self._raw_exit_handler(format_)
        if format_.name in trace_events.MAKER_EXITS:
            return self._maker_handler(format_)
        if format_.name == trace_events.MARK:
            return self._mark_handler(format_)
        fields: dict[str, tuple[tuple[str, ...], Callable[..., None]]] = {
            trace_events.NEW_TASK: (("common_pid", "pid", "clone_flags"), self._new_task),
            trace_events.EXEC: (("common_pid", "old_pid"), self._exec),
            trace_events.EXIT: (("common_pid",), self._exit),
            trace_events.SIGNAL: (("common_pid", "sa_handler", "sa_flags"), self._signal),
        }
        names, handle = fields[format_.name]
        unpack = format_.unpacker(names)
        return lambda time_ns, record: handle(time_ns, *unpack(record))

    def _entry_handler(self, name: str, format_: EventFormat) -> Handler:
        """Handles a call's entries. Its arguments are the fields after its number."""
        names = [field.name for field in format_.fields]
        behind = names.index(trace_events.NUMBER_FIELD) + 1
        count = len(CALLS[name].arguments) if name in CALLS else 0
        unpack = format_.unpacker(
            ["common_pid", trace_events.NUMBER_FIELD, *names[behind : behind + count]]
        )
        running = self._running

        def handle(time_ns: int, record: bytes) -> None:
            values = unpack(record)
            thread = running.get(values[0])
            if thread is not None:
                self._enter(thread, name, values, time_ns)

        return handle

    def _enter(self, thread: Thread, name: str, values: tuple[int, ...], time_ns: int) -> None:
        _, number, *arguments = values
        thread.entered = number
        call = None
        if thread.is_live:
            if thread.under_way is not None:
                self._calls.append(thread.under_way)  # its return is not in the trace
            call = self._made_again(thread, name, tuple(arguments))
            if call is None and name != trace_events.RESTART:
                call = FollowedCall(thread, name, tuple(arguments), time_ns)
            thread.under_way = call
        if name in WITH_POINTERS:
            thread.entries.append((number, time_ns, call))

    def _made_again(
        self, thread: Thread, name: str, arguments: tuple[int, ...]
    ) -> FollowedCall | None:
        """The interrupted call that this entry restarts, or None."""
        call = thread.interrupted
        if call is None:
            return None
        if name == trace_events.RESTART or (call.name, call.arguments) == (name, arguments):
            thread.interrupted, thread.is_restarting = None, False
            call.exit_ns = call.result = None
            return call
        if not thread.is_restarting:
            self._finish_interrupted(thread, -EINTR)
        return None

    def _exit_handler(self, name: str, format_: EventFormat) -> Handler:
        unpack = format_.unpacker(["common_pid", "ret"])
        running = self._running
        is_restart = name == trace_events.RESTART

        def handle(time_ns: int, record: bytes) -> None:
            tid, result = unpack(record)
            thread = running.get(tid)
            call = thread.under_way if thread is not None else None
            if thread is None or call is None or (call.name != name and not is_restart):
                return  # its entry is not in the trace
            thread.under_way = None
            call.exit_ns, call.result = time_ns, result
            if result in _INTERRUPTED:
                if thread.interrupted is not None:  # it will be made again, but when is lost
                    self._finish_interrupted(thread, None)
                thread.interrupted = call
            else:
                self._calls.append(call)

        return handle

    def _same_numbered_handler(self, format_: EventFormat) -> Handler:
        unpack = format_.unpacker(["common_pid", trace_events.NUMBER_FIELD])

        def handle(_: int, record: bytes) -> None:
            tid, number = unpack(record)
            thread = self._running.get(tid)
            if thread is not None:
                thread.entered = number

        return handle

    def _raw_entry_handler(self, format_: EventFormat) -> Handler:
        """Handles the entries of calls by the i386 table: those without an event of their own."""
        unpack = format_.unpacker(["common_pid", "id", "args"])

        def handle(time_ns: int, record: bytes) -> None:
            tid, number, arguments = unpack(record)
            thread = self._running.get(tid)
            if thread is None:
                return
            entered, thread.entered = thread.entered, None
            if entered != number:
                values = _RAW_ARGUMENTS.unpack(arguments)
                self._enter_by_i386(thread, number, values, time_ns)

        return handle

    def _enter_by_i386(
        self, thread: Thread, number: int, arguments: tuple[int, ...], time_ns: int
    ) -> None:
        name = self._i386_names[number]
        known = (thread.process or thread).made_by_i386
        if not thread.is_live or name in known:
            return
        known.add(name)
        if thread.under_way is not None:
            self._calls.append(thread.under_way)  # its return is not in the trace
        thread.under_way = FollowedCall(thread, name, arguments, time_ns)

    def _raw_exit_handler(self, format_: EventFormat) -> Handler:
        unpack = format_.unpacker(["common_pid", "id", "ret"])

        def handle(time_ns: int, record: bytes) -> None:
            tid, number, result = unpack(record)
            thread = self._running.get(tid)
            if thread is not None:
                self._leave_by_i386(thread, number, result, time_ns)

        return handle

    def _leave_by_i386(self, thread: Thread, number: int, result: int, time_ns: int) -> None:
        call = thread.under_way
        if call is None or call.name != self._i386_names[number]:
            return
        thread.under_way = None
        call.exit_ns, call.result = time_ns, result
        self._calls.append(call)

    def _maker_handler(self, format_: EventFormat) -> Handler:
        """Handles the returns of calls that make a thread: its tid in the caller's namespace."""
        unpack = format_.unpacker(["common_pid", "ret"])

        def handle(_: int, record: bytes) -> None:
            tid, result = unpack(record)
            thread = self._running.get(tid)
            if thread is not None and thread.newest is not None and result > 0:
                thread.newest.number = result
                thread.newest = None

        return handle

    def _mark_handler(self, format_: EventFormat) -> Handler:
        read = format_.reader(["common_pid", "buf"])

        def handle(time_ns: int, record: bytes) -> None:
            if trace_events.PROGRAM_MARK not in record:
                return
            found = read(record)
            tid, words = found["common_pid"], str(found["buf"]).split()
            thread = self._running.get(tid) if isinstance(tid, int) else None
            if thread is not None:
                thread.began_ns, thread.number = time_ns, int(words[-1])
                thread.program = self._programs[int(words[-2])]

        return handle

    def _new_task(self, time_ns: int, maker: int, tid: int, flags: int) -> None:
        parent = self._running.get(maker)
        if parent is None:
            if maker == self._starter and not flags & CLONE_THREAD:
                self._running[tid] = Thread(tid, "", time_ns, None, None)
            return
        process = (parent.process or parent) if flags & CLONE_THREAD else None
        thread = Thread(tid, parent.program, time_ns, parent, process, bool(flags & CLONE_FILES))
        parent.newest = thread
        self._running[tid] = thread
        if parent.is_live:
            self._begin(thread)

    def _begin(self, thread: Thread) -> None:
        """Count what the thread does from now on as the program's."""
        thread.is_live = True
        self.threads.append(thread)
        self._tasks.append((thread.began_ns, "start", thread))

    def _exec(self, time_ns: int, tid: int, caller: int) -> None:
        """Handle an execve(2)."""
        thread = self._running.get(caller)
        if thread is None or not thread.program:
            return
        if tid != caller:
            thread = self._take_over(thread, time_ns)
        if not thread.is_live:
            self._begin(thread)
        self._tasks.append((time_ns, "exec", thread))

    def _take_over(self, caller: Thread, time_ns: int) -> Thread:
        """The main thread of a process, whose tid the thread that called execve(2) now has.

        The main thread's end comes before that in the trace, the caller's own does not come.
        """
        first = caller.process or caller
        self._tasks = [task for task in self._tasks if task[1:] != ("exit", first)]
        self._exit(time_ns, caller.tid)
        first.ended_ns = None
        self._running[first.tid] = first
        return first

    def _exit(self, time_ns: int, tid: int) -> None:
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

    def _signal(self, _: int, tid: int, handler: int, flags: int) -> None:
        """Decide whether the call that a signal has interrupted is restarted.

        Source: signal(7), "Interruption of system calls and library functions by signal handlers".
        """
        thread = self._running.get(tid)
        call = thread.interrupted if thread is not None else None
        if thread is None or call is None or thread.is_restarting or handler in DEFAULT_OR_IGNORED:
            return
        if call.result == -ERESTARTNOINTR or (call.result == -ERESTARTSYS and flags & SA_RESTART):
            thread.is_restarting = True
        else:
            self._finish_interrupted(thread, -EINTR)


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
