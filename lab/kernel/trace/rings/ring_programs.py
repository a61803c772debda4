"""The BPF programs at io_uring's tracepoints.

One runs where a ring is made: if a process of the run's pid namespace makes it, it is noted. The
others look their ring up among these first, whoever runs: the kernel's own threads submit and
complete requests as well. Nothing runs while nobody uses io_uring.

A request is read from the ring's queue when the kernel has just taken it from there (io_get_sqe,
io_uring/io_uring.c), with the memory that its pointers point to if the kernel reads that. What the
kernel has written is read when the request is completed, if a thread of the same process runs
then. A completed request's file names its socket.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.btf import Btf
from lab.kernel.trace.bpf.builder import choose_wake_up, output_record
from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Helper, Register, Width
from lab.kernel.trace.bpf.copies import Copies
from lab.kernel.trace.bpf.inside import (
    STACK_BYTES,
    TaskOffsets,
    end_unless_inside,
)
from lab.kernel.trace.rings.ring_records import (
    COMPLETED,
    COMPLETION_FLAGS,
    CREATED,
    FLAGS,
    HEADER,
    INODE,
    IS_READ,
    KIND,
    MODE,
    OPCODE,
    PID,
    REGISTERED,
    REQUEST_AT,
    RESULT,
    RING,
    SOCK,
    SQE,
    SUBMITTED,
    TID,
    TIME,
    USER_DATA,
)
from lab.syscalls.rings import BUFFER_SELECT, OPERATIONS, REQUEST_BYTES

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register


_SQE128, _NO_SQARRAY = 1 << 10, 1 << 16  # IORING_SETUP_…

# The stack.
_READ = -16  # what was read from the kernel's memory last: 16 bytes
_KEY = -24  # a map's key, of 64 bits
_KEPT = -40  # a value of the map of requests
_CONTEXT = -48  # where the tracepoint's arguments are
_INSIDE = _CONTEXT - STACK_BYTES

KEPT_BYTES = 16
"""A value of the map of requests: where it receives to, a u64, and its process, a u32."""

_S_IFMT, _S_IFSOCK = 0o170000, 0o140000
_FD, _OFF, _ADDR, _LEN, _ADDR_LEN, _SQE_FLAGS = 4, 8, 16, 24, 44, 1
"""Where struct io_uring_sqe has them."""

_BY_NAME = {operation.name: opcode for opcode, operation in OPERATIONS.items()}
_SENDS_BYTES = [_BY_NAME[name] for name in ("send", "send_zc", "write", "write_fixed")]
_SENDS_TO = [_BY_NAME[name] for name in ("send", "send_zc")]
_ADDRESSED = [_BY_NAME[name] for name in ("connect", "bind")]
_SENDS_MESSAGE = [_BY_NAME[name] for name in ("sendmsg", "sendmsg_zc")]
_SENDS_VECTOR = [_BY_NAME["writev"]]
_RECEIVES = [_BY_NAME[name] for name in ("recv", "read", "read_fixed")]


@frozen
class RingOffsets:
    """Of the members that the programs read, in bytes."""

    request_ring: int
    request_opcode: int
    request_flags: int
    request_completion: int
    request_file: int
    ring_flags: int
    ring_array: int
    ring_requests: int
    ring_head: int
    ring_entries: int
    file_inode: int
    file_private: int
    inode_mode: int
    inode_number: int
    socket_sock: int

    @classmethod
    def of(cls, btf: Btf) -> RingOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        of_request = btf.offsets("io_kiocb", "ctx", "opcode", "flags", "cqe", "file")
        of_ring = btf.offsets(
            "io_ring_ctx", "flags", "sq_array", "sq_sqes", "cached_sq_head", "sq_entries"
        )
        of_file = btf.offsets("file", "f_inode", "private_data")
        of_inode = btf.offsets("inode", "i_mode", "i_ino")
        sock = btf.offset("socket", "sk")
        return cls(*(*of_request, *of_ring, *of_file, *of_inode, sock))


@frozen
class RingMaps:
    """Descriptors of the maps that the programs share."""

    rings: int
    """By a ring's address, a u64: those of the run."""
    requests: int
    """By a request's address, a u64: those that receive to a place that is known."""
    scratch: int
    """An array of one value for each processor."""
    ring: int
    lost: int
    """An array of one value, of 64 bits: how many records did not fit."""
    followed: int
    """The map of FollowedNamespace: whose rings they are."""
    tasks: TaskOffsets


class _Builder:
    """What all of them do. R6 is the scratch, R7 the request, R9 the ring."""

    def __init__(self, maps: RingMaps, offsets: RingOffsets) -> None:
        self.code = Code()
        self.end = self.code.label()
        self.offsets = offsets
        self.maps = maps
        # At the entry of a call, for which R8 is free; nothing has room.
        self.copies = Copies(self.code, False)
        self.code.store(Width.U64, STACK, _CONTEXT, R1)
        self.code.move(R6, R1)

    def read(self, pointer: Register, offset: int, size: int) -> None:
        """Read so many bytes of the kernel's memory to the stack; zeros where that fails."""
        code = self.code
        code.move(R3, pointer)
        code.add(R3, offset)
        self.code.stack_address(R1, _READ)
        code.move(R2, size)
        code.call(Helper.PROBE_READ_KERNEL)

    def read_into(self, target: Register, pointer: Register, offset: int, width: Width) -> None:
        """`target` becomes the number at that offset of what `pointer` points to."""
        size = {Width.U8: 1, Width.U16: 2, Width.U32: 4, Width.U64: 8}[width]
        self.read(pointer, offset, size)
        self.code.load(width, target, STACK, _READ)

    def find_ring(self) -> None:
        """End the program unless the ring at R9 is one of the run's."""
        self.look_up(self.maps.rings, R9)
        self.code.jump_if(R0, Condition.EQ, 0, self.end)

    def look_up(self, map_: int, key: Register | int) -> None:
        """R0 becomes the address of the map's value for the key, or 0."""
        self.code.store(Width.U64, STACK, _KEY, key)
        self.code.load_map(R1, map_)
        self.code.stack_address(R2, _KEY)
        self.code.call(Helper.MAP_LOOKUP)

    def delete(self, map_: int, key: Register) -> None:
        """Remove the map's value for the key, if there is one."""
        self.code.store(Width.U64, STACK, _KEY, key)
        self.code.load_map(R1, map_)
        self.code.stack_address(R2, _KEY)
        self.code.call(Helper.MAP_DELETE)

    def put(self, map_: int, key: Register, value: int) -> None:
        """Set the map's value for the key to what is there on the stack, or count a loss."""
        code, kept = self.code, self.code.label()
        code.store(Width.U64, STACK, _KEY, key)
        code.load_map(R1, map_)
        self.code.stack_address(R2, _KEY)
        self.code.stack_address(R3, value)
        code.move(R4, 0)  # BPF_ANY
        code.call(Helper.MAP_UPDATE)
        code.jump_if(R0, Condition.EQ, 0, kept)
        self._count_lost()
        code.place(kept)

    def begin_record(self, kind: int) -> None:
        """R6 becomes the scratch, with a header that has what all records have."""
        code = self.code
        self.look_up(self.maps.scratch, 0)
        code.jump_if(R0, Condition.EQ, 0, self.end)
        code.move(R6, R0)
        for at in range(0, HEADER.size, 8):
            code.store(Width.U64, R6, at, 0)
        code.call(Helper.KTIME_GET_TAI_NS)
        code.store(Width.U64, R6, TIME, R0)
        code.call(Helper.GET_CURRENT_PID_TGID)
        code.store(Width.U32, R6, TID, R0)
        code.calculate(Calculation.RSH, R0, 32)
        code.store(Width.U32, R6, PID, R0)
        code.store(Width.U16, R6, KIND, kind)
        code.store(Width.U64, R6, RING, R9)
        self.copies.begin(HEADER.size)

    def argument(self, target: Register, number: int) -> None:
        """`target` becomes the tracepoint's argument."""
        self.code.load(Width.U64, target, STACK, _CONTEXT)
        self.code.load(Width.U64, target, target, 8 * number)

    def note_request(self) -> None:
        """Write what the struct io_kiocb at R7 says of itself."""
        code, offsets = self.code, self.offsets
        code.store(Width.U64, R6, REQUEST_AT, R7)
        self.read_into(R1, R7, offsets.request_opcode, Width.U8)
        code.store(Width.U8, R6, OPCODE, R1)
        # Those of a submission are the first 32; before Linux 6.10 there are no others.
        self.read_into(R1, R7, offsets.request_flags, Width.U32)
        code.store(Width.U64, R6, FLAGS, R1)

    def jump_if_among(self, opcodes: list[int], label: int) -> None:
        """Jump if the request in the record is of one of these operations."""
        self.code.load(Width.U8, R1, R6, SQE)
        for opcode in opcodes:
            self.code.jump_if(R1, Condition.EQ, opcode, label)

    def finish(self) -> bytes:
        """Put the record into the ring, or count it as lost; the whole program."""
        code = self.code
        choose_wake_up(code, self.maps.ring)
        self.copies.length(R3)
        output_record(code, self.maps.ring, self.maps.lost, R6, self.end)
        code.place(self.end)
        code.move(R0, 0)
        code.exit()
        return code.assemble()

    def _count_lost(self) -> None:
        code = self.code
        code.load_map_value(R1, self.maps.lost)
        code.move(R2, 1)
        code.add_atomically(R1, 0, R2)


def created_program(maps: RingMaps, offsets: RingOffsets) -> bytes:
    """The program at io_uring_create: a record for each ring of the pid namespace.

    A ring that another process makes may lie where one of the run's was.
    """
    builder = _Builder(maps, offsets)
    code, outside, inside = builder.code, builder.code.label(), builder.code.label()
    builder.argument(R9, 1)
    code.call(Helper.GET_CURRENT_TASK_BTF)
    end_unless_inside(code, maps.followed, maps.tasks, _INSIDE, outside, is_hot=False)
    code.jump(inside)
    code.place(outside)
    builder.delete(maps.rings, R9)
    code.jump(builder.end)
    code.place(inside)
    code.store(Width.U64, STACK, _KEPT, 1)
    builder.put(maps.rings, R9, _KEPT)
    builder.begin_record(CREATED)
    builder.argument(R1, 0)
    code.store(Width.U32, R6, RESULT, R1)
    return builder.finish()


def submitted_program(maps: RingMaps, offsets: RingOffsets, request: int) -> bytes:
    """The program where a request is submitted, or fails to be.

    `request` is the place of the struct io_kiocb among the tracepoint's arguments.
    """
    builder = _Builder(maps, offsets)
    code, unread = builder.code, builder.code.label()
    builder.argument(R7, request)
    builder.read_into(R9, R7, offsets.request_ring, Width.U64)
    builder.find_ring()
    builder.begin_record(SUBMITTED)
    builder.note_request()
    builder.read_into(R1, R7, offsets.request_completion, Width.U64)
    code.store(Width.U64, R6, USER_DATA, R1)
    builder.delete(maps.requests, R7)
    _read_request(builder, unread)
    _read_memory(builder, unread)
    code.place(unread)
    return builder.finish()


def _read_request(builder: _Builder, unread: int) -> None:
    """Copy the struct io_uring_sqe into the record."""
    code, offsets = builder.code, builder.offsets
    whole, single = code.label(), code.label()
    # R8 becomes the kernel's place in its queue, one before the next; then the request's; then its
    # address. The number of entries is kept where the request will be.
    builder.read_into(R8, R9, offsets.ring_entries, Width.U32)
    code.store(Width.U64, R6, SQE, R8)
    builder.read_into(R8, R9, offsets.ring_head, Width.U32)
    code.load(Width.U64, R1, R6, SQE)
    code.calculate(Calculation.SUB, R1, 1)
    code.calculate(Calculation.SUB, R8, 1)
    code.calculate(Calculation.AND, R8, R1)
    builder.read_into(R1, R9, offsets.ring_flags, Width.U32)
    code.calculate(Calculation.AND, R1, _NO_SQARRAY)
    code.jump_if(R1, Condition.NE, 0, whole)
    builder.read_into(R1, R9, offsets.ring_array, Width.U64)
    code.calculate(Calculation.MUL, R8, 4)
    code.add(R8, R1)
    builder.read_into(R8, R8, 0, Width.U32)
    code.load(Width.U64, R1, R6, SQE)
    code.jump_if(R8, Condition.GE, R1, unread)
    code.place(whole)
    builder.read_into(R1, R9, offsets.ring_flags, Width.U32)
    code.calculate(Calculation.AND, R1, _SQE128)
    code.jump_if(R1, Condition.EQ, 0, single)
    code.calculate(Calculation.MUL, R8, 2)
    code.place(single)
    code.calculate(Calculation.MUL, R8, REQUEST_BYTES)
    builder.read_into(R1, R9, offsets.ring_requests, Width.U64)
    code.add(R8, R1)
    code.move(R1, R6)
    code.add(R1, SQE)
    code.move(R2, REQUEST_BYTES)
    code.move(R3, R8)
    code.call(Helper.PROBE_READ_KERNEL)
    code.jump_if(R0, Condition.NE, 0, unread)
    code.store(Width.U8, R6, IS_READ, 1)


def _read_memory(builder: _Builder, done: int) -> None:
    """Copy what the kernel will read, or keep where it will write."""
    code, copies = builder.code, builder.copies
    code.load(Width.U8, R1, R6, SQE + _SQE_FLAGS)
    code.calculate(Calculation.AND, R1, BUFFER_SELECT)
    code.jump_if(R1, Condition.NE, 0, done)
    sends, addressed, message, vector, receives = (code.label() for _ in range(5))
    builder.jump_if_among(_SENDS_BYTES, sends)
    builder.jump_if_among(_ADDRESSED, addressed)
    builder.jump_if_among(_SENDS_MESSAGE, message)
    builder.jump_if_among(_SENDS_VECTOR, vector)
    builder.jump_if_among(_RECEIVES, receives)
    code.jump(done)
    code.place(sends)
    _copy(builder, 1, _ADDR, _LEN, Width.U32)
    to = code.label()
    builder.jump_if_among(_SENDS_TO, to)
    code.jump(done)
    code.place(to)
    _copy(builder, 4, _OFF, _ADDR_LEN, Width.U16)
    code.jump(done)
    code.place(addressed)
    _copy(builder, 1, _ADDR, _OFF, Width.U32)
    code.jump(done)
    code.place(message)
    code.load(Width.U64, R3, R6, SQE + _ADDR)
    copies.message(1)
    code.jump(done)
    code.place(vector)
    code.load(Width.U64, R3, R6, SQE + _ADDR)
    code.load(Width.U32, R2, R6, SQE + _LEN)
    copies.vectors(1, "")
    code.jump(done)
    code.place(receives)
    code.load(Width.U64, R1, R6, SQE + _ADDR)
    code.store(Width.U64, STACK, _KEPT, R1)
    code.load(Width.U32, R1, R6, PID)
    code.store(Width.U64, STACK, _KEPT + 8, R1)
    builder.put(builder.maps.requests, R7, _KEPT)


def _copy(builder: _Builder, argument: int, pointer: int, length: int, width: Width) -> None:
    """Append the bytes at a pointer of the request, as long as another field says."""
    code = builder.code
    code.load(Width.U64, R3, R6, SQE + pointer)
    code.load(width, R2, R6, SQE + length)
    code.move(R4, R2)
    builder.copies.bytes(argument, "")


def completed_program(maps: RingMaps, offsets: RingOffsets, *, has_fields: bool) -> bytes:
    """The program at io_uring_complete.

    With `has_fields` the tracepoint's arguments from the third on are user_data, result and flags;
    else the third points to a struct io_uring_cqe, as since Linux 6.15.
    """
    builder = _Builder(maps, offsets)
    code, put = builder.code, builder.code.label()
    builder.argument(R9, 0)
    builder.find_ring()
    builder.argument(R7, 1)
    builder.begin_record(COMPLETED)
    if has_fields:
        for number, (width, at) in enumerate(_OF_COMPLETION, 2):
            builder.argument(R1, number)
            code.store(width, R6, at, R1)
    else:
        builder.argument(R8, 2)
        builder.read(R8, 0, 16)
        for (width, at), place in zip(_OF_COMPLETION, (0, 8, 12), strict=True):
            code.load(width, R1, STACK, _READ + place)
            code.store(width, R6, at, R1)
    code.jump_if(R7, Condition.EQ, 0, put)
    builder.note_request()
    _name_file(builder)
    _read_received(builder, put)
    code.place(put)
    return builder.finish()


_OF_COMPLETION = (
    (Width.U64, USER_DATA),
    (Width.U32, RESULT),
    (Width.U32, COMPLETION_FLAGS),
)


def overflown_program(maps: RingMaps, offsets: RingOffsets) -> bytes:
    """The program at io_uring_cqe_overflow: a completion for which the queue has no room."""
    builder = _Builder(maps, offsets)
    builder.argument(R9, 0)
    builder.find_ring()
    builder.begin_record(COMPLETED)
    for number, (width, at) in enumerate(_OF_COMPLETION, 1):
        builder.argument(R1, number)
        builder.code.store(width, R6, at, R1)
    return builder.finish()


def registered_program(maps: RingMaps, offsets: RingOffsets) -> bytes:
    """The program at io_uring_register: a record of which ring the call was about."""
    builder = _Builder(maps, offsets)
    builder.argument(R9, 0)
    builder.find_ring()
    builder.begin_record(REGISTERED)
    return builder.finish()


def _name_file(builder: _Builder) -> None:
    """Write which file the request at R7 has used, if it has one."""
    code, offsets, none = builder.code, builder.offsets, builder.code.label()
    builder.read_into(R8, R7, offsets.request_file, Width.U64)
    code.jump_if(R8, Condition.EQ, 0, none)
    builder.read_into(R1, R8, offsets.file_inode, Width.U64)
    code.store(Width.U64, R6, INODE, R1)
    builder.read_into(R1, R1, offsets.inode_mode, Width.U16)
    code.store(Width.U32, R6, MODE, R1)
    code.load(Width.U64, R1, R6, INODE)
    builder.read_into(R1, R1, offsets.inode_number, Width.U64)
    code.store(Width.U64, R6, INODE, R1)
    code.load(Width.U32, R1, R6, MODE)
    code.calculate(Calculation.AND, R1, _S_IFMT)
    code.jump_if(R1, Condition.NE, _S_IFSOCK, none)
    builder.read_into(R8, R8, offsets.file_private, Width.U64)
    builder.read_into(R1, R8, offsets.socket_sock, Width.U64)
    code.store(Width.U64, R6, SOCK, R1)
    code.place(none)


def _read_received(builder: _Builder, done: int) -> None:
    """Copy what the kernel has written, if that is this process's memory."""
    code, forget = builder.code, builder.code.label()
    builder.look_up(builder.maps.requests, R7)
    code.jump_if(R0, Condition.EQ, 0, done)
    code.load(Width.U32, R2, R6, PID)
    code.load(Width.U32, R1, R0, 8)
    code.jump_if(R1, Condition.NE, R2, forget)
    code.load(Width.U64, R3, R0, 0)
    code.load(Width.U32, R2, R6, RESULT)
    code.jump_if(R2, Condition.GT, 0x7FFFFFFF, forget)
    code.move(R4, R2)
    builder.copies.bytes(1, "")
    code.place(forget)
    builder.delete(builder.maps.requests, R7)
