"""The two BPF programs that copy what system calls' pointers point to, into a ring buffer.

One runs at the raw tracepoint sys_enter, one at sys_exit. They have no loops. In both R6 is the
scratch, R7 what is kept of the call, R8 its result (free at the entry).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lab.kernel.bpf_code import Calculation, Code, Condition, Register, Width
from lab.kernel.memory_copies import NAME_LENGTH, Copies
from lab.kernel.memory_plans import (
    NOT_WANTED,
    NUMBER_LIMIT,
    CallPlan,
    Registers,
    length_argument,
)
from lab.syscall_table import Layout, Pointer, Size

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register

# enum bpf_func_id
_MAP_LOOKUP, _MAP_UPDATE, _MAP_DELETE = 1, 2, 3
_KTIME_GET_NS = 5
_GET_CURRENT_PID_TGID = 14
_PROBE_READ_KERNEL = 113
_GET_NS_CURRENT_PID_TGID = 120
_RINGBUF_OUTPUT, _RINGBUF_QUERY = 130, 134

_NO_WAKEUP, _FORCE_WAKEUP = 1, 2  # BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP

RING_BYTES = 1 << 22
# The reader is woken where the ring has become fuller by this much, and not by every record
# after that: a wake-up costs its writer some microseconds. A record of whichever processor
# comes to lie in the window, which has room for 36 of the longest.
_WAKE_UP_BYTES = RING_BYTES // 4
_WAKE_UP_WINDOW_BYTES = 1 << 14

# What is kept of a call between its entry and its exit: its registers, then these.
_NUMBER, _PLAN, _ROOM = 64, 68, 72
SAVED_BYTES = 80

# The stack.
_TID = -8
_NAMESPACE_PIDS = -16  # struct bpf_pidns_info: pid, tgid
_TOLD = -24
_SAVED = -24 - SAVED_BYTES


class Maps(NamedTuple):
    """Descriptors of the maps that the programs share."""

    plans: int
    """An array whose one value has a call's plan, a byte, at its number."""
    calls: int
    """By tid: what is kept of a call until its exit."""
    scratch: int
    """An array of one value for each processor."""
    ring: int
    lost: int
    """An array whose one value, of 64 bits, counts what there was no room for."""


class _Program:
    """What the two have in common."""

    def __init__(
        self, maps: Maps, plans: list[CallPlan], registers: Registers, at_exit: bool
    ) -> None:
        self.code = Code()
        self.end = self.code.label()
        self._maps = maps
        self._plans = plans
        self._registers = registers
        self._at_exit = at_exit
        self._copies = Copies(self.code, at_exit)

    def finish(self) -> bytes:
        self.code.place(self.end)
        self.code.move(R0, 0)
        self.code.exit()
        return self.code.assemble()

    def stack_address(self, target: Register, offset: int) -> None:
        self.code.move(target, STACK)
        self.code.add(target, offset)

    def find_tid(self) -> None:
        """As the initial pid namespace numbers threads."""
        self.code.call(_GET_CURRENT_PID_TGID)
        self.code.store(Width.U32, STACK, _TID, R0)

    def begin_record(self) -> None:
        """Find the scratch and write the header; its time is 0 at the exit."""
        code = self.code
        code.store(Width.U32, STACK, _TOLD, 0)
        code.load_map(R1, self._maps.scratch)
        self.stack_address(R2, _TOLD)
        code.call(_MAP_LOOKUP)
        code.jump_if(R0, Condition.EQ, 0, self.end)
        code.move(R6, R0)
        if self._at_exit:
            code.move(R0, 0)
        else:
            code.call(_KTIME_GET_NS)
        code.store(Width.U64, R6, 0, R0)
        code.load(Width.U32, R1, STACK, _TID)
        code.store(Width.U32, R6, 8, R1)
        code.load(Width.U32, R1, R7, _NUMBER)
        code.store(Width.U16, R6, 12, R1)
        code.store(Width.U16, R6, 14, int(self._at_exit))
        self._copies.begin()

    def put_record(self) -> None:
        """The record goes to the ring; its reader is woken where another quarter of it is full.

        R0 becomes 0, or another number where there was no room.
        """
        code, taken, quiet = self.code, self.code.label(), self.code.label()
        code.load_map(R1, self._maps.ring)
        code.move(R2, 0)  # BPF_RB_AVAIL_DATA
        code.call(_RINGBUF_QUERY)
        code.move(R4, _NO_WAKEUP)
        code.jump_if(R0, Condition.LT, _WAKE_UP_BYTES, quiet)
        code.calculate(Calculation.AND, R0, _WAKE_UP_BYTES - 1)
        code.jump_if(R0, Condition.GE, _WAKE_UP_WINDOW_BYTES, quiet)
        code.move(R4, _FORCE_WAKEUP)
        code.place(quiet)
        code.load_map(R1, self._maps.ring)
        code.move(R2, R6)
        self._copies.length(R3)
        code.call(_RINGBUF_OUTPUT)
        code.jump_if(R0, Condition.EQ, 0, taken)
        self.count_lost()
        code.place(taken)

    def count_lost(self) -> None:
        """Changes R1 and R2 alone."""
        self.code.load_map_value(R1, self._maps.lost)
        self.code.move(R2, 1)
        self.code.add_atomically(R1, 0, R2)

    def follow_pointers(self) -> None:
        """For each plan that has something to follow at this moment, code that does."""
        code, done = self.code, self.code.label()
        work = [
            (code.label(), number, plan)
            for number, plan in enumerate(self._plans, 1)
            if plan.read_at(self._at_exit) or self._rooms(plan)
        ]
        code.load(Width.U32, R1, R7, _PLAN)
        for label, number, _ in work:
            code.jump_if(R1, Condition.EQ, number, label)
        code.jump(done)
        for label, _, plan in work:
            code.place(label)
            for pointer in self._rooms(plan):
                self._remember_room(pointer, plan)
            for pointer in plan.read_at(self._at_exit):
                self._follow(pointer, plan)
            code.jump(done)
        code.place(done)

    def _rooms(self, plan: CallPlan) -> tuple[Pointer, ...]:
        return () if self._at_exit else plan.with_room()

    def _argument(self, target: Register, number: int | None, plan: CallPlan) -> None:
        """`target` becomes the call's argument."""
        assert number is not None
        width = Width.U32 if number in plan.narrow else Width.U64
        self.code.load(width, target, R7, self._registers.arguments[number])

    def _remember_room(self, pointer: Pointer, plan: CallPlan) -> None:
        """Keep the u32 that says how much the kernel may write; 0 where it cannot be read."""
        if pointer.layout is Layout.MSGHDR:
            self._argument(R3, pointer.argument, plan)
            self.code.add(R3, NAME_LENGTH)
        else:
            self._argument(R3, pointer.number, plan)
        self.stack_address(R1, _SAVED + _ROOM)
        self.code.move(R2, 4)
        self._copies.read_user()

    def _follow(self, pointer: Pointer, plan: CallPlan) -> None:
        self._argument(R3, pointer.argument, plan)
        match pointer.layout:
            case Layout.BYTES:
                self._follow_bytes(pointer, plan)
            case Layout.IOVEC:
                self._argument(R2, pointer.argument + 1, plan)
                self._copies.vectors(pointer.argument, "")
            case Layout.MSGHDR:
                self._copies.message(pointer.argument, _ROOM)

    def _follow_bytes(self, pointer: Pointer, plan: CallPlan) -> None:
        """R2 becomes the length that is told, R4 the most that can be there."""
        code, skip = self.code, self.code.label()
        length = length_argument(pointer)
        match pointer.size:
            case Size.FIXED:
                code.move(R2, pointer.number)
                code.move(R4, R2)
            case Size.ARGUMENT:
                self._argument(R2, length, plan)
                code.move(R4, R2)
            case Size.ITEMS:
                self._argument(R2, length, plan)
                code.calculate(Calculation.MUL, R2, pointer.number)
                code.move(R4, R2)
            case Size.RESULT:
                # With MSG_TRUNC the result exceeds what there was room for.
                code.move(R2, R8)
                code.calculate(Calculation.MUL, R2, pointer.number)
                self._argument(R4, length, plan)
                code.calculate(Calculation.MUL, R4, pointer.number)
            case Size.POINTEE:
                self._read_told(pointer, plan, skip)
        self._copies.bytes(pointer.argument, "")
        code.place(skip)

    def _read_told(self, pointer: Pointer, plan: CallPlan, skip: int) -> None:
        """R2 becomes the u32 that another argument points to, R4 what it was at the entry."""
        code = self.code
        code.jump_if(R3, Condition.EQ, 0, skip)
        self._argument(R3, pointer.number, plan)
        self.stack_address(R1, _TOLD)
        code.move(R2, 4)
        self._copies.read_user()
        code.jump_if(R0, Condition.NE, 0, skip)
        code.load(Width.U32, R2, STACK, _TOLD)
        code.load(Width.U32, R4, R7, _ROOM)
        self._argument(R3, pointer.argument, plan)


def entry_program(
    maps: Maps,
    plans: list[CallPlan],
    registers: Registers,
    namespace: tuple[int, int],
    without: Iterable[int],
) -> bytes:
    """For sys_enter: it writes a record for each wanted call, and keeps its arguments.

    `namespace` is the pid namespace whose processes are traced: device and inode of its file in
    /proc/PID/ns. `without` are the pids in it of those that are not.
    """
    program = _Program(maps, plans, registers, at_exit=False)
    code = program.code
    code.move(R6, R1)
    code.load(Width.U64, R7, R6, 8)  # long id
    code.jump_if(R7, Condition.GE, NUMBER_LIMIT, program.end)
    code.load_map_value(R1, maps.plans)
    code.add(R1, R7)
    code.load(Width.U8, R8, R1, 0)
    code.jump_if(R8, Condition.EQ, NOT_WANTED, program.end)
    _end_unless_inside(program, namespace, without)
    for offset in range(registers.length, SAVED_BYTES, 8):
        code.store(Width.U64, STACK, _SAVED + offset, 0)
    code.store(Width.U32, STACK, _SAVED + _NUMBER, R7)
    code.store(Width.U32, STACK, _SAVED + _PLAN, R8)
    program.stack_address(R7, _SAVED)
    code.move(R1, R7)
    code.move(R2, registers.length)
    code.load(Width.U64, R3, R6, 0)  # struct pt_regs *
    code.add(R3, registers.first)
    code.call(_PROBE_READ_KERNEL)
    program.find_tid()
    program.begin_record()
    program.follow_pointers()
    program.put_record()
    # Only now: the exit of a call whose entry is lost would be taken for another call's.
    code.jump_if(R0, Condition.NE, 0, program.end)
    _keep_call(program, maps)
    return program.finish()


def _end_unless_inside(
    program: _Program, namespace: tuple[int, int], without: Iterable[int]
) -> None:
    code = program.code
    code.load_constant(R1, namespace[0])
    code.load_constant(R2, namespace[1])
    program.stack_address(R3, _NAMESPACE_PIDS)
    code.move(R4, 8)
    code.call(_GET_NS_CURRENT_PID_TGID)
    code.jump_if(R0, Condition.NE, 0, program.end)
    code.load(Width.U32, R1, STACK, _NAMESPACE_PIDS + 4)
    for pid in without:
        code.jump_if(R1, Condition.EQ, pid, program.end)


def _keep_call(program: _Program, maps: Maps) -> None:
    code, kept = program.code, program.code.label()
    code.load_map(R1, maps.calls)
    program.stack_address(R2, _TID)
    code.move(R3, R7)
    code.move(R4, 0)  # BPF_ANY
    code.call(_MAP_UPDATE)
    code.jump_if(R0, Condition.EQ, 0, kept)
    program.count_lost()
    code.place(kept)


def exit_program(maps: Maps, plans: list[CallPlan], registers: Registers) -> bytes:
    """For sys_exit: it writes a record for each call that the other program has kept."""
    program = _Program(maps, plans, registers, at_exit=True)
    code, failed = program.code, program.code.label()
    code.load(Width.U64, R8, R1, 8)  # long ret
    program.find_tid()
    code.load_map(R1, maps.calls)
    program.stack_address(R2, _TID)
    code.call(_MAP_LOOKUP)
    code.jump_if(R0, Condition.EQ, 0, program.end)
    code.move(R7, R0)
    program.begin_record()
    code.jump_if(R8, Condition.SIGNED_LT, 0, failed)
    program.follow_pointers()
    code.place(failed)
    program.put_record()
    code.load_map(R1, maps.calls)
    program.stack_address(R2, _TID)
    code.call(_MAP_DELETE)
    return program.finish()
