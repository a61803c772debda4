"""The two BPF programs that record system calls, with what their pointer arguments point to.

One runs at the raw tracepoint sys_enter, one at sys_exit, for every call of the machine. Calling
a helper is what costs time there, so the checks that end a program come first: the call's
table, its number, whether its process is traced.
"""

from __future__ import annotations

from lab.kernel.trace.bpf.builder import Maps, ProgramBuilder
from lab.kernel.trace.bpf.code import Condition, Helper, Register, Width
from lab.kernel.trace.bpf.compat import CompatMaps, record_compat_call
from lab.kernel.trace.bpf.copies import NAME_LENGTH, ROOM
from lab.kernel.trace.bpf.plans import CallPlan, Registers
from lab.syscalls.table import Layout, Pointer

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register


def entry_program(
    maps: Maps, plans: list[CallPlan], registers: Registers, compat: CompatMaps | None
) -> bytes:
    """The program at sys_enter: a record for each call, with the memory that the kernel reads.

    Of a call with a value-result argument it keeps the value, which the call overwrites. With
    `compat` calls by the i386 table are recorded there instead.
    """
    builder = ProgramBuilder(maps, plans, registers, at_exit=False)
    code = builder.code
    code.move(R6, R1)
    code.load(Width.U64, R8, R6, 8)  # long id
    builder.find_task()
    if compat is not None:
        record_compat_call(code, maps, compat, builder.end, at_exit=False)
    builder.find_plan(R8)
    builder.end_unless_inside()
    builder.copy_registers()
    _keep_room(builder, maps)
    builder.begin_record()
    builder.follow_pointers()
    builder.put_record()
    return builder.finish()


def exit_program(
    maps: Maps, plans: list[CallPlan], registers: Registers, compat: CompatMaps | None
) -> bytes:
    """The program at sys_exit: a record for each call, with the memory that the kernel filled."""
    builder = ProgramBuilder(maps, plans, registers, at_exit=True)
    code, failed = builder.code, builder.code.label()
    code.move(R6, R1)
    code.load(Width.U64, R8, R6, 8)  # long ret
    builder.find_task()
    if compat is not None:
        record_compat_call(code, maps, compat, builder.end, at_exit=True)
    builder.end_unless_inside()
    builder.copy_registers()
    code.load(Width.U32, R1, R7, registers.number)
    builder.find_plan(R1)
    builder.begin_record()
    _take_room(builder, maps)
    code.jump_if(R8, Condition.SIGNED_LT, 0, failed)
    builder.follow_pointers()
    code.place(failed)
    builder.put_record()
    return builder.finish()


def _plans_with_room(builder: ProgramBuilder) -> list[tuple[int, CallPlan, Pointer]]:
    return [
        (number, plan, pointer) for number, plan in builder.plans for pointer in plan.with_room()
    ]


def _unless_room(builder: ProgramBuilder, without: int) -> None:
    """Jump to the label if the pointer that has room is null."""
    code = builder.code
    for number, plan, pointer in _plans_with_room(builder):
        if pointer.layout is Layout.BYTES:
            skip = code.label()
            code.jump_if(R9, Condition.NE, number, skip)
            builder.argument(R1, pointer.argument, plan)
            code.jump_if(R1, Condition.EQ, 0, without)
            code.place(skip)


def _keep_room(builder: ProgramBuilder, maps: Maps) -> None:
    """If the plan has room, keep it: 0 if it cannot be read.

    Where there is no room in the map for it, the call's return will find none.
    """
    code, found, none = builder.code, builder.code.label(), builder.code.label()
    _unless_room(builder, none)
    for number, plan, pointer in _plans_with_room(builder):
        skip = code.label()
        code.jump_if(R9, Condition.NE, number, skip)
        if pointer.layout is Layout.MSGHDR:
            builder.argument(R3, pointer.argument, plan)
            code.add(R3, NAME_LENGTH)
        else:
            builder.argument(R3, pointer.number, plan)
        code.jump(found)
        code.place(skip)
    code.jump(none)
    code.place(found)
    builder.number_address(R1)
    code.move(R2, 4)
    builder.copies.read_user()
    code.load_map(R1, maps.rooms)
    builder.tid_address(R2)
    builder.number_address(R3)
    code.move(R4, 0)  # BPF_ANY
    code.call(Helper.MAP_UPDATE)
    code.place(none)


def _take_room(builder: ProgramBuilder, maps: Maps) -> None:
    """If the plan has room, copy what the entry kept of it to the scratch: 0 if it kept nothing."""
    code, none, kept = builder.code, builder.code.label(), builder.code.label()
    for number in {number for number, _, _ in _plans_with_room(builder)}:
        code.jump_if(R9, Condition.EQ, number, kept)
    code.jump(none)
    code.place(kept)
    code.store(Width.U32, R6, ROOM, 0)
    _unless_room(builder, none)
    code.load_map(R1, maps.rooms)
    builder.tid_address(R2)
    code.call(Helper.MAP_LOOKUP)
    code.jump_if(R0, Condition.EQ, 0, none)
    code.load(Width.U32, R1, R0, 0)
    code.store(Width.U32, R6, ROOM, R1)
    code.load_map(R1, maps.rooms)
    builder.tid_address(R2)
    code.call(Helper.MAP_DELETE)
    code.place(none)
