"""Frames in a few words: TCP segments with relative numbers, as far as their SYNs were seen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from lab.analysis.fields.fields import fields_of
from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import Packet
from lab.analysis.story import describe_packet
from lab.errors import printable
from lab.records import Direction, Frame
from lab.wire.fields import field_value
from lab.wire.headers import SYN, TCP, Headers
from lab.wire.matching import holds_of
from lab.wire.rule import Term

KINDS = (Term.SYN, Term.SYN_ACK, Term.RST, Term.FIN, Term.DATA, Term.ACK)
OTHER = "other"
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
_SHOWN = ("SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
_WRAP = 1 << 32
_TEXT_BYTES = 40
_HELD = 512


class RelativeNumbers:
    """The initial sequence numbers of connections, by who uses them."""

    def __init__(self, frames: Iterable[bytes] = ()) -> None:
        self._initial: dict[bytes, int] = {}
        for data in frames:
            self.see(data)

    def see(self, data: bytes) -> None:
        """A SYN says from where on its sender counts; else the first segment stands for that."""
        headers = Headers(data)
        if headers.protocol != TCP or headers.payload < 0:
            return
        if headers.flags & SYN:
            self._initial[headers.conversation] = headers.seq
        else:
            self._initial.setdefault(headers.conversation, (headers.seq - 1) % _WRAP)

    def relative(self, headers: Headers) -> tuple[int, int | None]:
        """A segment's sequence and acknowledgement number; None where the peer is unknown."""
        who = headers.conversation
        seq = (headers.seq - self._initial.get(who, headers.seq)) % _WRAP
        half = (len(who) - 4) // 2
        peer = who[half : 2 * half] + who[:half] + who[-2:] + who[-4:-2]
        ack = int.from_bytes(headers.data[headers.transport + 8 : headers.transport + 12], "big")
        if peer not in self._initial:
            return seq, None
        return seq, (ack - self._initial[peer]) % _WRAP


def frame_text(data: bytes, numbers: RelativeNumbers) -> str:
    """ "PSH ACK seq=1 ack=8 len=7"; of what is not TCP as in a report."""
    headers = Headers(data)
    if headers.protocol != TCP or headers.payload < 0 or headers.is_fragment:
        return describe_packet(packet_of(data))
    on = {name for bit, name in enumerate(_FLAGS) if headers.flags >> bit & 1}
    seq, ack = numbers.relative(headers)
    words = [*(name for name in _SHOWN if name in on), f"seq={seq}"]
    if "ACK" in on and ack is not None:
        words.append(f"ack={ack}")
    if headers.payload_bytes:
        words.append(f"len={headers.payload_bytes}")
    return " ".join(words)


def payload_text(data: bytes) -> str:
    """The first bytes of a TCP or UDP payload: "'Hello. '"; "" where there is none."""
    headers = Headers(data)
    if not headers.payload_bytes:
        return ""
    shown = data[headers.payload : headers.end][:_TEXT_BYTES]
    return printable(repr(shown.decode("utf-8", "backslashreplace")))


def kind_of(data: bytes) -> str:
    """What a prediction calls a frame, but for who sends it: "SYN", "data", "other"."""
    headers = Headers(data)
    return next((term.value for term in KINDS if holds_of(term, headers)), OTHER)


@lru_cache(_HELD)
def packet_of(data: bytes) -> Packet:
    """The frame taken apart."""
    return dissect(Frame(0, "", Direction.UNKNOWN, data, len(data)))


def hex_lines(data: bytes) -> tuple[str, ...]:
    """A frame's bytes, 16 a line: offset, hexadecimal, ASCII."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        pairs = " ".join(f"{byte:02x}" for byte in row)
        lines.append(f"{at:04x}  {pairs:<47}  {text}")
    return tuple(lines)


def bytes_page(data: bytes) -> str:
    """A frame's bytes, and below them its fields."""
    lines = [*hex_lines(data), ""]
    header = ""
    for field in fields_of(packet_of(data)):
        shape = field.shape
        if shape.header != header:
            header = shape.header
            lines.append(header)
        meaning = f"  {field.meaning}" if field.meaning else ""
        lines.append(printable(f"  {shape.first_byte:4} {shape.name}: {field.value}{meaning}"))
    return "\n".join(lines)


def editable(data: bytes) -> tuple[tuple[str, str], ...]:
    """The header fields that a frame has and that can be edited, by their names in docs/wire.md.

    Those that a person wants to change come first.
    """
    headers = Headers(data)
    every = ("flags", "seq", "ack", "window", "ttl", "sport", "dport", "mss", "wscale", "urgent")
    found = []
    for name in (*every, "id", "tos", "df", "checksum", "src", "dst"):
        value = field_value(headers, name)
        if value is not None:
            found.append((name, value))
    return tuple(found)
