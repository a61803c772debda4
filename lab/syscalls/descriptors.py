"""Which socket, pipe or epoll instance each descriptor of a program is, call by call.

A process reuses descriptors: what 5 is depends on the process and on the time. This follows the
calls and tasks of a trace in the order of their times. A call acts on what its descriptor is when
it is made, and adds a new descriptor when it returns; close(2) removes one when it is made, since
another thread may get the same number before it returns.

Not followed are descriptors that a program was started with; a pair whose numbers the instrument
could not read; and the effects of ioctl(FIOCLEX), unshare(CLONE_FILES) and of the calls that are
HIDING, and of operations in rings of io_uring(7) that say too little of themselves. If the
instrument names the socket behind a descriptor, it is found all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from lab.frozen import frozen
from lab.records import Syscall, TaskEvent, Trace
from lab.syscalls.memory import (
    descriptor_of,
    passed_descriptors,
    pointer_argument,
    polled_descriptors,
    two_descriptors,
)
from lab.syscalls.registered_files import RegisteredFiles, place_of
from lab.syscalls.table import CALLS, HIDING

_CLOEXEC = 0o2000000
"""SOCK_CLOEXEC, O_CLOEXEC and EPOLL_CLOEXEC, which are one number on x86_64 and aarch64."""
_FD_CLOEXEC = 1
_F_DUPFD, _F_SETFD, _F_DUPFD_CLOEXEC = 0, 2, 1030
_RANGE_UNSHARE, _RANGE_CLOEXEC = 2, 4
_MSG_PEEK, _MSG_CMSG_CLOEXEC = 0x2, 0x40000000

SOCKET, READ_END, WRITE_END, EPOLL = "socket", "read end", "write end", "epoll"

_MAKERS = {
    "socket": (SOCKET,),
    "accept": (SOCKET,),
    "accept4": (SOCKET,),
    "socketpair": (SOCKET, SOCKET),
    "pipe": (READ_END, WRITE_END),
    "pipe2": (READ_END, WRITE_END),
    "epoll_create": (EPOLL,),
    "epoll_create1": (EPOLL,),
}
"""What each call makes, in the order of its descriptors."""

_MAKERS_FLAGS = {
    "socket": 1, "socketpair": 1, "accept4": 3, "pipe2": 1, "epoll_create1": 0,
}  # fmt: skip
"""Index of the argument with the close-on-exec flag of what they make."""

_PAIRS = {"socketpair": 3, "pipe": 0, "pipe2": 0}
"""Index of the argument that points to their two descriptors."""

_SECOND_DESCRIPTOR = {"sendfile": 1, "splice": 2, "epoll_ctl": 2, "dup2": 1, "dup3": 1}
SPLICE_OUT = _SECOND_DESCRIPTOR["splice"]
_SELECTS = frozenset({"poll", "ppoll", "select", "pselect6"})


@frozen
class Opened:
    """An open file description (open(2)) that a descriptor refers to."""

    kind: str
    """SOCKET, READ_END or WRITE_END of a pipe, or EPOLL."""
    made_by: int
    """Index in the trace's syscalls of the call that made it."""


@frozen
class Followed:
    """The objects that a trace's calls acted on, given as indexes in `objects`."""

    objects: tuple[Opened, ...]
    """In the order in which the calls that made them returned."""
    acts_on: tuple[int | None, ...]
    """For each call the object behind its descriptor, or None; of splice's two, the socket."""
    made: tuple[tuple[int, ...], ...]
    """For each call the objects that it made, in the order of their descriptors."""
    into: frozenset[int]
    """Indexes of the splice(2) calls that act on what their second descriptor is."""


def follow(trace: Trace) -> Followed:
    """The objects that each call acted on and made."""
    follower = _Follower(trace)
    follower.run()
    idle = follower.idle_epolls()
    kept = [number for number in range(len(follower.objects)) if number not in idle]
    places: dict[int | None, int] = {number: place for place, number in enumerate(kept)}
    return Followed(
        tuple(follower.objects[number] for number in kept),
        tuple(map(places.get, follower.acts_on)),
        tuple(tuple(places[n] for n in made if n in places) for made in follower.made),
        frozenset(follower.into),
    )


def relevant(trace: Trace) -> Trace:
    """The same trace without the calls that do not concern its sockets and pipes.

    Kept are calls on objects that `follow` finds, calls that made or should have made one,
    calls that may use one unseen (HIDING), and calls that wait for descriptors if one of these
    is such an object or if they were not read.
    What `follow` says about a call that is kept is the same before and after.
    """
    follower = _Follower(trace)
    follower.run()
    idle = follower.idle_epolls()
    for index, epolls in follower.kept_for.items():
        if not epolls <= idle:
            follower.is_kept[index] = True
    kept = zip(trace.syscalls, follower.is_kept, strict=True)
    return replace(trace, syscalls=tuple(call for call, is_kept in kept if is_kept))


class _Table:
    """The objects behind a process's descriptors, as far as they were followed."""

    __slots__ = ("closed_by_exec", "held")

    def __init__(self, held: dict[int, int], closed_by_exec: set[int]) -> None:
        self.held = held
        self.closed_by_exec = closed_by_exec

    def copy(self) -> _Table:
        return _Table(dict(self.held), set(self.closed_by_exec))

    def after_exec(self) -> _Table:
        kept = {fd: what for fd, what in self.held.items() if fd not in self.closed_by_exec}
        return _Table(kept, set())

    def put(self, descriptor: int, what: int | None, closed_by_exec: bool = False) -> None:
        """Set what a descriptor is from now on; None for something that is not followed."""
        self.drop(descriptor)
        if what is not None:
            self.held[descriptor] = what
            self.mark(descriptor, closed_by_exec)

    def mark(self, descriptor: int, closed_by_exec: bool) -> None:
        if closed_by_exec:
            self.closed_by_exec.add(descriptor)
        else:
            self.closed_by_exec.discard(descriptor)

    def drop(self, descriptor: int) -> None:
        self.held.pop(descriptor, None)
        self.closed_by_exec.discard(descriptor)


class _Follower:
    """Follows a trace with a table of descriptors for each process.

    Which epoll instances are idle shows only at the end: until then they are objects as others
    are, and nothing may be decided by there being one.
    """

    def __init__(self, trace: Trace) -> None:
        self.calls = trace.syscalls
        self.watched: defaultdict[int | None, set[int]] = defaultdict(set)
        """By epoll instance the objects that were added to it."""
        self.tasks = trace.tasks
        self.objects: list[Opened] = []
        self.acts_on: list[int | None] = [None] * len(self.calls)
        self.made: list[tuple[int, ...]] = [()] * len(self.calls)
        self.into: set[int] = set()
        self.is_kept = [False] * len(self.calls)
        """For each call whether it is relevant, as far as that is known."""
        self.kept_for: defaultdict[int, set[int]] = defaultdict(set)
        """By index of a call epoll instances for which it is relevant, unless all are idle."""
        self.tables: dict[tuple[str, int], _Table] = {}
        """By program and thread; threads that share a table have the same one."""
        self.by_name: dict[str, int] = {}
        """Objects by the kernel's names for sockets."""
        self.names: dict[int, str] = {}
        self.registered = RegisteredFiles()
        self.in_flight: list[tuple[int | None, ...]] = []
        """What was passed by SCM_RIGHTS and not received yet, an item for each message."""

    def run(self) -> None:
        for _, index, phase in self._steps():
            if index < 0:
                self._follow_task(self.tasks[phase])
            elif phase == 0:
                self._enter(index, self.calls[index])
            else:
                self._leave(index, self.calls[index])

    def idle_epolls(self) -> set[int]:
        """The epoll instances that never watched an object but idle ones.

        They do not exist for who follows a trace. Python makes and closes one when it starts.
        """
        epolls = {number for number, opened in enumerate(self.objects) if opened.kind == EPOLL}
        idle: set[int] = set()
        while more := {epoll for epoll in epolls - idle if self.watched[epoll] <= idle}:
            idle |= more
        return idle

    def _steps(self) -> list[tuple[int, int, int]]:
        """Task events, entries and exits in order of time; at the same time, tasks come first."""
        steps = [(task.time_ns, -1, place) for place, task in enumerate(self.tasks)]
        for index, call in enumerate(self.calls):
            steps.append((call.entry_ns, index, 0))
            if call.exit_ns is not None:
                steps.append((call.exit_ns, index, 1))
        return sorted(steps)

    def _table(self, program: str, pid: int, tid: int) -> _Table:
        """A thread's table, or its process's if the thread's start is not in the trace."""
        table = self.tables.get((program, tid)) or self.tables.get((program, pid))
        if table is None:
            table = self.tables[program, pid] = _Table({}, set())
        return self.tables.setdefault((program, tid), table)

    def _follow_task(self, task: TaskEvent) -> None:
        key = (task.program, task.tid)
        if task.kind == "exit":
            self.tables.pop(key, None)
        elif task.kind == "exec":
            self.tables[key] = self._table(task.program, task.pid, task.tid).after_exec()
        elif not task.parent_tid:
            self.tables[key] = _Table({}, set())
        else:
            parent = self._table(task.program, task.pid, task.parent_tid)
            self.tables[key] = parent if task.shares_files else parent.copy()

    def _enter(self, index: int, call: Syscall) -> None:
        table = self._table(call.program, call.pid, call.tid)
        if call.ring is not None and call.ring.is_fixed:
            self._find_registered(index, call)
        else:
            self._find(index, call, table)
        if call.ring is not None and call.ring.operation:
            self.is_kept[index] |= call.name in _MAKERS or not call.ring.is_whole
            if not call.ring.is_whole:
                self.registered.forget(call.ring)
        elif call.name == "close":
            table.drop(descriptor_of(call.arguments[0]))
        elif call.name == "close_range":
            self._close_range(index, call, table)
        elif call.name == "sendmsg":
            self._pass(index, call, table)
        elif call.name in _SELECTS:
            self._keep_for(index, _waited_for(call, table))
        elif call.name in _MAKERS or call.name in HIDING or call.ring is not None:
            self.is_kept[index] = True

    def _find(self, index: int, call: Syscall, table: _Table) -> None:
        shape = CALLS.get(call.name)
        if shape is None or shape.descriptor is None:
            return
        descriptor = descriptor_of(call.arguments[shape.descriptor])
        before = table.held.get(descriptor)
        found = self._look_up(table, descriptor, call.socket)
        second = _SECOND_DESCRIPTOR.get(call.name)
        other = second and table.held.get(descriptor_of(call.arguments[second]))
        self._keep_for(index, (before, found, other))
        if call.name == "epoll_ctl" and other is not None:
            self.watched[found].add(other)
        can_splice = other is not None and self.objects[other].kind != EPOLL
        if call.name == "splice" and can_splice and not self._is_socket(found):
            found = other
            self.into.add(index)
        self.acts_on[index] = found

    def _find_registered(self, index: int, call: Syscall) -> None:
        """Find a ring's registered file: by its place, but the kernel's name overrides that."""
        assert call.ring is not None
        self.is_kept[index] = True
        found = self.registered.at(call.ring, place_of(call))
        name = call.socket
        if name and (found is None or self.names.setdefault(found, name) != name):
            found = self.by_name.get(name)
        elif name and found is not None:
            self.by_name[name] = found
        self.acts_on[index] = found

    def _keep_for(self, index: int, objects: Iterable[int | None]) -> None:
        """Keep a call that concerns these objects."""
        for what in objects:
            if what is None:
                continue
            if self.objects[what].kind != EPOLL:
                self.is_kept[index] = True
                return
            self.kept_for[index].add(what)

    def _is_socket(self, what: int | None) -> bool:
        return what is not None and self.objects[what].kind == SOCKET

    def _look_up(self, table: _Table, descriptor: int, name: str) -> int | None:
        """The object behind a descriptor, or None. The kernel's name overrides the table.

        It is a socket's: where the table has an epoll instance, it is out of date.
        """
        found = table.held.get(descriptor)
        if not name:
            return found
        is_epoll = found is not None and self.objects[found].kind == EPOLL
        if found is not None and not is_epoll and self.names.setdefault(found, name) == name:
            self.by_name[name] = found
            return found
        found = self.by_name.get(name)
        table.put(descriptor, found)
        return found

    def _close_range(self, index: int, call: Syscall, table: _Table) -> None:
        first, last, flags = (argument & 0xFFFFFFFF for argument in call.arguments[:3])
        meant = [descriptor for descriptor in table.held if first <= descriptor <= last]
        self._keep_for(index, [table.held[descriptor] for descriptor in meant])
        self.is_kept[index] |= bool(flags & _RANGE_UNSHARE)
        if call.result is not None and call.result < 0:
            return
        if flags & _RANGE_UNSHARE:
            table = self.tables[call.program, call.tid] = table.copy()
        for descriptor in meant:
            if flags & _RANGE_CLOEXEC:
                table.mark(descriptor, True)
            else:
                table.drop(descriptor)

    def _pass(self, index: int, call: Syscall, table: _Table) -> None:
        control = pointer_argument(call, 1, "control")
        if control is None or call.result is None or call.result < 0:
            return
        passed = passed_descriptors(control.data)
        if passed:
            self.in_flight.append(tuple(table.held.get(descriptor) for descriptor in passed))
            self.is_kept[index] = True

    def _leave(self, index: int, call: Syscall) -> None:
        if call.result is None or call.result < 0:
            return
        table = self._table(call.program, call.pid, call.tid)
        if call.name in _MAKERS:
            self._make(index, call, call.result, table)
        elif call.name == "io_uring_register" and call.ring is not None:
            self.registered.register(call, table.held)
        elif call.name == "close" and call.ring is not None and call.ring.is_fixed:
            self.registered.drop(call.ring, place_of(call), self.acts_on[index])
        elif call.name == "close" and call.ring is not None:
            # It was at work at some time since it was submitted, and another may have its number.
            descriptor = descriptor_of(call.arguments[0])
            if table.held.get(descriptor) == self.acts_on[index]:
                table.drop(descriptor)
        elif call.name in ("dup", "dup2", "dup3"):
            self._duplicate(index, call, call.result, table)
        elif call.name == "fcntl":
            self._control(index, call, call.result, table)
        elif call.name == "recvmsg":
            self._receive(index, call, table)

    def _make(self, index: int, call: Syscall, result: int, table: _Table) -> None:
        kinds = _MAKERS[call.name]
        descriptors = (result,) if len(kinds) == 1 else two_descriptors(call, _PAIRS[call.name])
        place = _MAKERS_FLAGS.get(call.name)
        closed_by_exec = place is not None and bool(call.arguments[place] & _CLOEXEC)
        first, before = len(self.objects), table.held.get(result)
        for kind, descriptor in zip(kinds, descriptors, strict=False):
            if call.ring is not None and call.ring.place is not None:
                self.registered.put(call.ring, first)
            else:
                table.put(descriptor, len(self.objects), closed_by_exec)
            self.objects.append(Opened(kind, index))
        self.made[index] = tuple(range(first, len(self.objects)))
        if kinds == (EPOLL,):
            self.is_kept[index] = False  # it was, in case it would fail
            self._keep_for(index, (first, before))

    def _duplicate(self, index: int, call: Syscall, result: int, table: _Table) -> None:
        if descriptor_of(call.arguments[0]) == result:
            return
        closed_by_exec = call.name == "dup3" and bool(call.arguments[2] & _CLOEXEC)
        self._keep_for(index, (table.held.get(result),))
        table.put(result, self.acts_on[index], closed_by_exec)

    def _control(self, index: int, call: Syscall, result: int, table: _Table) -> None:
        descriptor, operation = descriptor_of(call.arguments[0]), call.arguments[1] & 0xFFFFFFFF
        if operation in (_F_DUPFD, _F_DUPFD_CLOEXEC):
            self._keep_for(index, (table.held.get(result),))
            table.put(result, self.acts_on[index], operation == _F_DUPFD_CLOEXEC)
        elif operation == _F_SETFD and descriptor in table.held:
            table.mark(descriptor, bool(call.arguments[2] & _FD_CLOEXEC))

    def _receive(self, index: int, call: Syscall, table: _Table) -> None:
        """Add the descriptors that came with a message.

        The trace does not say which message carried them: the oldest in flight with at least as
        many is taken, since the reader may have had no room for all of them.
        """
        control = pointer_argument(call, 1, "control")
        numbers = passed_descriptors(control.data) if control else ()
        sent = next((sent for sent in self.in_flight if len(sent) >= len(numbers)), None)
        if not numbers or sent is None:
            return
        self.is_kept[index] = True
        flags = call.arguments[2]
        if not flags & _MSG_PEEK:
            self.in_flight.remove(sent)
        for descriptor, what in zip(numbers, sent, strict=False):
            table.put(descriptor, what, bool(flags & _MSG_CMSG_CLOEXEC))


def _waited_for(call: Syscall, table: _Table) -> Iterable[int]:
    """The objects among what poll(2) or select(2) waits for; all where that was not read."""
    memory = pointer_argument(call, 0) if call.name in ("poll", "ppoll") else None
    if memory is None or len(memory.data) < memory.length:
        return table.held.values()
    polled = polled_descriptors(memory.data)
    return [table.held[descriptor] for descriptor in polled if descriptor in table.held]
