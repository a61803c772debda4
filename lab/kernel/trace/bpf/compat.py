"""BPF code that finds calls by the i386 table, at the beginning of the programs of all calls.

It costs every other call one load: while such a call lasts, the kernel has TS_COMPAT set for the
thread. Source: the kernel's arch/x86/include/asm/thread_info.h.

Of a process the first call of each kind is recorded, with its return. If too many processes make
such calls for the map that knows of them, more are.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.btf import Btf
from lab.kernel.trace.bpf.builder import NO_WAKE_UP, TID_AT, Maps, output_record
from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Helper, Register, Width
from lab.kernel.trace.bpf.inside import STACK_BYTES, end_unless_inside, read_member
from lab.kernel.trace.bpf.plans import NUMBER_LIMIT
from lab.kernel.trace.bpf.records import ARGUMENTS, BODY_AT, HEADER, KIND_AT, NUMBER_AT, RecordKind

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register


_NO_EXIST, _EXISTS = 1, -17  # BPF_NOEXIST, -EEXIST
_TS_COMPAT = 0x2

# struct pt_regs, arch/x86/include/uapi/asm/ptrace.h: what is copied, from bp to orig_rax; and in
# it ebx, ecx, edx, esi, edi, ebp (syscall(2)).
_FIRST, _REGISTERS_BYTES, _ORIG_AT = 32, 96, 88
_ARGUMENTS = (8, 56, 64, 72, 80, 0)

KEY_BYTES = 16
"""A key of the map of what was made: when the process began, a u64, its pid and the number."""

# The stack, below the tid.
_INSIDE = TID_AT - STACK_BYTES
_KEY = _INSIDE - KEY_BYTES
_REGISTERS = _KEY - _REGISTERS_BYTES
_RECORD = _REGISTERS - HEADER.size - ARGUMENTS.size


@frozen
class CompatOffsets:
    """Of the members that the code reads, in bytes."""

    status: int
    process: int

    @classmethod
    def of(cls, btf: Btf) -> CompatOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        info, process = btf.offsets("task_struct", "thread_info", "tgid")
        return cls(info + btf.offset("thread_info", "status"), process)


@frozen
class CompatMaps:
    """What this code uses beside the programs' other maps."""

    made: int
    """By KEY_BYTES: the tid of who made the first call of that kind, until it has returned; 0."""
    offsets: CompatOffsets


def record_compat_call(
    code: Code, maps: Maps, compat: CompatMaps, end: int, *, at_exit: bool
) -> None:
    """If the call is one by the i386 table, record it if it is wanted, and jump to `end`.

    R6 is the tracepoint's context, R8 at the exit the call's result, R0 the running thread, whose
    tid is on the stack: all are kept where the call is another.
    """
    native = code.label()
    code.load(Width.U32, R1, R0, compat.offsets.status)
    code.calculate(Calculation.AND, R1, _TS_COMPAT)
    code.jump_if(R1, Condition.EQ, 0, native)
    code.move(R9, R0)
    code.stack_address(R1, _REGISTERS)
    code.move(R2, _REGISTERS_BYTES)
    code.load(Width.U64, R3, R6, 0)  # struct pt_regs *
    code.add(R3, _FIRST)
    code.call(Helper.PROBE_READ_KERNEL)
    code.load(Width.U32, R7, STACK, _REGISTERS + _ORIG_AT)
    code.jump_if(R7, Condition.GE, NUMBER_LIMIT, end)
    code.load_map_value(R1, maps.plans)
    code.add(R1, R7)
    code.load(Width.U8, R1, R1, NUMBER_LIMIT)
    code.jump_if(R1, Condition.EQ, 0, end)
    code.move(R0, R9)
    end_unless_inside(code, maps.followed, maps.offsets, _INSIDE, end, is_hot=False)
    _make_key(code, maps, compat)
    if at_exit:
        _end_unless_recorded(code, compat, end)
    else:
        _end_if_made(code, compat, end)
    _put_record(code, maps, end, at_exit=at_exit)
    code.place(native)


def _make_key(code: Code, maps: Maps, compat: CompatMaps) -> None:
    """Pids are used again, but not within the same nanosecond."""
    read_member(code, _INSIDE, R9, maps.offsets.leader)
    read_member(code, _INSIDE, R3, maps.offsets.began)
    code.store(Width.U64, STACK, _KEY, R3)
    code.load(Width.U32, R1, R9, compat.offsets.process)
    code.store(Width.U32, STACK, _KEY + 8, R1)
    code.store(Width.U32, STACK, _KEY + 12, R7)


def _end_if_made(code: Code, compat: CompatMaps, end: int) -> None:
    code.load_map(R1, compat.made)
    code.stack_address(R2, _KEY)
    code.stack_address(R3, TID_AT)
    code.move(R4, _NO_EXIST)
    code.call(Helper.MAP_UPDATE)
    # A number of 32 bits before Linux 6.4.
    code.calculate(Calculation.LSH, R0, 32)
    code.calculate(Calculation.SIGNED_RSH, R0, 32)
    code.jump_if(R0, Condition.EQ, _EXISTS, end)


def _end_unless_recorded(code: Code, compat: CompatMaps, end: int) -> None:
    unknown = code.label()
    code.load_map(R1, compat.made)
    code.stack_address(R2, _KEY)
    code.call(Helper.MAP_LOOKUP)
    code.jump_if(R0, Condition.EQ, 0, unknown)
    code.load(Width.U32, R1, R0, 0)
    code.load(Width.U32, R2, STACK, TID_AT)
    code.jump_if(R1, Condition.NE, R2, end)
    code.store(Width.U32, R0, 0, 0)
    code.place(unknown)


def _put_record(code: Code, maps: Maps, end: int, *, at_exit: bool) -> None:
    kind = RecordKind.I386_RETURNED if at_exit else RecordKind.I386_ENTERED
    code.call(Helper.KTIME_GET_TAI_NS)
    code.store(Width.U64, STACK, _RECORD, R0)
    code.load(Width.U32, R1, STACK, TID_AT)
    code.store(Width.U32, STACK, _RECORD + 8, R1)
    code.store(Width.U16, STACK, _RECORD + KIND_AT, kind)
    code.store(Width.U16, STACK, _RECORD + NUMBER_AT, R7)
    if at_exit:
        code.store(Width.U64, STACK, _RECORD + BODY_AT, R8)
    else:
        for number, at in enumerate(_ARGUMENTS):
            code.load(Width.U64, R1, STACK, _REGISTERS + at)
            code.store(Width.U64, STACK, _RECORD + BODY_AT + 8 * number, R1)
    code.stack_address(R7, _RECORD)
    code.move(R3, BODY_AT + (8 if at_exit else ARGUMENTS.size))
    code.move(R4, NO_WAKE_UP)
    output_record(code, maps.ring, maps.lost, R7, end)
    code.jump(end)
