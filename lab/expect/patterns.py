"""What a frame should be like: fields of its headers, of which those left out may be anything.

Names of hosts stand for all their addresses. Sequence and acknowledgment numbers are relative, as
the ladder has them: 0 is the SYN, 1 the first byte.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.story import flag_names
from lab.errors import UsageError, did_you_mean
from lab.expect.values import Where, is_as_expected, shown
from lab.frozen import frozen
from lab.model.claim import Contrast

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.segment import Segment

Number = int | range | Collection[int] | Where | None
Bytes = bytes | str | Where | None

_LETTERS = {"F": "FIN", "S": "SYN", "R": "RST", "P": "PSH", "A": "ACK", "U": "URG"}


@frozen
class AnyFrame:
    """Any frame, by who sent it and how long it is."""

    src: str | None = None
    """A host's name, or an address of the IP header, of ARP the sender's."""
    dst: str | None = None
    ttl: Number = None
    """IPv4's TTL or IPv6's hop limit, as the sender sent it."""
    wire_bytes: Number = None
    """The whole frame, its link-layer header included."""

    def __str__(self) -> str:
        wanted = ((field.name, getattr(self, field.name)) for field in fields(self))
        said = ", ".join(f"{name}={shown(value)}" for name, value in wanted if value is not None)
        return f"{type(self).__name__}({said})"

    def compare(self, crossing: Crossing, segment: Segment | None) -> tuple[Contrast, ...]:
        """What differs, field by field; empty where the frame is as wanted.

        `segment` is the frame's, where it is one of a TCP conversation.
        """
        found = _seen(crossing, segment)
        kind = type(self).__name__
        if kind != "AnyFrame" and found["protocol"] != kind:
            return (Contrast("protocol", kind, str(found["protocol"] or "another")),)
        different: list[Contrast] = []
        for field in fields(self):
            name, expected = field.name, getattr(self, field.name)
            if expected is None:
                continue
            actual = found.get(name)
            if not _is_met(name, expected, actual):
                different.append(Contrast(name, _said(name, expected), _said(name, actual)))
        return tuple(different)


@frozen
class TCP(AnyFrame):
    """A TCP segment. Source: RFC 9293, 3.1."""

    flags: str | None = None
    """ "SYN", "SYN-ACK", or letters, "SA". A SYN is one without ACK; ACK, PSH and URG count only
    where they are named."""
    sport: Number = None
    dport: Number = None
    seq: Number = None
    """Relative: 0 is the SYN."""
    ack: Number = None
    """Relative in the same way."""
    window: Number = None
    """In bytes, scaled."""
    length: Number = None
    """Payload bytes."""
    payload: Bytes = None
    options: Collection[str] | None = None
    """Names that are among the options: "mss", "window_scale", "sack_permitted", "timestamps"."""


@frozen
class UDP(AnyFrame):
    """A UDP datagram. Source: RFC 768."""

    sport: Number = None
    dport: Number = None
    length: Number = None
    """Payload bytes."""
    payload: Bytes = None


@frozen
class ICMP(AnyFrame):
    """An ICMP or ICMPv6 message. Source: RFC 792, RFC 4443."""

    type: Number = None
    code: Number = None


@frozen
class ARP(AnyFrame):
    """An ARP packet. Source: RFC 826."""

    operation: Number = None
    """1 of a request, 2 of a reply."""


def flags_called(text: str) -> TcpFlags:
    """The flags of "SYN-ACK", "SYN,ACK", "SA". Raises UsageError."""
    names = text.upper().replace(",", "-").replace("|", "-").replace(" ", "-").split("-")
    known = TcpFlags.__members__
    if all(name in known for name in names):
        chosen = names
    elif len(names) == 1 and names[0] and all(letter in _LETTERS for letter in names[0]):
        chosen = [_LETTERS[letter] for letter in names[0]]
    else:
        raise UsageError(
            f"flags={text!r}: they are SYN, ACK, FIN, RST, PSH and URG, as in SYN-ACK, or letters, "
            f"as in SA{did_you_mean(names[0], known)}"
        )
    flags = TcpFlags(0)
    for name in chosen:
        flags |= known[name]
    return flags


_SAYING = TcpFlags.SYN | TcpFlags.FIN | TcpFlags.RST
"""Flags that say what a segment is for: it has none but those that are named."""


def _has_flags(wanted: TcpFlags, actual: TcpFlags) -> bool:
    """Whether it has these flags, and no other of those that say what it is for.

    Every segment but the first has ACK (RFC 9293, 3.1): its absence counts of a SYN alone.
    """
    excluded = _SAYING | (TcpFlags.ACK if wanted & TcpFlags.SYN else TcpFlags(0))
    return int(wanted) == int(actual) & (int(wanted) | int(excluded))


def _is_met(name: str, expected: object, actual: object) -> bool:
    if actual is None:
        return False
    if name == "flags":
        return isinstance(actual, TcpFlags) and _has_flags(flags_called(str(expected)), actual)
    if name in ("src", "dst"):
        return isinstance(actual, tuple) and expected in actual
    if name == "options":
        names = (expected,) if isinstance(expected, str) else expected
        return isinstance(names, Collection) and isinstance(actual, tuple) and {*names} <= {*actual}
    return is_as_expected(expected, actual)


def _said(name: str, value: object) -> str:
    if value is None:
        return "none"
    if name == "flags" and isinstance(value, TcpFlags):
        return flag_names(value) or "none"
    if name in ("src", "dst") and isinstance(value, tuple):
        return " ".join(value)
    if name == "options" and not isinstance(value, str):
        return ", ".join(value)  # type: ignore[arg-type]
    return shown(value)


def _seen(crossing: Crossing, segment: Segment | None) -> dict[str, object]:
    """The fields that patterns may name, of a frame as its sender sent it."""
    packet = crossing.packet
    found: dict[str, object] = {
        "protocol": "",
        "wire_bytes": packet.frame.wire_bytes,
        "ttl": packet.lifetime,
    }
    ends: list[str] = []
    if ip := packet.ip:
        ends = [str(ip.source), str(ip.destination)]
    if arp := packet.arp:
        found |= {"protocol": "ARP", "operation": arp.operation}
        ends = [str(arp.sender), str(arp.target)]
    names = (crossing.sender, crossing.receiver)
    for place, name in enumerate(("src", "dst")):
        of_it = (names[place], *ends[place : place + 1])
        found[name] = tuple(dict.fromkeys(each for each in of_it if each)) or None
    if tcp := packet.tcp:
        found |= {
            "protocol": "TCP",
            "flags": tcp.flags,
            "sport": tcp.source_port,
            "dport": tcp.destination_port,
            "length": tcp.payload_bytes,
            "options": tuple(option.name for option in tcp.options),
            "window": tcp.window if segment is None else segment.window_bytes,
            "seq": segment and segment.seq,
            "ack": segment and segment.ack,
            "payload": packet.payload,
        }
    elif udp := packet.udp:
        found |= {
            "protocol": "UDP",
            "sport": udp.source_port,
            "dport": udp.destination_port,
            "length": udp.payload_bytes,
            "payload": packet.payload,
        }
    elif icmp := packet.icmp:
        found |= {"protocol": "ICMP", "type": icmp.type, "code": icmp.code}
    return found
