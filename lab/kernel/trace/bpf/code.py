"""BPF instructions, and an assembler for them with labels. Pure: the kernel is not needed.

An instruction has eight bytes: opcode, registers, a 16-bit offset, a 32-bit constant.
Source: RFC 9669, BPF Instruction Set Architecture; bpf-helpers(7).
"""

from __future__ import annotations

import enum
import struct
import sys

_INSTRUCTION = "BBhi"
_FIELDS = len(_INSTRUCTION)
_OFFSET = 2
"""Which of an instruction's fields says how far it jumps."""
_LITTLE_ENDIAN = sys.byteorder == "little"

# Classes of instructions, and whether the second operand is a register (RFC 9669, 3).
_LDX, _ST, _STX, _JMP, _ALU64 = 0x01, 0x02, 0x03, 0x05, 0x07
_REGISTER = 0x08
_MEM, _ATOMIC = 0x60, 0xC0
_LOAD_64 = 0x18
_JA, _CALL, _EXIT = 0x05, 0x85, 0x95

# What the constant of a 64-bit load means, given in the source register's bits (RFC 9669, 5.4).
_MAP, _MAP_VALUE = 1, 2


class Register(enum.IntEnum):
    """R0 holds results, R1 to R5 a helper's arguments; R6 to R9 survive a helper's call."""

    R0 = 0
    R1 = 1
    R2 = 2
    R3 = 3
    R4 = 4
    R5 = 5
    R6 = 6
    R7 = 7
    R8 = 8
    R9 = 9
    STACK = 10
    """The end of the 512 bytes of stack: its contents have negative offsets."""


class Width(enum.IntEnum):
    """How many bits are loaded or stored."""

    U32 = 0x00
    U16 = 0x08
    U8 = 0x10
    U64 = 0x18


class Calculation(enum.IntEnum):
    """An operation on 64 bits. Its result replaces its first operand."""

    ADD = 0x00
    SUB = 0x10
    MUL = 0x20
    AND = 0x50
    LSH = 0x60
    RSH = 0x70
    MOV = 0xB0
    SIGNED_RSH = 0xC0


class Condition(enum.IntEnum):
    """A comparison of 64-bit numbers, all but the last unsigned."""

    EQ = 0x10
    GT = 0x20
    GE = 0x30
    NE = 0x50
    LT = 0xA0
    LE = 0xB0
    SIGNED_LT = 0xC0


class Helper(enum.IntEnum):
    """The helpers that are called, by their numbers in enum bpf_func_id (bpf-helpers(7))."""

    MAP_LOOKUP = 1
    MAP_UPDATE = 2
    MAP_DELETE = 3
    GET_CURRENT_PID_TGID = 14
    PROBE_READ_USER = 112
    PROBE_READ_KERNEL = 113
    RINGBUF_OUTPUT = 130
    RINGBUF_QUERY = 134
    SKC_TO_TCP_SOCK = 137
    """Since Linux 5.9."""
    GET_CURRENT_TASK_BTF = 158
    """Since Linux 5.11; the members of the task can be loaded without a helper."""
    KTIME_GET_TAI_NS = 208
    """Since Linux 6.1."""


class Code:
    """A program being assembled. A label is a number from `label`, placed once by `place`."""

    def __init__(self) -> None:
        self._fields: list[int] = []
        """The instructions' fields, one after the other."""
        self._jumps: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._labels = 0

    def label(self) -> int:
        """A new label, not placed yet."""
        self._labels += 1
        return self._labels

    def place(self, label: int) -> None:
        """Set the label at the next instruction."""
        self._places[label] = len(self._fields)

    def calculate(
        self, calculation: Calculation, target: Register, operand: Register | int
    ) -> None:
        """`target` becomes `target calculation operand`; a constant has 32 bits, signed."""
        self._two_operands(_ALU64 | calculation, target, operand)

    def move(self, target: Register, value: Register | int) -> None:
        """`target` becomes the value."""
        self.calculate(Calculation.MOV, target, value)

    def add(self, target: Register, value: Register | int) -> None:
        """`target` becomes the sum."""
        self.calculate(Calculation.ADD, target, value)

    def stack_address(self, target: Register, offset: int) -> None:
        """`target` becomes the address there on the stack."""
        self.move(target, Register.STACK)
        self.add(target, offset)

    def load(self, width: Width, target: Register, pointer: Register, offset: int) -> None:
        """`target` becomes the number at that address, extended with zeros."""
        self._append(_LDX | _MEM | width, target, pointer, offset)

    def store(self, width: Width, pointer: Register, offset: int, value: Register | int) -> None:
        """Store the value's lowest bits at that address."""
        if isinstance(value, Register):
            self._append(_STX | _MEM | width, pointer, value, offset)
        else:
            self._append(_ST | _MEM | width, pointer, 0, offset, value)

    def add_atomically(self, pointer: Register, offset: int, value: Register) -> None:
        """Add to the 64-bit number at that address, atomically among all processors."""
        self._append(_STX | _ATOMIC | Width.U64, pointer, value, offset, Calculation.ADD)

    def load_map(self, target: Register, descriptor: int) -> None:
        """`target` becomes a reference to a map, as helpers take it."""
        self._load_64(target, _MAP, descriptor)

    def load_map_value(self, target: Register, descriptor: int) -> None:
        """`target` becomes the address of an array's first value. Since Linux 5.2."""
        self._load_64(target, _MAP_VALUE, descriptor)

    def jump(self, label: int) -> None:
        """Jump to the label."""
        self._jumps[len(self._fields)] = label
        self._append(_JA)

    def jump_if(
        self, first: Register, condition: Condition, second: Register | int, label: int
    ) -> None:
        """Jump to the label if the condition is true."""
        self._jumps[len(self._fields)] = label
        self._two_operands(_JMP | condition, first, second)

    def at_most(self, target: Register, limit: Register | int) -> None:
        """`target` becomes the lesser of the two, unsigned."""
        enough = self.label()
        self.jump_if(target, Condition.LE, limit, enough)
        self.move(target, limit)
        self.place(enough)

    def call(self, helper: Helper) -> None:
        """Call a helper; it overwrites R1 to R5."""
        self._append(_CALL, constant=helper)

    def exit(self) -> None:
        """End, with R0 as the result."""
        self._append(_EXIT)

    def assemble(self) -> bytes:
        """The program, its jumps resolved. Every label jumped to must have been placed."""
        fields = self._fields.copy()
        for place, label in self._jumps.items():
            fields[place + _OFFSET] = (self._places[label] - place) // _FIELDS - 1
        return struct.pack("=" + _INSTRUCTION * (len(fields) // _FIELDS), *fields)

    def _two_operands(self, code: int, first: Register, second: Register | int) -> None:
        if isinstance(second, Register):
            self._append(code | _REGISTER, first, second)
        else:
            self._append(code, first, constant=second)

    def _load_64(self, target: Register, kind: int, descriptor: int) -> None:
        self._append(_LOAD_64, target, kind, constant=descriptor)
        self._append(0)

    def _append(
        self, code: int, target: int = 0, source: int = 0, offset: int = 0, constant: int = 0
    ) -> None:
        registers = source << 4 | target if _LITTLE_ENDIAN else target << 4 | source
        self._fields += code, registers, offset, constant
