"""BPF code that finds calls by the i386 table, at the beginning of the programs of all calls.

The tracepoints of a call's own are not for these, and the raw ones are for every call: to have the
kernel make events of all and discard nearly all again costs a call a third of a microsecond. Here
it costs one load: while such a call lasts, the kernel has TS_COMPAT set for the thread.
Source: the kernel's arch/x86/include/asm/thread_info.h.

Of a process the first call of each kind is recorded, with its return. If too many processes make
such calls for the map that knows of them, more are.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.btf import Btf
from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Register, Width
from lab.kernel.trace.bpf.plans import NUMBER_LIMIT
from lab.kernel.trace.bpf.records import COMPAT_RECORD

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register

# enum bpf_func_id
_MAP_LOOKUP, _MAP_UPDATE = 1, 2
_KTIME_GET_NS = 5
_GET_CURRENT_PID_TGID = 14
_PROBE_READ_KERNEL = 113
_RINGBUF_OUTPUT = 130
_GET_CURRENT_TASK_BTF = 158  # since Linux 5.11; its members can be loaded without a helper

_NO_EXIST, _EXISTS = 1, -17  # BPF_NOEXIST, -EEXIST
_TS_COMPAT = 0x2
_LEVELS = 33
"""How deep pid namespaces can be (MAX_PID_NS_LEVEL), and the initial one."""

# struct pt_regs, arch/x86/include/uapi/asm/ptrace.h: what is copied, from bp to orig_rax; and in
# it ebx, ecx, edx, esi, edi, ebp (syscall(2)).
_FIRST, _REGISTERS_BYTES, _NUMBER_AT = 32, 96, 88
_ARGUMENTS = (8, 56, 64, 72, 80, 0)

KEY_BYTES = 16
"""A key of the map of what was made: when the process began, a u64, its pid and the number."""

# The stack.
_TID = -8  # a value of the map of what was made
_READ = -16  # what was read from the kernel's memory last
_KEY = _READ - KEY_BYTES
_REGISTERS = _KEY - _REGISTERS_BYTES
_RECORD = _REGISTERS - COMPAT_RECORD.size


@frozen
class CompatOffsets:
    """Of the members that the code reads, in bytes."""

    status: int
    leader: int
    began: int
    thread_pid: int
    level: int
    numbers: int
    namespace: int
    """In a struct upid, whose last member it is."""
    inode: int

    @classmethod
    def of(cls, btf: Btf) -> CompatOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        status = btf.offset("thread_info", "status")
        info, *of_task = btf.offsets(
            "task_struct", "thread_info", "group_leader", "start_time", "thread_pid"
        )
        of_pid = btf.offsets("pid", "level", "numbers")
        inode = btf.offset("pid_namespace", "ns") + btf.offset("ns_common", "inum")
        return cls(*(info + status, *of_task, *of_pid, btf.offset("upid", "ns"), inode))


@frozen
class CompatMaps:
    """Descriptors of the maps that this code uses, and what it has to know of this machine."""

    numbers: int
    """An array of one value: from 2 * NUMBER_LIMIT on, at each number in the i386 table whether
    its calls are wanted."""
    made: int
    """By KEY_BYTES: the tid of who made the first call of that kind, until it has returned; 0."""
    ring: int
    lost: int
    """An array of one value, of twice 64 bits: the second, how many records did not fit."""
    inside: int
    """An array of one value, a PidNamespace: whose calls are wanted, and of those beneath it."""
    offsets: CompatOffsets


def record_compat_call(code: Code, maps: CompatMaps, end: int, *, at_exit: bool) -> None:
    """If the call is one by the i386 table, record it if it is wanted, and jump to `end`.

    R6 is the tracepoint's context, R8 at the exit the call's result: both are kept.
    """
    native = code.label()
    offsets = maps.offsets
    code.call(_GET_CURRENT_TASK_BTF)
    code.load(Width.U32, R1, R0, offsets.status)
    code.calculate(Calculation.AND, R1, _TS_COMPAT)
    code.jump_if(R1, Condition.EQ, 0, native)
    code.move(R9, R0)
    _copy_registers(code)
    code.load(Width.U32, R7, STACK, _REGISTERS + _NUMBER_AT)
    code.jump_if(R7, Condition.GE, NUMBER_LIMIT, end)
    code.load_map_value(R1, maps.numbers)
    code.add(R1, R7)
    code.load(Width.U8, R1, R1, 2 * NUMBER_LIMIT)
    code.jump_if(R1, Condition.EQ, 0, end)
    _end_unless_inside(code, maps, end)
    _make_key(code, offsets)
    if at_exit:
        _end_unless_recorded(code, maps, end)
    else:
        _end_if_made(code, maps, end)
    _put_record(code, maps, end, at_exit=at_exit)
    code.place(native)


def _copy_registers(code: Code) -> None:
    code.stack_address(R1, _REGISTERS)
    code.move(R2, _REGISTERS_BYTES)
    code.load(Width.U64, R3, R6, 0)  # struct pt_regs *
    code.add(R3, _FIRST)
    code.call(_PROBE_READ_KERNEL)


def _end_unless_inside(code: Code, maps: CompatMaps, end: int) -> None:
    """R6 is overwritten. A process is known to each pid namespace above its own as well."""
    offsets, inside = maps.offsets, code.label()
    code.load_map_value(R1, maps.inside)
    code.load(Width.U64, R1, R1, 8)
    code.jump_if(R1, Condition.EQ, 0, end)  # nowhere
    code.load(Width.U64, R6, R9, offsets.thread_pid)
    for level in range(_LEVELS):
        code.load(Width.U32, R1, R6, offsets.level)
        code.jump_if(R1, Condition.LT, level, end)
        code.move(R3, R6)
        code.add(R3, offsets.numbers + level * (offsets.namespace + 8) + offsets.namespace)
        _read(code, 8)
        code.load(Width.U64, R3, STACK, _READ)
        code.add(R3, offsets.inode)
        _read(code, 4)
        code.load(Width.U32, R1, STACK, _READ)
        code.load_map_value(R2, maps.inside)
        code.load(Width.U64, R2, R2, 8)  # its inode
        code.jump_if(R1, Condition.EQ, R2, inside)
    code.jump(end)
    code.place(inside)


def _read(code: Code, size: int) -> None:
    """Read so many bytes of the kernel's memory at R3; zeros where that fails."""
    code.stack_address(R1, _READ)
    code.move(R2, size)
    code.call(_PROBE_READ_KERNEL)


def _make_key(code: Code, offsets: CompatOffsets) -> None:
    """Also keep the tid. Pids are used again, but not within the same nanosecond."""
    code.load(Width.U64, R1, R9, offsets.leader)
    code.load(Width.U64, R1, R1, offsets.began)
    code.store(Width.U64, STACK, _KEY, R1)
    code.call(_GET_CURRENT_PID_TGID)
    code.store(Width.U64, STACK, _TID, 0)
    code.store(Width.U32, STACK, _TID, R0)
    code.calculate(Calculation.RSH, R0, 32)
    code.store(Width.U32, STACK, _KEY + 8, R0)
    code.store(Width.U32, STACK, _KEY + 12, R7)


def _end_if_made(code: Code, maps: CompatMaps, end: int) -> None:
    code.load_map(R1, maps.made)
    code.stack_address(R2, _KEY)
    code.stack_address(R3, _TID)
    code.move(R4, _NO_EXIST)
    code.call(_MAP_UPDATE)
    code.jump_if(R0, Condition.EQ, _EXISTS, end)


def _end_unless_recorded(code: Code, maps: CompatMaps, end: int) -> None:
    unknown = code.label()
    code.load_map(R1, maps.made)
    code.stack_address(R2, _KEY)
    code.call(_MAP_LOOKUP)
    code.jump_if(R0, Condition.EQ, 0, unknown)
    code.load(Width.U32, R1, R0, 0)
    code.load(Width.U32, R2, STACK, _TID)
    code.jump_if(R1, Condition.NE, R2, end)
    code.store(Width.U32, R0, 0, 0)
    code.place(unknown)


def _put_record(code: Code, maps: CompatMaps, end: int, *, at_exit: bool) -> None:
    """There are few of them: the ring's reader is woken by each that finds it empty."""
    code.call(_KTIME_GET_NS)
    code.store(Width.U64, STACK, _RECORD, R0)
    code.load(Width.U32, R1, STACK, _TID)
    code.store(Width.U32, STACK, _RECORD + 8, R1)
    code.store(Width.U16, STACK, _RECORD + 12, R7)
    code.store(Width.U16, STACK, _RECORD + 14, int(at_exit))
    code.store(Width.U64, STACK, _RECORD + 16, R8)
    for number, at in enumerate(_ARGUMENTS):
        code.load(Width.U64, R1, STACK, _REGISTERS + at)
        code.store(Width.U64, STACK, _RECORD + 24 + 8 * number, R1)
    code.load_map(R1, maps.ring)
    code.stack_address(R2, _RECORD)
    code.move(R3, COMPAT_RECORD.size)
    code.move(R4, 0)
    code.call(_RINGBUF_OUTPUT)
    code.jump_if(R0, Condition.EQ, 0, end)
    code.load_map_value(R1, maps.lost)
    code.move(R2, 1)
    code.add_atomically(R1, 8, R2)
    code.jump(end)
