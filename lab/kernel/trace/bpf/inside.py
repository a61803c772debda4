"""BPF code that distinguishes the processes that are traced from the machine's others.

Traced are those of one pid namespace and of the namespaces made inside it, if they have begun since
it is followed: the sandbox's init and the lab's other processes in it are older.

It runs at every system call of the machine that the lab records, so that what is cheap comes
first: when the process began, and how deep its pid namespace lies. Only then that is looked up.
Source: the kernel's include/linux/pid.h (struct pid, struct upid) and include/linux/sched.h.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.btf import Btf
from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Helper, Register, Width
from lab.kernel.trace.bpf.followed import ADDRESS_AT, DEPTH_AT, INODE_AT, SINCE_AT

R0, R1, R2, R3, R4, *_, STACK = Register


_UPID_BYTES = 16  # struct upid: a pid of 32 bits, and its namespace
_NAMESPACE_AT = 8
_DEPTH_MASK = 0x3F  # the deepest namespace lies at 32: MAX_PID_NS_LEVEL

STACK_BYTES = 40
"""How much of the stack the code uses."""
_UPID, _INODE, _DEPTH, _READ = 0, 16, 24, 32
"""Where in that."""


@frozen
class TaskOffsets:
    """Of the members that say who a thread is, in bytes."""

    tid: int
    leader: int
    began: int
    thread_pid: int
    depth: int
    upids: int
    inode: int

    @classmethod
    def of(cls, btf: Btf) -> TaskOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        of_task = btf.offsets("task_struct", "pid", "group_leader", "start_time", "thread_pid")
        of_pid = btf.offsets("pid", "level", "numbers")
        inode = btf.offset("pid_namespace", "ns") + btf.offset("ns_common", "inum")
        return cls(*(*of_task, *of_pid, inode))


def end_unless_inside(
    code: Code, followed: int, offsets: TaskOffsets, stack: int, end: int, *, is_hot: bool = True
) -> None:
    """Jump to `end` unless the running process is traced.

    R0 is its thread, a struct task_struct whose members can be loaded; R0 to R5 are overwritten.
    `followed` is the map of FollowedNamespace, `stack` where STACK_BYTES are free.

    A pointer that is loaded costs the kernel half a millisecond when it checks the program: it goes
    through the names of all of its types. In a program that is not `is_hot` pointers are read by a
    helper, which costs some ten nanoseconds whenever it runs.
    """
    code.load_map_value(R2, followed)
    code.load(Width.U64, R3, R2, INODE_AT)
    code.jump_if(R3, Condition.EQ, 0, end)
    if is_hot:
        code.load(Width.U64, R1, R0, offsets.leader)
        code.load(Width.U64, R3, R1, offsets.began)
    else:
        read_member(code, stack, R0, offsets.leader)
        code.store(Width.U64, STACK, stack + _UPID, R3)
        read_member(code, stack, R3, offsets.began)
        code.load_map_value(R2, followed)
    code.load(Width.U64, R4, R2, SINCE_AT)
    code.jump_if(R3, Condition.LT, R4, end)
    if is_hot:
        code.load(Width.U64, R1, R1, offsets.thread_pid)
        code.load(Width.U32, R3, R1, offsets.depth)
    else:
        code.load(Width.U64, R3, STACK, stack + _UPID)
        read_member(code, stack, R3, offsets.thread_pid)
        _find_depth(code, offsets, stack)
        code.load_map_value(R2, followed)
    _end_unless_of_namespace(code, followed, offsets, stack, end)


def end_unless_in_namespace(
    code: Code, followed: int, offsets: TaskOffsets, stack: int, end: int
) -> None:
    """The same for a process that may be older than what is followed; the program is not hot."""
    code.load_map_value(R2, followed)
    code.load(Width.U64, R3, R2, INODE_AT)
    code.jump_if(R3, Condition.EQ, 0, end)
    read_member(code, stack, R0, offsets.thread_pid)
    _find_depth(code, offsets, stack)
    code.load_map_value(R2, followed)
    _end_unless_of_namespace(code, followed, offsets, stack, end)


def _find_depth(code: Code, offsets: TaskOffsets, stack: int) -> None:
    """R1 becomes the struct pid at R3, and R3 how deep its namespace lies."""
    code.store(Width.U64, STACK, stack + _UPID, R3)
    code.add(R3, offsets.depth)
    _read(code, stack + _INODE, 4)
    code.load(Width.U64, R1, STACK, stack + _UPID)
    code.load(Width.U32, R3, STACK, stack + _INODE)


def _end_unless_of_namespace(
    code: Code, followed: int, offsets: TaskOffsets, stack: int, end: int
) -> None:
    """For a process's struct pid in R1, how deep it lies in R3, and the map's value in R2."""
    known, matched, own = code.label(), code.label(), code.label()
    code.load(Width.U64, R4, R2, DEPTH_AT)
    code.jump_if(R4, Condition.EQ, 0, own)
    code.calculate(Calculation.SUB, R4, 1)
    code.jump_if(R3, Condition.LT, R4, end)
    code.move(R3, R4)
    code.place(own)
    code.store(Width.U64, STACK, stack + _DEPTH, R3)
    # Linux 6.1 adds only what is bounded to a pointer whose type it knows.
    code.calculate(Calculation.AND, R3, _DEPTH_MASK)
    code.calculate(Calculation.MUL, R3, _UPID_BYTES)
    code.add(R3, R1)
    code.add(R3, offsets.upids)
    _read(code, stack + _UPID, _UPID_BYTES)
    code.load(Width.U64, R3, STACK, stack + _UPID + _NAMESPACE_AT)
    code.load_map_value(R2, followed)
    code.load(Width.U64, R4, R2, ADDRESS_AT)
    code.jump_if(R4, Condition.NE, 0, known)
    # The first: it is found by its inode, and then known by its address.
    code.add(R3, offsets.inode)
    _read(code, stack + _INODE, 4)
    code.load(Width.U32, R1, STACK, stack + _INODE)
    code.load_map_value(R2, followed)
    code.load(Width.U64, R3, R2, INODE_AT)
    code.jump_if(R1, Condition.NE, R3, end)
    code.load(Width.U64, R1, STACK, stack + _DEPTH)
    code.add(R1, 1)
    code.store(Width.U64, R2, DEPTH_AT, R1)
    code.load(Width.U64, R1, STACK, stack + _UPID + _NAMESPACE_AT)
    code.store(Width.U64, R2, ADDRESS_AT, R1)
    code.jump(matched)
    code.place(known)
    code.jump_if(R3, Condition.NE, R4, end)
    code.place(matched)


def read_number(code: Code, followed: int, offsets: TaskOffsets, stack: int, pid: Register) -> None:
    """R1 becomes the number of a struct pid in the pid namespace that is followed.

    It must be known by now. Zero where the struct cannot be read.
    """
    code.move(R3, pid)
    code.load_map_value(R2, followed)
    code.load(Width.U64, R4, R2, DEPTH_AT)
    code.calculate(Calculation.SUB, R4, 1)
    code.calculate(Calculation.MUL, R4, _UPID_BYTES)
    code.add(R3, R4)
    code.add(R3, offsets.upids)
    _read(code, stack + _UPID, 4)
    code.load(Width.U32, R1, STACK, stack + _UPID)


def read_member(code: Code, stack: int, pointer: Register, offset: int) -> None:
    """R3 becomes the member of 64 bits at that offset of what `pointer` points to.

    Zero where that cannot be read. Of the stack there are STACK_BYTES free.
    """
    code.store(Width.U64, STACK, stack + _READ, 0)
    code.move(R3, pointer)
    code.add(R3, offset)
    _read(code, stack + _READ, 8)
    code.load(Width.U64, R3, STACK, stack + _READ)


def _read(code: Code, to: int, size: int) -> None:
    """Copy so many bytes of the kernel's memory at R3 to the stack; zeros where that fails."""
    code.stack_address(R1, to)
    code.move(R2, size)
    code.call(Helper.PROBE_READ_KERNEL)
