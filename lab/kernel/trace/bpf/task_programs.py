"""The BPF programs that record what threads do beside their calls, and what a call's socket was.

They run at the kernel's tracepoints task_newtask, sched_process_exec, sched_process_exit,
signal_deliver, sock_send_length and sock_recv_length. Their records are few, and wake nobody.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.btf import Btf
from lab.kernel.trace.bpf.builder import NO_WAKE_UP, TID_AT, Maps, output_record
from lab.kernel.trace.bpf.code import Code, Helper, Register, Width
from lab.kernel.trace.bpf.inside import (
    STACK_BYTES,
    end_unless_in_namespace,
    end_unless_inside,
    read_number,
)
from lab.kernel.trace.bpf.records import (
    BEFORE,
    BODY_AT,
    KIND_AT,
    LENGTH,
    NEW,
    NUMBER_AT,
    SIGNAL,
    RecordKind,
)

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register


# The stack, below the tid.
_READ = TID_AT - 8  # what was read from the kernel's memory last
_INSIDE = _READ - STACK_BYTES
_RECORD = _INSIDE - BODY_AT - max(each.size for each in (NEW, BEFORE, SIGNAL, LENGTH))
_BODY = _RECORD + BODY_AT


@frozen
class SignalOffsets:
    """Of the members of a struct sigaction, in bytes."""

    handler: int
    flags: int

    @classmethod
    def of(cls, btf: Btf) -> SignalOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        (action,) = btf.offsets("k_sigaction", "sa")
        handler, flags = btf.offsets("sigaction", "sa_handler", "sa_flags")
        return cls(action + handler, action + flags)


@frozen
class SocketOffsets:
    """Of the members of a struct sock, in bytes."""

    family: int
    protocol: int

    @classmethod
    def of(cls, btf: Btf) -> SocketOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        return cls(btf.offset("sock_common", "skc_family"), btf.offset("sock", "sk_protocol"))


class _TaskProgram:
    """What all of them do. R6 is the context."""

    def __init__(self, maps: Maps, kind: RecordKind, *, is_new: bool = True) -> None:
        self.code = code = Code()
        self.maps = maps
        self._end = code.label()
        code.move(R6, R1)
        code.call(Helper.GET_CURRENT_TASK_BTF)
        code.load(Width.U32, R1, R0, maps.offsets.tid)
        code.store(Width.U64, STACK, TID_AT, R1)
        where = maps.followed, maps.offsets, _INSIDE, self._end
        if is_new:
            end_unless_inside(code, *where, is_hot=False)
        else:
            end_unless_in_namespace(code, *where)
        code.call(Helper.KTIME_GET_TAI_NS)
        code.store(Width.U64, STACK, _RECORD, R0)
        code.load(Width.U64, R1, STACK, TID_AT)
        code.store(Width.U32, STACK, _RECORD + 8, R1)
        code.store(Width.U16, STACK, _RECORD + KIND_AT, kind)
        code.store(Width.U16, STACK, _RECORD + NUMBER_AT, 0)

    def argument(self, target: Register, number: int) -> None:
        """`target` becomes the tracepoint's argument."""
        self.code.load(Width.U64, target, R6, 8 * number)

    def read(self, pointer: Register, offset: int, size: int) -> None:
        """Read so many bytes of the kernel's memory to _READ; zeros where that fails."""
        code = self.code
        code.store(Width.U64, STACK, _READ, 0)
        code.move(R3, pointer)
        code.add(R3, offset)
        code.stack_address(R1, _READ)
        code.move(R2, size)
        code.call(Helper.PROBE_READ_KERNEL)

    def finish(self, body_bytes: int) -> bytes:
        """Put the record into the ring, or count it as lost; the whole program."""
        code, maps = self.code, self.maps
        code.stack_address(R7, _RECORD)
        code.move(R3, BODY_AT + body_bytes)
        code.move(R4, NO_WAKE_UP)
        output_record(code, maps.ring, maps.lost, R7, self._end)
        code.place(self._end)
        code.move(R0, 0)
        code.exit()
        return code.assemble()


def new_task_program(maps: Maps) -> bytes:
    """At task_newtask(task, clone_flags): the maker may be one that is not traced itself."""
    program = _TaskProgram(maps, RecordKind.NEW_TASK, is_new=False)
    code, offsets = program.code, maps.offsets
    program.argument(R7, 0)
    program.argument(R1, 1)
    code.store(Width.U64, STACK, _BODY, R1)
    program.read(R7, offsets.tid, 4)
    code.load(Width.U32, R1, STACK, _READ)
    code.store(Width.U32, STACK, _BODY + 8, R1)
    program.read(R7, offsets.thread_pid, 8)
    code.load(Width.U64, R1, STACK, _READ)
    read_number(code, maps.followed, offsets, _INSIDE, R1)
    code.store(Width.U32, STACK, _BODY + 12, R1)
    return program.finish(NEW.size)


def exec_program(maps: Maps) -> bytes:
    """At sched_process_exec(task, old_pid, bprm)."""
    program = _TaskProgram(maps, RecordKind.EXECUTED)
    program.argument(R1, 1)
    program.code.store(Width.U64, STACK, _BODY, R1)
    return program.finish(BEFORE.size)


def end_program(maps: Maps) -> bytes:
    """At sched_process_exit(task)."""
    return _TaskProgram(maps, RecordKind.ENDED).finish(0)


def signal_program(maps: Maps, offsets: SignalOffsets) -> bytes:
    """At signal_deliver(sig, info, ka)."""
    program = _TaskProgram(maps, RecordKind.SIGNALLED)
    code = program.code
    program.argument(R7, 2)
    for place, offset in enumerate((offsets.handler, offsets.flags)):
        program.read(R7, offset, 8)
        code.load(Width.U64, R1, STACK, _READ)
        code.store(Width.U64, STACK, _BODY + 8 * place, R1)
    return program.finish(SIGNAL.size)


def length_program(maps: Maps, kind: RecordKind, offsets: SocketOffsets) -> bytes:
    """At sock_send_length(sk, ret, flags), for SENT, or sock_recv_length, for RECEIVED."""
    # Of what older processes send the follower makes nothing: to look for them would cost more.
    program = _TaskProgram(maps, kind, is_new=False)
    code = program.code
    program.argument(R7, 0)
    code.store(Width.U64, STACK, _BODY, R7)
    for place, offset in enumerate((offsets.family, offsets.protocol)):
        program.read(R7, offset, 2)
        code.load(Width.U16, R1, STACK, _READ)
        code.store(Width.U16, STACK, _BODY + 8 + 2 * place, R1)
    for place in (1, 2):
        program.argument(R1, place)
        code.store(Width.U32, STACK, _BODY + 8 + 4 * place, R1)
    code.store(Width.U32, STACK, _BODY + 20, 0)
    return program.finish(LENGTH.size)


def task_programs(maps: Maps, btf: Btf) -> dict[str, bytes]:
    """The programs that follow threads, by their tracepoints. Raises KernelRefused."""
    return {
        "task_newtask": new_task_program(maps),
        "sched_process_exec": exec_program(maps),
        "sched_process_exit": end_program(maps),
        "signal_deliver": signal_program(maps, SignalOffsets.of(btf)),
    }


def length_programs(maps: Maps, btf: Btf) -> dict[str, bytes]:
    """The same of the tracepoints that kernels before Linux 6.3 lack. Raises KernelRefused."""
    offsets = SocketOffsets.of(btf)
    return {
        "sock_send_length": length_program(maps, RecordKind.SENT, offsets),
        "sock_recv_length": length_program(maps, RecordKind.RECEIVED, offsets),
    }
