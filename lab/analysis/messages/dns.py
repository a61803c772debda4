"""DNS messages: questions, and the records that answer them.

Source: RFC 1035, 4.1; RFC 3596, 2 (AAAA); RFC 6891, 6.1 (OPT).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from lab.frozen import frozen
from lab.model.counted import counted

PORTS = frozenset({53, 5353})
"""Of DNS and of multicast DNS (RFC 6762, 3)."""
MOST_UDP_BYTES = 512
"""Of a message over UDP, where neither side says that it takes more. Source: RFC 1035, 2.3.4."""
MOST_SAID = 2
"""As many records of an answer are named."""

TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV",
    41: "OPT", 43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 64: "SVCB", 65: "HTTPS", 255: "ANY",
}  # fmt: skip
"""Source: IANA, DNS parameters, resource record types."""
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
"""Source: RFC 1035, 4.1.1, by the names of RFC 2136, 2.2."""
OPCODES = {0: "query", 1: "inverse query", 2: "status", 4: "notify", 5: "update"}

_HEADER = struct.Struct("!6H")
_A, _AAAA, _TXT = 1, 28, 16
_NAMES = frozenset({2, 5, 12})
"""Types of which the data is a name."""
_MX = 15
_POINTER = 0xC0
_LONGEST_NAME = 255
_PRINTABLE = range(0x21, 0x7F)
_SPECIAL = b'.\\"()@;$'
"""What stands for something else in a name as it is written. Source: RFC 1035, 5.1."""


@frozen
class Question:
    """What is asked for."""

    name: str
    """With a dot at its end, as it is written: "www.example."."""
    type: int
    kind: int
    """The class: 1 is the Internet's."""

    def __str__(self) -> str:
        """ "A www.example."."""
        return f"{type_name(self.type)} {self.name}"


@frozen
class ResourceRecord:
    """A resource record. Source: RFC 1035, 4.1.3."""

    name: str
    type: int
    kind: int
    ttl_s: int
    data: bytes
    value: str
    """The data in words: an address, a name, the bytes' number."""


@frozen
class DnsMessage:
    """A whole message. Source: RFC 1035, 4.1."""

    identifier: int
    is_answer: bool
    opcode: int
    is_authoritative: bool
    is_truncated: bool
    """TC: more was to be said than the transport takes."""
    code: int
    """RCODE."""
    questions: tuple[Question, ...]
    answers: tuple[ResourceRecord, ...]
    others: tuple[ResourceRecord, ...]
    """Of the authority section and of the additional one."""

    def __str__(self) -> str:
        """ "DNS query 0x1a2b A www.example.", "DNS answer 0x1a2b A www.example.: 192.0.2.1"."""
        kind = OPCODES.get(self.opcode, f"opcode {self.opcode}")
        asked = [", ".join(map(str, self.questions))] if self.questions else []
        what = " ".join([f"{self.identifier:#06x}", *asked])
        if not self.is_answer:
            return f"DNS {kind} {what}"
        if self.opcode:
            return f"DNS answer to {kind} {what}: {code_name(self.code)}"
        return f"DNS answer {what}: {self._result()}"

    def _result(self) -> str:
        if self.code:
            return code_name(self.code)
        cut = "truncated" if self.is_truncated else ""
        if not self.answers:
            return cut or "no record"
        wanted = {question.type for question in self.questions}
        said = [
            each.value if each.type in wanted else f"{type_name(each.type)} {each.value}"
            for each in self.answers[:MOST_SAID]
        ]
        if len(self.answers) > MOST_SAID:
            said.append(f"{len(self.answers) - MOST_SAID} more")
        return ", ".join([*said, cut] if cut else said)


def type_name(number: int) -> str:
    """ "A"; "TYPE1234" of an unknown one. Source: RFC 3597, 5."""
    return TYPES.get(number, f"TYPE{number}")


def code_name(number: int) -> str:
    """ "NXDOMAIN"; "RCODE 11" of an unknown one."""
    return CODES.get(number, f"RCODE {number}")


def parse_dns(data: bytes) -> DnsMessage | None:
    """The message that these bytes are; None if they are none, or not just one."""
    if len(data) < _HEADER.size:
        return None
    identifier, flags, *counts = _HEADER.unpack_from(data)
    try:
        at = _HEADER.size
        questions: list[Question] = []
        for _ in range(counts[0]):
            name, at = _name_at(data, at)
            questions.append(Question(name, *struct.unpack_from("!HH", data, at)))
            at += 4
        sections: list[tuple[ResourceRecord, ...]] = []
        for count in counts[1:]:
            records: list[ResourceRecord] = []
            for _ in range(count):
                record, at = _record_at(data, at)
                records.append(record)
            sections.append(tuple(records))
    except (ValueError, struct.error):
        return None
    if at != len(data):
        return None
    return DnsMessage(
        identifier,
        is_answer=bool(flags & 0x8000),
        opcode=flags >> 11 & 0xF,
        is_authoritative=bool(flags & 0x0400),
        is_truncated=bool(flags & 0x0200),
        code=flags & 0xF,
        questions=tuple(questions),
        answers=sections[0],
        others=sections[1] + sections[2],
    )


def split_dns(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The messages of a TCP stream's bytes, each behind its length in two bytes; whole ones.

    Of each the place of its length, and the message. Source: RFC 1035, 4.2.2; RFC 7766, 8.
    """
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            return
        yield at, data[at + 2 : end]
        at = end


def _record_at(data: bytes, at: int) -> tuple[ResourceRecord, int]:
    """The record that begins there, and where the next one does. Raises ValueError."""
    name, at = _name_at(data, at)
    kind, group, ttl_s, size = struct.unpack_from("!HHIH", data, at)
    at += 10
    if at + size > len(data):
        raise ValueError("the record's data is not all there")
    value = _value_of(data, kind, at, size)
    return ResourceRecord(name, kind, group, ttl_s, data[at : at + size], value), at + size


def _value_of(data: bytes, kind: int, at: int, size: int) -> str:
    own = data[at : at + size]
    if kind == _A and size == 4:
        return str(IPv4Address(own))
    if kind == _AAAA and size == 16:
        return str(IPv6Address(own))
    if kind in _NAMES:
        return _name_at(data, at)[0]
    if kind == _MX and size > 2:
        return f"{int.from_bytes(own[:2], 'big')} {_name_at(data, at + 2)[0]}"
    return counted(size, "byte")


def _name_at(data: bytes, at: int) -> tuple[str, int]:
    """The name that begins there, and the place behind it. Raises ValueError.

    A pointer leads to the rest of it, at a place before: so none leads round.
    """
    labels: list[str] = []
    length, behind, before = 1, 0, at
    while True:
        if at >= len(data):
            raise ValueError("the name is cut off")
        size = data[at]
        if size >= _POINTER:
            if at + 2 > len(data):
                raise ValueError("the pointer is cut off")
            behind = behind or at + 2
            at = int.from_bytes(data[at : at + 2], "big") & 0x3FFF
            if at >= before:
                raise ValueError("the pointer leads to no place before")
            before = at
            continue
        if size > 63 or at + 1 + size > len(data):
            raise ValueError("the label is none, or cut off")
        if not size:
            return "".join(f"{label}." for label in labels) or ".", behind or at + 1
        length += 1 + size
        if length > _LONGEST_NAME:
            raise ValueError("the name is too long")
        labels.append(_written(data[at + 1 : at + 1 + size]))
        at += 1 + size


def _written(label: bytes) -> str:
    r"""A label as it is written, other bytes as \DDD. Source: RFC 1035, 5.1; RFC 4343, 2.1."""
    return "".join(
        f"\\{byte:03}"
        if byte not in _PRINTABLE
        else f"\\{chr(byte)}"
        if byte in _SPECIAL
        else chr(byte)
        for byte in label
    )
