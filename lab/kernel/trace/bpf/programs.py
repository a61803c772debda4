"""The two BPF programs that copy what system calls' pointers point to, into a ring buffer.

One runs at the raw tracepoint sys_enter, one at sys_exit, at every call of the machine. What
costs there is to call a helper; so whatever ends a program soon comes first: the call's number,
that it has nothing to remember, the namespace.
"""

from __future__ import annotations

from lab.kernel.trace.bpf.builder import MAP_LOOKUP, Maps, Moment, Traced
from lab.kernel.trace.bpf.code import Condition, Register, Width
from lab.kernel.trace.bpf.copies import NAME_LENGTH, ROOM
from lab.kernel.trace.bpf.plans import CallPlan, Registers
from lab.syscalls.table import Layout, Pointer

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register

_MAP_UPDATE, _MAP_DELETE = 2, 3  # enum bpf_func_id


def entry_program(maps: Maps, plans: list[CallPlan], registers: Registers, traced: Traced) -> bytes:
    """For sys_enter: it writes a record for each call whose pointers the kernel reads.

    Of the others it keeps how much room there is, where the call will overwrite that.
    """
    moment = Moment(maps, plans, registers, at_exit=False)
    code = moment.code
    code.move(R6, R1)
    code.load(Width.U64, R8, R6, 8)  # long id
    moment.find_plan(R8)
    moment.copy_registers()
    _unless_room(moment, moment.end)
    moment.end_unless_inside(traced)
    _keep_room(moment, maps)
    moment.begin_record()
    moment.follow_pointers()
    moment.put_record()
    return moment.finish()


def exit_program(maps: Maps, plans: list[CallPlan], registers: Registers, traced: Traced) -> bytes:
    """For sys_exit: it writes a record for each call whose pointers the kernel fills."""
    moment = Moment(maps, plans, registers, at_exit=True)
    code, failed = moment.code, moment.code.label()
    code.move(R6, R1)
    code.load(Width.U64, R8, R6, 8)  # long ret
    moment.copy_registers()
    code.load(Width.U32, R1, R7, registers.number)
    moment.find_plan(R1)
    moment.end_unless_inside(traced)
    moment.begin_record()
    _take_room(moment, maps)
    code.jump_if(R8, Condition.SIGNED_LT, 0, failed)
    moment.follow_pointers()
    code.place(failed)
    moment.put_record()
    return moment.finish()


def _plans_with_room(moment: Moment) -> list[tuple[int, CallPlan, Pointer]]:
    return [
        (number, plan, pointer) for number, plan in moment.plans for pointer in plan.with_room()
    ]


def _unless_room(moment: Moment, without: int) -> None:
    """Go to that label where what there could be room at is a null pointer."""
    code = moment.code
    for number, plan, pointer in _plans_with_room(moment):
        if pointer.layout is Layout.BYTES:
            skip = code.label()
            code.jump_if(R9, Condition.NE, number, skip)
            moment.argument(R1, pointer.argument, plan)
            code.jump_if(R1, Condition.EQ, 0, without)
            code.place(skip)


def _keep_room(moment: Moment, maps: Maps) -> None:
    """Where the plan has room keep it, 0 where it cannot be read, and end the program."""
    code, found, none = moment.code, moment.code.label(), moment.code.label()
    for number, plan, pointer in _plans_with_room(moment):
        skip = code.label()
        code.jump_if(R9, Condition.NE, number, skip)
        if pointer.layout is Layout.MSGHDR:
            moment.argument(R3, pointer.argument, plan)
            code.add(R3, NAME_LENGTH)
        else:
            moment.argument(R3, pointer.number, plan)
        code.jump(found)
        code.place(skip)
    code.jump(none)
    code.place(found)
    moment.told_address(R1)
    code.move(R2, 4)
    moment.copies.read_user()
    code.load_map(R1, maps.rooms)
    moment.tid_address(R2)
    moment.told_address(R3)
    code.move(R4, 0)  # BPF_ANY
    code.call(_MAP_UPDATE)
    moment.count_lost()
    code.place(none)


def _take_room(moment: Moment, maps: Maps) -> None:
    """Where the plan has room bring it from the entry into the scratch, 0 where it is lost."""
    code, none, kept = moment.code, moment.code.label(), moment.code.label()
    for number in {number for number, _, _ in _plans_with_room(moment)}:
        code.jump_if(R9, Condition.EQ, number, kept)
    code.jump(none)
    code.place(kept)
    code.store(Width.U32, R6, ROOM, 0)
    _unless_room(moment, none)
    code.load_map(R1, maps.rooms)
    moment.tid_address(R2)
    code.call(MAP_LOOKUP)
    code.jump_if(R0, Condition.EQ, 0, none)
    code.load(Width.U32, R1, R0, 0)
    code.store(Width.U32, R6, ROOM, R1)
    code.load_map(R1, maps.rooms)
    moment.tid_address(R2)
    code.call(_MAP_DELETE)
    code.place(none)
