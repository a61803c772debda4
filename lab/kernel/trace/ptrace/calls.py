"""The system calls of a program's stopped tasks, recorded at their entries and exits."""

from __future__ import annotations

import errno
import sys
import time

from lab.kernel.trace.ptrace.denials import Denials
from lab.kernel.trace.ptrace.descriptors import Descriptors
from lab.kernel.trace.ptrace.pointers import Before, CallPointers, ProcessMemory, Read
from lab.kernel.trace.ptrace.ptrace import (
    INFO_ADDRESS,
    INFO_BYTES,
    PTRACE_CONT,
    PTRACE_GET_SYSCALL_INFO,
    PTRACE_SYSCALL,
    SYSCALL_INFO,
    ptrace,
    unpack_architecture,
    unpack_entry,
    unpack_result,
)
from lab.kernel.trace.ptrace.socket_samples import CONNECTED, Socket, SocketSamples
from lab.syscalls.i386 import I386_MOVING, SYSCALL_ARCHITECTURE, i386_numbers
from lab.syscalls.numbers import numbers, other_numbers
from lab.syscalls.table import BARE, CALLS

MAKING_TASKS = ("clone", "clone3", "fork", "vfork")
RESUMING = ("restart_syscall", "rt_sigreturn")
OTHER_WANTED = (*MAKING_TASKS, *RESUMING, "ptrace")
"""Calls that are not recorded but must stop their task: other stops do not show what they do."""

_SAMPLED_AT_ENTRY = frozenset({"close"})
_SAMPLED_AT_EXIT = frozenset(
    {"connect", "bind", "listen", "shutdown", "sendto", "sendmsg", "sendmmsg", "sendfile"}
    | {"recvfrom", "recvmsg", "recvmmsg", "splice", "read", "readv", "preadv2"}
    | {"write", "writev", "pwritev2"}
)
_MOVING_BYTES = _SAMPLED_AT_EXIT - {"connect", "bind", "listen", "shutdown"}
_MAY_CHANGE_ADDRESSES = frozenset({"connect", "bind", "listen"})
_READING = frozenset({"recvfrom", "recvmsg", "recvmmsg", "splice", "read", "readv", "preadv2"})
_ACCEPTING = frozenset({"accept", "accept4"})
_CLOSED_ARGUMENT = {"close": 0, "dup2": 1, "dup3": 1}

# include/linux/errno.h: ERESTARTSYS to ERESTART_RESTARTBLOCK, which no program sees.
_FIRST_RESTART, _LAST_RESTART = -516, -512
_INT = 0xFFFFFFFF


class Process:
    """A thread group."""

    __slots__ = ("descriptors", "made_by_i386", "memory", "tasks", "tgid")

    def __init__(self, tgid: int) -> None:
        self.tgid = tgid
        self.tasks = 0
        self.made_by_i386: set[str] = set()
        """The names of the calls of 32 bits that it has made."""
        self.descriptors = Descriptors(tgid)
        self.memory = ProcessMemory(tgid)

    def became_another(self) -> None:
        """Note that execve(2) has given it new memory and a new table of descriptors."""
        self.descriptors.leave()
        self.memory.close()

    def close(self) -> None:
        """Free what is held of it: its last task has ended."""
        self.descriptors.close()
        self.memory.close()


class StopPlan:
    """What to do at the stops of one of the traced calls."""

    __slots__ = (
        "accepts", "argument_count", "closed", "closes", "descriptor", "may_change_addresses",
        "moves_bytes", "name", "needs_before", "pointers", "reads_entry", "reads_exit",
        "reads_queue", "samples_entry", "samples_exit",
    )  # fmt: skip

    def __init__(self, name: str, can_sample: bool) -> None:
        shape = CALLS.get(name, BARE)
        self.name = name
        self.argument_count = len(shape.arguments)
        self.descriptor = shape.descriptor
        self.pointers = CallPointers(name)
        self.reads_entry = self.pointers.has_entry
        self.needs_before = self.pointers.needs_before
        self.reads_exit = self.pointers.has_exit
        self.samples_entry = can_sample and name in _SAMPLED_AT_ENTRY
        self.samples_exit = can_sample and name in _SAMPLED_AT_EXIT
        self.moves_bytes = name in _MOVING_BYTES
        self.reads_queue = can_sample and name in _READING
        self.accepts = can_sample and name in _ACCEPTING
        self.may_change_addresses = name in _MAY_CHANGE_ADDRESSES
        self.closed = _CLOSED_ARGUMENT.get(name)
        self.closes = self.closed is not None or name == "close_range"


class StoppedCall:
    """A call that is being recorded."""

    __slots__ = (
        "before", "entry_ns", "exit_ns", "facts", "interrupted_ns", "plan", "reads", "result",
        "socket", "task",
    )  # fmt: skip

    # Set only if they are needed: while a call is recorded its thread waits.
    before: Before
    interrupted_ns: int
    entry_ns: int

    def __init__(
        self, plan: StopPlan, task: Task, facts: tuple[int, ...], found: Socket | None
    ) -> None:
        """`facts` are the instruction pointer, the call's number and its six arguments."""
        self.plan = plan
        self.task = task
        self.facts = facts
        self.socket = found
        self.reads: list[Read] | None = None
        self.exit_ns: int | None = None
        self.result: int | None = None

    def record(self) -> CallFacts:
        """The call as plain values."""
        return (
            self.task.process.tgid,
            self.task.tid,
            self.plan.name,
            self.facts[2 : 2 + self.plan.argument_count],
            self.reads or [],
            self.entry_ns,
            self.exit_ns,
            self.result,
            self.socket.name if self.socket is not None else "",
        )


CallFacts = tuple[int, int, str, tuple[int, ...], list[Read], int, int | None, int | None, str]
"""The fields of a lab.records.Syscall, in their order, without program and step."""


class Task:
    """A thread."""

    __slots__ = ("call", "clone_flags", "exits", "interrupted", "process", "tid")

    def __init__(self, tid: int, process: Process) -> None:
        self.tid = tid
        self.process = process
        self.became_another()

    def became_another(self) -> None:
        """Note that it has begun, or become another program: no call of it goes on."""
        self.call: StoppedCall | None = None
        self.interrupted: list[StoppedCall] = []
        """Calls that a signal interrupted and that may still be restarted."""
        self.clone_flags = 0
        self.exits = False


class CallRecorder:
    """The calls of all of a program's tasks, in the order of their entries."""

    def __init__(self, can_sample: bool) -> None:
        """`can_sample`: whether the sockets behind descriptors can be sampled."""
        self.calls: list[StoppedCall] = []
        self.sockets = SocketSamples()
        self.denials = Denials()
        self._can_sample = can_sample
        self.plans = {number: StopPlan(name, can_sample) for name, number in numbers().items()}
        self._plans_of_i386 = {
            number: StopPlan(name, can_sample) for name, number in i386_numbers().items()
        }
        other = other_numbers()
        self._making_tasks = {other[name] for name in MAKING_TASKS if name in other}
        self._clone = other["clone"]
        self._clone3 = other["clone3"]
        self._ptrace = other["ptrace"]
        self._restart_syscall = other["restart_syscall"]
        self._rt_sigreturn = other["rt_sigreturn"]

    def enter(self, task: Task) -> None:
        """Record the call at whose entry the task is stopped, and let the task make it."""
        tid, process = task.tid, task.process
        if ptrace(PTRACE_GET_SYSCALL_INFO, tid, INFO_BYTES, INFO_ADDRESS) < 0:
            return  # it was killed; waitpid will report its end
        facts = unpack_entry(SYSCALL_INFO)
        if unpack_architecture(SYSCALL_INFO)[0] == SYSCALL_ARCHITECTURE:
            self._enter_i386(task, facts)
            return
        plan = self.plans.get(facts[1])
        if plan is None or task.interrupted:
            if self._continues(task, facts):
                return
            if plan is None:
                self._let_go_on(task, facts)
                return
        found = None
        if plan.descriptor is not None:
            descriptor = facts[2 + plan.descriptor] & _INT
            found = self.sockets.find(process.descriptors, tid, descriptor)
            if found is not None and plan.samples_entry and found.is_tcp:
                self.sockets.sample_closing(process.descriptors, tid, descriptor, found)
        call = task.call = StoppedCall(plan, task, facts, found)
        if plan.reads_entry:
            call.reads = plan.pointers.read_at_entry(process.memory, facts[2:])
        if plan.needs_before:
            call.before = plan.pointers.read_before(process.memory, facts[2:])
        if plan.closes:
            _forget_closed(process, call)
        self.calls.append(call)
        call.entry_ns = time.time_ns()
        ptrace(PTRACE_SYSCALL, tid, 0, 0)

    def _enter_i386(self, task: Task, facts: tuple[int, ...]) -> None:
        """Record a call of 32 bits if it is the process's first of its kind, and let it be made."""
        plan, known = self._plans_of_i386[facts[1]], task.process.made_by_i386
        if plan.name in I386_MOVING:
            task.process.descriptors.forget_all()
        if plan.name in known:
            ptrace(PTRACE_CONT, task.tid, 0, 0)
            return
        known.add(plan.name)
        call = task.call = StoppedCall(plan, task, facts, None)
        self.calls.append(call)
        call.entry_ns = time.time_ns()
        ptrace(PTRACE_SYSCALL, task.tid, 0, 0)

    def exit(self, task: Task, now_ns: int) -> None:
        """Record the result of the call, or signal handler, at whose exit the task is stopped."""
        tid, call = task.tid, task.call
        if ptrace(PTRACE_GET_SYSCALL_INFO, tid, INFO_BYTES, INFO_ADDRESS) < 0:
            return
        (result,) = unpack_result(SYSCALL_INFO)
        task.call = None
        if call is None:
            _leave_handler(task, result)
        elif _FIRST_RESTART <= result <= _LAST_RESTART:
            call.interrupted_ns = now_ns
            task.interrupted.append(call)
        else:
            call.exit_ns, call.result = now_ns, result
            self._complete(task, call, result)
        ptrace(PTRACE_CONT, tid, 0, 0)

    def leave(self, task: Task) -> None:
        """Sample what a task has open that is about to end, the last of its process."""
        if self._can_sample and task.process.tasks == 1:
            self.sockets.sample_open(task.process.descriptors, task.tid)

    def resume(
        self, task: Task, number: int, facts: tuple[int, ...], inode: int, reads: list[Read],
        entry_ns: int, before: Before,
    ) -> None:  # fmt: skip
        """Go on recording a call whose entry stops.c has served."""
        found = self.sockets.by_inode(inode) if inode else None
        call = task.call = StoppedCall(self.plans[number], task, facts, found)
        call.reads, call.before, call.entry_ns = reads, before, entry_ns
        self.calls.append(call)

    def forget_all(self) -> None:
        """Forget everything recorded so far: it was not the program's."""
        self.calls.clear()
        self.sockets.samples.clear()
        self.sockets.queues.clear()
        self.sockets.closings.clear()

    def _complete(self, task: Task, call: StoppedCall, result: int) -> None:
        """Record what can be read and sampled when a call has returned."""
        plan, process = call.plan, task.process
        if plan.reads_exit and result >= 0:
            before = call.before if plan.needs_before else {}
            reads = plan.pointers.read_at_exit(process.memory, call.facts[2:], result, before)
            call.reads = reads if call.reads is None else call.reads + reads
        if plan.closes:
            # Another thread's call may have looked it up again while it was being closed.
            _forget_closed(process, call)
        found = call.socket
        if found is None:
            return
        if plan.samples_exit and found.is_tcp:
            # A call that moved bytes through a connection shows no new state: that the peer has
            # closed shows in one that moves none.
            if result <= 0 or not plan.moves_bytes or found.state not in CONNECTED:
                self._sample(task, call, found)
        elif plan.accepts and result >= 0 and (found.is_tcp or found.unix_type):
            self._sample_accepted(task, result)
        if plan.reads_queue and found.unix_type:
            descriptor = self._descriptor(task, call, found)
            if descriptor >= 0:
                self.sockets.sample_queue(process.descriptors, task.tid, descriptor, found)

    def _sample_accepted(self, task: Task, descriptor: int) -> None:
        """Sample the socket that accept(2) has returned."""
        descriptors = task.process.descriptors
        accepted = self.sockets.find(descriptors, task.tid, descriptor)
        if accepted is None:
            return
        if accepted.is_tcp:
            self.sockets.sample(descriptors, task.tid, descriptor, accepted, b"")
        if accepted.unix_type:
            self.sockets.sample_queue(descriptors, task.tid, descriptor, accepted)

    def _descriptor(self, task: Task, call: StoppedCall, found: Socket) -> int:
        """The descriptor that the call was made on, or -1 if that is another file by now."""
        assert call.plan.descriptor is not None
        descriptor = call.facts[2 + call.plan.descriptor] & _INT
        known = self.sockets.find(task.process.descriptors, task.tid, descriptor)
        return descriptor if known is found else -1

    def _sample(self, task: Task, call: StoppedCall, found: Socket) -> None:
        """Sample the socket that the call was made on, if it still has that descriptor."""
        descriptors = task.process.descriptors
        descriptor = self._descriptor(task, call, found)
        if descriptor < 0:
            return
        connects_to = None
        if call.plan.may_change_addresses:
            connects_to = call.reads[0][3] if call.reads and call.plan.name == "connect" else b""
        self.sockets.sample(descriptors, task.tid, descriptor, found, connects_to)

    def _continues(self, task: Task, facts: tuple[int, ...]) -> bool:
        """Whether this is an interrupted call being restarted, or a signal handler's end.

        The kernel restarts a call by making the thread call it again, or restart_syscall(2).
        The program does not see that: here, both are one call.
        """
        if not task.interrupted:
            return False
        number = facts[1]
        if number == self._restart_syscall or facts == task.interrupted[-1].facts:
            task.call = task.interrupted.pop()
        elif number != self._rt_sigreturn:
            return False
        ptrace(PTRACE_SYSCALL, task.tid, 0, 0)
        return True

    def _let_go_on(self, task: Task, facts: tuple[int, ...]) -> None:
        """Let the task make a call that is not recorded, and note what matters of it."""
        number = facts[1]
        if number in self._making_tasks:
            task.clone_flags = 0
            if number == self._clone:
                task.clone_flags = facts[2]
            elif number == self._clone3:
                task.clone_flags = int.from_bytes(
                    task.process.memory.read(facts[2], 8), sys.byteorder
                )
            self.denials.note_clone(task.clone_flags)
        elif number == self._ptrace:
            self.denials.note_ptrace(facts[2], facts[3])
        ptrace(PTRACE_CONT, task.tid, 0, 0)


def _forget_closed(process: Process, call: StoppedCall) -> None:
    """Forget which sockets the descriptors were that the call closes."""
    if call.plan.closed is None:
        process.descriptors.forget_all()
    else:
        process.descriptors.forget(call.facts[2 + call.plan.closed] & _INT)


def _leave_handler(task: Task, result: int) -> None:
    """Note that a signal handler has returned to where the signal came.

    rt_sigreturn(2) "returns" what is in the result register: EINTR if the interrupted call fails
    with it, else what the register has to hold for the call to be made again.
    """
    if task.interrupted and result == -errno.EINTR:
        call = task.interrupted.pop()
        call.exit_ns, call.result = call.interrupted_ns, result
