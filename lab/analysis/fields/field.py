"""One field of a header: where it stands, what it holds, what that means."""

from __future__ import annotations

import enum
from ipaddress import IPv4Address, IPv6Address

from lab.frozen import frozen


class Form(enum.Enum):
    """How a field's value is written; the value is a mark that documents use."""

    DECIMAL = "d"
    HEX = "x"
    IPV4 = "4"
    IPV6 = "6"
    MAC = "m"
    BYTES = "b"
    """Only how many they are: options, payloads, headers that are not taken apart."""


@frozen
class Shape:
    """All of a field but its value: equal for equal headers at the same place."""

    header: str
    """ "TCP"."""
    name: str
    """As the standard has it: "sequence number"."""
    abbreviation: str
    """Wireshark's name for it in a display filter, "tcp.seq_raw"; "" where it has none."""
    first_bit: int
    """Its place in the frame, from 0: eight times the byte's offset, where it begins a byte."""
    bits: int
    form: Form
    source: str
    """Where it is defined: an RFC's section."""
    factor: int = 1
    """What the value counts in: 4 where a header's length is in words of 4 bytes."""

    @property
    def first_byte(self) -> int:
        """The offset of the first byte that it has a bit in."""
        return self.first_bit // 8

    @property
    def end_byte(self) -> int:
        """Behind the last byte that it has a bit in."""
        return (self.first_bit + self.bits + 7) // 8


@frozen
class HeaderField:
    """A field of one frame."""

    shape: Shape
    raw: bytes
    """The bytes that it has bits in, whole."""
    meaning: str = ""
    """What the value stands for: "TCP", "correct", "MSS"; "" where it speaks for itself."""

    @property
    def number(self) -> int:
        """Its bits as an unsigned number in network byte order."""
        shape = self.shape
        beyond = shape.end_byte * 8 - shape.first_bit - shape.bits
        return (int.from_bytes(self.raw, "big") >> beyond) & ((1 << shape.bits) - 1)

    @property
    def value(self) -> str:
        """The value as Wireshark writes it: "40858", "0x0012", "198.51.100.1"."""
        match self.shape.form:
            case Form.DECIMAL:
                return str(self.number * self.shape.factor)
            case Form.HEX:
                return f"{self.number:#0{(self.shape.bits + 3) // 4 + 2}x}"
            case Form.IPV4:
                return str(IPv4Address(self.raw))
            case Form.IPV6:
                return str(IPv6Address(self.raw))
            case Form.MAC:
                return self.raw.hex(":")
            case Form.BYTES:
                return f"{len(self.raw)} byte{'s' * (len(self.raw) != 1)}"

    @property
    def display_filter(self) -> str:
        """What finds frames with this value in Wireshark; "" where it has no name for it."""
        if not self.shape.abbreviation or self.shape.form is Form.BYTES:
            return ""
        return f"{self.shape.abbreviation} == {self.value}"
