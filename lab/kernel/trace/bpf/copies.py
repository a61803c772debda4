"""BPF code that copies a program's memory into the record being written.

The verifier accepts an address only if its offset is bounded, by a mask just before it is used.
It checks every path again whose registers may hold other values. Therefore lengths and offsets
that depend on the path are kept in the scratch, not in registers or on the stack: the verifier
assumes nothing about what is loaded from a map, so that the paths join again. This makes loading
the programs ten times faster.
"""

from __future__ import annotations

from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Helper, Register, Width
from lab.kernel.trace.bpf.plans import RECORD_LIMIT_BYTES
from lab.kernel.trace.bpf.records import PARTS, SECTION_HEADER
from lab.records import MEMORY_LIMIT_BYTES
from lab.syscalls.table import MMSGHDR_BYTES, MOST_MESSAGES, MSG_LEN_AT, MSG_LEN_BYTES

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register


VECTORS_LIMIT = 8
"""How many struct iovec of a call are read."""

# The scratch: the record, then these variables.
_OFFSET_MASK = 0x3FF
_LENGTH_MASK = 0xFF
_USED = 1296  # how many bytes of the record are written
_TAKEN = 1304  # how many bytes are being copied
_LEFT = 1312  # how many more bytes the section may have
_SECTION = 1320  # offset of the section that is still growing
_VECTORS = 1328
_MESSAGE = _VECTORS + VECTORS_LIMIT * 16
_MESSAGE_BYTES = 56
ROOM = _MESSAGE + _MESSAGE_BYTES
"""At the exit: a u32 kept at the entry, how much the kernel was allowed to write."""
SCRATCH_BYTES = ROOM + 8

# struct iovec: iov_base, iov_len; the offsets in struct msghdr (recvmsg(2)).
_VECTOR_BYTES, _VECTOR_LENGTH = 16, 8
_NAME, NAME_LENGTH, _DATA, _DATA_COUNT, _CONTROL, _CONTROL_LENGTH = 0, 8, 16, 24, 32, 40

assert RECORD_LIMIT_BYTES <= _OFFSET_MASK
assert MEMORY_LIMIT_BYTES <= _LENGTH_MASK
assert _OFFSET_MASK + SECTION_HEADER.size + _LENGTH_MASK <= _USED


class Copies:
    """Appends code that copies memory, for the entry or the exit of calls.

    R6 is the scratch; R8 is the call's result at the exit, free at the entry. R0 to R5 are
    overwritten.
    """

    def __init__(self, code: Code, at_exit: bool) -> None:
        self._code = code
        self._at_exit = at_exit

    def begin(self, header_bytes: int) -> None:
        """Begin a record that has its header and no section."""
        self._code.store(Width.U64, R6, _USED, header_bytes)

    def length(self, target: Register) -> None:
        """`target` becomes the record's length."""
        self._code.load(Width.U64, target, R6, _USED)
        self._code.calculate(Calculation.AND, target, _OFFSET_MASK)

    def read_user(self) -> None:
        """Copy R2 bytes of the program's memory from R3 to R1; R0 becomes 0 if that worked.

        If it did not, zeros are copied.
        """
        self._code.call(Helper.PROBE_READ_USER)

    def bytes(self, argument: int, part: str) -> None:
        """Append a section: the first of the R2 bytes at R3, R4 at most. None if R3 is null."""
        code, skip = self._code, self._code.label()
        code.jump_if(R3, Condition.EQ, 0, skip)
        self._next_address(R1)
        code.store(Width.U64, R1, 0, R2)
        code.at_most(R2, R4)
        code.at_most(R2, MEMORY_LIMIT_BYTES)
        code.store(Width.U16, R1, 8, _place(argument, part))
        code.store(Width.U16, R1, 10, R2)
        code.add(R1, SECTION_HEADER.size)
        self._take()
        code.jump_if(R0, Condition.NE, 0, skip)
        self._use_taken(SECTION_HEADER.size)
        code.place(skip)

    def message(self, argument: int) -> None:
        """Append the sections of the struct msghdr at R3. ROOM limits its name."""
        code, skip = self._code, self._code.label()
        self._address(R1, _MESSAGE)
        code.move(R2, _MESSAGE_BYTES)
        self.read_user()
        code.jump_if(R0, Condition.NE, 0, skip)
        code.load(Width.U64, R3, R6, _MESSAGE + _NAME)
        code.load(Width.U32, R2, R6, _MESSAGE + NAME_LENGTH)
        if self._at_exit:
            code.load(Width.U32, R4, R6, ROOM)
        else:
            code.move(R4, R2)
        self.bytes(argument, "name")
        code.load(Width.U64, R3, R6, _MESSAGE + _DATA)
        code.load(Width.U64, R2, R6, _MESSAGE + _DATA_COUNT)
        self.vectors(argument, "data")
        code.load(Width.U64, R3, R6, _MESSAGE + _CONTROL)
        code.load(Width.U64, R2, R6, _MESSAGE + _CONTROL_LENGTH)
        code.move(R4, R2)
        self.bytes(argument, "control")
        code.place(skip)

    def vectors(self, argument: int, part: str) -> None:
        """Append a section: the first bytes of the buffers of the R2 struct iovec at R3.

        Its length is the call's result at the exit, the sum of the buffers' at the entry.
        """
        code, skip, done = self._code, self._code.label(), self._code.label()
        offsets = [_VECTORS + number * _VECTOR_BYTES for number in range(VECTORS_LIMIT)]
        for offset in offsets:
            code.store(Width.U64, R6, offset + _VECTOR_LENGTH, 0)
        code.at_most(R2, VECTORS_LIMIT)
        code.calculate(Calculation.MUL, R2, _VECTOR_BYTES)
        self._address(R1, _VECTORS)
        self.read_user()
        code.jump_if(R0, Condition.NE, 0, skip)
        if not self._at_exit:
            self._sum_lengths(offsets)
        self._begin_section(_place(argument, part))
        for offset in offsets:
            self._append_vector(offset, done)
        code.place(done)
        self._end_section()
        code.place(skip)

    def message_lengths(self, argument: int) -> None:
        """Append a section: the msg_len of each of the R8 struct mmsghdr at R3, if it has some.

        Only at the exit. R8 is overwritten.
        """
        code, skip, done = self._code, self._code.label(), self._code.label()
        code.jump_if(R3, Condition.EQ, 0, skip)
        code.jump_if(R8, Condition.EQ, 0, skip)
        code.store(Width.U64, R6, _VECTORS, R3)
        code.calculate(Calculation.MUL, R8, MSG_LEN_BYTES)
        self._begin_section(_place(argument, ""))
        for number in range(MOST_MESSAGES):
            code.load(Width.U64, R1, R6, _LEFT)
            code.jump_if(R1, Condition.EQ, 0, done)
            code.calculate(Calculation.SUB, R1, MSG_LEN_BYTES)
            code.store(Width.U64, R6, _LEFT, R1)
            code.load(Width.U64, R3, R6, _VECTORS)
            code.add(R3, number * MMSGHDR_BYTES + MSG_LEN_AT)
            code.move(R2, MSG_LEN_BYTES)
            self._next_address(R1)
            self._take()
            code.jump_if(R0, Condition.NE, 0, done)
            self._use_taken(0)
        code.place(done)
        self._end_section()
        code.place(skip)

    def _sum_lengths(self, offsets: list[int]) -> None:
        self._code.move(R8, 0)
        for offset in offsets:
            self._code.load(Width.U64, R1, R6, offset + _VECTOR_LENGTH)
            self._code.add(R8, R1)

    def _begin_section(self, place: int) -> None:
        """Begin a section of length R8 whose bytes are appended later."""
        code = self._code
        code.load(Width.U64, R1, R6, _USED)
        code.store(Width.U64, R6, _SECTION, R1)
        self._next_address(R1)
        code.store(Width.U64, R1, 0, R8)
        code.store(Width.U16, R1, 8, place)
        code.store(Width.U64, R6, _TAKEN, 0)
        self._use_taken(SECTION_HEADER.size)
        code.move(R1, R8)
        code.at_most(R1, MEMORY_LIMIT_BYTES)
        code.store(Width.U64, R6, _LEFT, R1)

    def _append_vector(self, offset: int, done: int) -> None:
        """Append the first bytes of one buffer; if they cannot be read, end the section."""
        code, skip = self._code, self._code.label()
        code.load(Width.U64, R2, R6, offset + _VECTOR_LENGTH)
        code.jump_if(R2, Condition.EQ, 0, skip)
        code.load(Width.U64, R1, R6, _LEFT)
        code.jump_if(R1, Condition.EQ, 0, done)
        code.at_most(R2, R1)
        code.calculate(Calculation.SUB, R1, R2)
        code.store(Width.U64, R6, _LEFT, R1)
        code.load(Width.U64, R3, R6, offset)
        self._next_address(R1)
        self._take()
        code.jump_if(R0, Condition.NE, 0, done)
        self._use_taken(0)
        code.place(skip)

    def _end_section(self) -> None:
        code = self._code
        code.load(Width.U64, R1, R6, _SECTION)
        code.load(Width.U64, R2, R6, _USED)
        code.calculate(Calculation.SUB, R2, R1)
        code.calculate(Calculation.SUB, R2, SECTION_HEADER.size)
        code.calculate(Calculation.AND, R1, _OFFSET_MASK)
        code.add(R1, R6)
        code.store(Width.U16, R1, 10, R2)

    def _address(self, target: Register, offset: int) -> None:
        self._code.move(target, R6)
        self._code.add(target, offset)

    def _next_address(self, target: Register) -> None:
        """`target` becomes the address of the end of the record."""
        self.length(target)
        self._code.add(target, R6)

    def _take(self) -> None:
        """Copy R2 bytes, at most MEMORY_LIMIT_BYTES, from R3 to R1, and keep how many in _TAKEN."""
        self._code.store(Width.U64, R6, _TAKEN, R2)
        self._code.load(Width.U64, R2, R6, _TAKEN)
        self._code.calculate(Calculation.AND, R2, _LENGTH_MASK)
        self.read_user()

    def _use_taken(self, more: int) -> None:
        """Lengthen the record by the bytes that were taken, and by `more` bytes."""
        code = self._code
        code.load(Width.U64, R1, R6, _USED)
        code.load(Width.U64, R2, R6, _TAKEN)
        code.add(R1, R2)
        code.add(R1, more)
        code.store(Width.U64, R6, _USED, R1)


def _place(argument: int, part: str) -> int:
    return argument | PARTS.index(part) << 8
