"""A builder for the BPF programs at the entry and at the exit of system calls.

R6 is the tracepoint's context and later the scratch, R7 the call's registers, R8 its result (at the
entry its number, then free), R9 its plan. There are no loops.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Helper, Register, Width
from lab.kernel.trace.bpf.copies import ROOM, Copies
from lab.kernel.trace.bpf.inside import (
    STACK_BYTES,
    TaskOffsets,
    end_unless_inside,
)
from lab.kernel.trace.bpf.plans import (
    NOT_WANTED,
    NUMBER_LIMIT,
    CallPlan,
    Registers,
    length_argument,
)
from lab.kernel.trace.bpf.records import BODY_AT, KIND_AT, NUMBER_AT, RecordKind
from lab.syscalls.table import Layout, Pointer, Size

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register


NO_WAKE_UP, _FORCE_WAKE_UP = 1, 2  # BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP
"""The flag of what is seldom recorded: its ring is read several times a second."""

WAKE_UP_BYTES = 1 << 20
"""A ring's reader is woken whenever it has become fuller by this much."""
# And not by every record after that: a wake-up costs its writer some microseconds. Some
# processor's record is certain to begin inside the window, which has room for 32 of the longest.
_WAKE_UP_WINDOW_BYTES = 1 << 14

# The stack.
TID_AT = -8
_NUMBER = -16  # a u32 that is read from memory, or is a map's key
_INSIDE = _NUMBER - STACK_BYTES
_REGISTERS_END = _INSIDE


@frozen
class Maps:
    """Descriptors of the maps that the programs share, and what they have to know of the kernel."""

    plans: int
    """An array of one value: at each call's number a byte, its plan or NOT_WANTED; from
    NUMBER_LIMIT on, at each number in the i386 table, whether its calls are wanted."""
    rooms: int
    """By tid, for calls under way: a u32, how many bytes the kernel may write."""
    scratch: int
    """An array of one value for each processor."""
    ring: int
    lost: int
    """An array of one value, of 64 bits: how many records did not fit."""
    followed: int
    """The map of FollowedNamespace: who is traced."""
    offsets: TaskOffsets


class ProgramBuilder:
    """Builds one program, the entry's or the exit's: each method appends code to it."""

    def __init__(
        self, maps: Maps, plans: list[CallPlan], registers: Registers, at_exit: bool
    ) -> None:
        self.code = Code()
        self.end = self.code.label()
        self.copies = Copies(self.code, at_exit)
        self.plans = list(enumerate(plans, 1))
        self._maps = maps
        self._registers = registers
        self._at_exit = at_exit

    def finish(self) -> bytes:
        """The whole program."""
        self.code.place(self.end)
        self.code.move(R0, 0)
        self.code.exit()
        return self.code.assemble()

    def find_plan(self, number: Register) -> None:
        """R9 becomes the plan of the call with that number; without a plan, end the program."""
        code = self.code
        code.jump_if(number, Condition.GE, NUMBER_LIMIT, self.end)
        code.load_map_value(R2, self._maps.plans)
        code.add(R2, number)
        code.load(Width.U8, R9, R2, 0)
        code.jump_if(R9, Condition.EQ, NOT_WANTED, self.end)

    def copy_registers(self) -> None:
        """Copy the call's registers from the context at R6 to the stack; R7 points to them."""
        code = self.code
        self.code.stack_address(R7, _REGISTERS_END - self._registers.length)
        code.move(R1, R7)
        code.move(R2, self._registers.length)
        code.load(Width.U64, R3, R6, 0)  # struct pt_regs *
        code.add(R3, self._registers.first)
        code.call(Helper.PROBE_READ_KERNEL)

    def argument(self, target: Register, number: int | None, plan: CallPlan) -> None:
        """`target` becomes the call's argument."""
        assert number is not None
        width = Width.U32 if number in plan.narrow else Width.U64
        self.code.load(width, target, R7, self._registers.arguments[number])

    def find_task(self) -> None:
        """R0 becomes the running thread, and its tid is kept."""
        code = self.code
        code.call(Helper.GET_CURRENT_TASK_BTF)
        code.load(Width.U32, R1, R0, self._maps.offsets.tid)
        code.store(Width.U64, STACK, TID_AT, R1)

    def end_unless_inside(self) -> None:
        """End the program unless the thread at R0 is traced."""
        end_unless_inside(self.code, self._maps.followed, self._maps.offsets, _INSIDE, self.end)

    def tid_address(self, target: Register) -> None:
        """`target` becomes the address of the tid, a u32 on the stack."""
        self.code.stack_address(target, TID_AT)

    def number_address(self, target: Register) -> None:
        """`target` becomes the address of a u32 on the stack for any use."""
        self.code.stack_address(target, _NUMBER)

    def begin_record(self) -> None:
        """R6 becomes the scratch, with the record's header and a call's arguments or result."""
        code, registers = self.code, self._registers
        code.store(Width.U32, STACK, _NUMBER, 0)
        code.load_map(R1, self._maps.scratch)
        self.number_address(R2)
        code.call(Helper.MAP_LOOKUP)
        code.jump_if(R0, Condition.EQ, 0, self.end)
        code.move(R6, R0)
        code.call(Helper.KTIME_GET_TAI_NS)
        code.store(Width.U64, R6, 0, R0)
        code.load(Width.U64, R1, STACK, TID_AT)
        code.store(Width.U32, R6, 8, R1)
        code.store(
            Width.U16, R6, KIND_AT, RecordKind.RETURNED if self._at_exit else RecordKind.ENTERED
        )
        code.load(Width.U32, R1, R7, registers.number)
        code.store(Width.U16, R6, NUMBER_AT, R1)
        if self._at_exit:
            code.store(Width.U64, R6, BODY_AT, R8)
            self.copies.begin(BODY_AT + 8)
            return
        for number, at in enumerate(registers.arguments):
            code.load(Width.U64, R1, R7, at)
            code.store(Width.U64, R6, BODY_AT + 8 * number, R1)
        self.copies.begin(BODY_AT + 8 * len(registers.arguments))

    def put_record(self) -> None:
        """Put the record into the ring, or count it as lost, and end the program.

        The ring's reader is woken if there are another WAKE_UP_BYTES in it.
        """
        choose_wake_up(self.code, self._maps.ring)
        self.copies.length(R3)
        output_record(self.code, self._maps.ring, self._maps.lost, R6, self.end)
        self.code.jump(self.end)

    def follow_pointers(self) -> None:
        """Copy what the pointers of the plan in R9 point to, if it is of this program's side."""
        code, done = self.code, self.code.label()
        work = [
            (code.label(), number, plan)
            for number, plan in self.plans
            if plan.at_exit == self._at_exit
        ]
        for label, number, _ in work:
            code.jump_if(R9, Condition.EQ, number, label)
        code.jump(done)
        for label, _, plan in work:
            code.place(label)
            for pointer in plan.pointers:
                self._follow(pointer, plan)
            code.jump(done)
        code.place(done)

    def _follow(self, pointer: Pointer, plan: CallPlan) -> None:
        self.argument(R3, pointer.argument, plan)
        match pointer.layout:
            case Layout.BYTES:
                self._follow_bytes(pointer, plan)
            case Layout.IOVEC:
                self.argument(R2, pointer.argument + 1, plan)
                self.copies.vectors(pointer.argument, "")
            case Layout.MSGHDR:
                self.copies.message(pointer.argument)
            case Layout.MMSGHDR:
                self.copies.message_lengths(pointer.argument)

    def _follow_bytes(self, pointer: Pointer, plan: CallPlan) -> None:
        """Copy plain bytes: R2 becomes their length as reported, R4 how many can be there."""
        code, skip = self.code, self.code.label()
        length = length_argument(pointer)
        match pointer.size:
            case Size.FIXED:
                code.move(R2, pointer.number)
                code.move(R4, R2)
            case Size.ARGUMENT:
                self.argument(R2, length, plan)
                code.move(R4, R2)
            case Size.ITEMS:
                self.argument(R2, length, plan)
                code.calculate(Calculation.MUL, R2, pointer.number)
                code.move(R4, R2)
            case Size.RESULT:
                # With MSG_TRUNC the result exceeds what there was room for.
                code.move(R2, R8)
                code.calculate(Calculation.MUL, R2, pointer.number)
                self.argument(R4, length, plan)
                code.calculate(Calculation.MUL, R4, pointer.number)
            case Size.VALUE_RESULT:
                self._read_value_result(pointer, plan, skip)
        self.copies.bytes(pointer.argument, "")
        code.place(skip)

    def _read_value_result(self, pointer: Pointer, plan: CallPlan, skip: int) -> None:
        """R2 becomes the value-result argument's u32 now, R4 what it was at the entry."""
        code = self.code
        code.jump_if(R3, Condition.EQ, 0, skip)
        self.argument(R3, pointer.number, plan)
        self.number_address(R1)
        code.move(R2, 4)
        self.copies.read_user()
        code.jump_if(R0, Condition.NE, 0, skip)
        code.load(Width.U32, R2, STACK, _NUMBER)
        code.load(Width.U32, R4, R6, ROOM)
        self.argument(R3, pointer.argument, plan)


def choose_wake_up(code: Code, ring: int) -> None:
    """R4 becomes the flag with which a record is put into a ring; R0 to R3 are overwritten.

    The ring's reader is to be woken if there are another WAKE_UP_BYTES in it.
    """
    no_wakeup = code.label()
    code.load_map(R1, ring)
    code.move(R2, 0)  # BPF_RB_AVAIL_DATA
    code.call(Helper.RINGBUF_QUERY)
    code.move(R4, NO_WAKE_UP)
    code.jump_if(R0, Condition.LT, WAKE_UP_BYTES, no_wakeup)
    code.calculate(Calculation.AND, R0, WAKE_UP_BYTES - 1)
    code.jump_if(R0, Condition.GE, _WAKE_UP_WINDOW_BYTES, no_wakeup)
    code.move(R4, _FORCE_WAKE_UP)
    code.place(no_wakeup)


def output_record(code: Code, ring: int, lost: int, record: Register, end: int) -> None:
    """Put a record of R3 bytes into the ring, with the flag in R4, and jump to `end`.

    Where it is full, go on behind that, having counted it in `lost`.
    """
    code.load_map(R1, ring)
    code.move(R2, record)
    code.call(Helper.RINGBUF_OUTPUT)
    code.jump_if(R0, Condition.EQ, 0, end)
    code.load_map_value(R1, lost)
    code.move(R2, 1)
    code.add_atomically(R1, 0, R2)
