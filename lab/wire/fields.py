"""Header fields that a wire can rewrite, by name."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from lab.errors import UsageError
from lab.frozen import frozen
from lab.wire.checksums import fit_checksums
from lab.wire.headers import TCP, UDP, Headers

_FLAG_LETTERS = "FSRPAUEC"
"""Of the low byte's bits, as Wireshark and tcpdump write them. Source: RFC 9293, 3.1."""
_OPTION_END, _OPTION_NOP, _OPTION_MSS, _OPTION_WSCALE = 0, 1, 2, 3
_DONT_FRAGMENT = 0x4000
_MAC_BYTES = 6
_TRANSPORTS = frozenset({TCP, UDP})


@frozen
class _Field:
    """A field of a header."""

    place: Callable[[Headers], int]
    """Where it is in a frame; -1 where the frame has none."""
    size: int
    """Bytes."""
    largest: int = 0
    """0: what `size` bytes can hold."""

    def put(self, data: bytearray, at: int, value: int) -> None:
        """Write the value there."""
        data[at : at + self.size] = value.to_bytes(self.size, "big")


def _ip(at4: int, at6: int) -> Callable[[Headers], int]:
    """A field with these places in the two versions' headers; -1: not in that version's."""

    def place(headers: Headers) -> int:
        offset = {4: at4, 6: at6}.get(headers.version, -1)
        return -1 if offset < 0 else headers.ip + offset

    return place


def _tcp(offset: int) -> Callable[[Headers], int]:
    return lambda headers: (
        headers.transport + offset if headers.protocol == TCP and headers.payload >= 0 else -1
    )


def _ports(offset: int) -> Callable[[Headers], int]:
    return lambda headers: headers.transport + offset if headers.payload >= 0 else -1


def _option(kind: int) -> Callable[[Headers], int]:
    """The value of a TCP option."""

    def place(headers: Headers) -> int:
        if headers.protocol != TCP or headers.payload < 0:
            return -1
        data, at = headers.data, headers.transport + 20
        end = min(headers.payload, len(data))
        while at < end and data[at] != _OPTION_END:
            if data[at] == _OPTION_NOP:
                at += 1
                continue
            if at + 1 >= end or data[at + 1] < 2:
                break
            if data[at] == kind:
                return at + 2
            at += data[at + 1]
        return -1

    return place


def _checksum(headers: Headers) -> int:
    if headers.payload < 0:
        return -1
    return headers.transport + {TCP: 16, UDP: 6}[headers.protocol]


_NUMBERS: Mapping[str, _Field] = MappingProxyType(
    {
        "ttl": _Field(_ip(8, 7), 1),
        "id": _Field(_ip(4, -1), 2),
        "sport": _Field(_ports(0), 2),
        "dport": _Field(_ports(2), 2),
        "seq": _Field(_tcp(4), 4),
        "ack": _Field(_tcp(8), 4),
        "window": _Field(_tcp(14), 2),
        "urgent": _Field(_tcp(18), 2),
        "mss": _Field(_option(_OPTION_MSS), 2),
        "wscale": _Field(_option(_OPTION_WSCALE), 1, 14),
        "checksum": _Field(_checksum, 2),
    }
)

FIELDS = (*_NUMBERS, "tos", "df", "flags", "src", "dst", "eth.src", "eth.dst")
"""All names. `ttl` and `tos` are the hop limit and the traffic class in IPv6 (RFC 8200, 3)."""


def check_value(name: str, value: str) -> str:
    """Why the value cannot be that field's; "" if it can."""
    try:
        _parsed(name, value)
    except ValueError as error:
        return str(error)
    return ""


def has_fields(headers: Headers, fields: Iterable[tuple[str, str]]) -> bool:
    """Whether a frame has all of these fields, with room for these values."""
    return all(_has(headers, name, value) for name, value in fields)


def rewrite(headers: Headers, fields: Iterable[tuple[str, str]], *, raw: bool) -> bytes:
    """The frame with other values in these fields, which it has.

    Checksums fit then, unless it is `raw` or the field is a checksum itself. That of a fragmented
    datagram cannot be made to fit from one fragment, and stays as it is.
    """
    data = bytearray(headers.data)
    names = set()
    for name, text in fields:
        names.add(name)
        _put(data, headers, name, _new_value(headers, name, text))
    if not raw:
        fit_checksums(data, Headers(bytes(data)), transport="checksum" not in names)
    return bytes(data)


def _new_value(headers: Headers, name: str, text: str) -> int:
    """What the field shall be: a value, or what it has and so much more or less."""
    number = _parsed(name, text)
    if not _is_relative(name, text):
        return number
    field = _NUMBERS[name]
    at = field.place(headers)
    now = int.from_bytes(headers.data[at : at + field.size], "big")
    return (now + number) % (1 << 8 * field.size)


def _is_relative(name: str, text: str) -> bool:
    return name in _NUMBERS and not _NUMBERS[name].largest and text[:1] in ("+", "-")


def _has(headers: Headers, name: str, value: str) -> bool:
    if name in _NUMBERS:
        place = _NUMBERS[name].place(headers)
        return 0 <= place <= len(headers.data) - _NUMBERS[name].size
    match name:
        case "tos":
            return headers.version != 0
        case "df":
            return headers.version == 4
        case "flags":
            return headers.protocol == TCP and headers.payload >= 0
        case "src" | "dst":
            return headers.version == ipaddress.ip_address(value).version
        case _:
            return len(headers.data) >= 2 * _MAC_BYTES


def _parsed(name: str, value: str) -> int:
    """The field's value as a number. Raises ValueError with a sentence."""
    if name in ("src", "dst"):
        try:
            return int(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("no IP address") from None
    if name in ("eth.src", "eth.dst"):
        parts = value.split(":")
        if len(parts) != _MAC_BYTES or any(len(part) != 2 for part in parts):
            raise ValueError("no hardware address, such as 02:00:00:00:01:01")
        return int("".join(parts), 16)
    if name == "flags" and not value[:1].isdigit():
        if not value or any(letter not in _FLAG_LETTERS for letter in value):
            raise ValueError(f"no TCP flags; they are letters of {_FLAG_LETTERS}")
        return sum(1 << _FLAG_LETTERS.index(letter) for letter in set(value))
    try:
        number = int(value, 0)
    except ValueError:
        raise ValueError("no number") from None
    size = _NUMBERS[name].size if name in _NUMBERS else 1
    largest = {"df": 1}.get(name, 256**size - 1)
    if name in _NUMBERS and _NUMBERS[name].largest:
        largest = _NUMBERS[name].largest
    if _is_relative(name, value):
        if not -largest <= number <= largest:
            raise ValueError(f"no difference of up to {largest}")
    elif not 0 <= number <= largest:
        raise ValueError(f"not from 0 to {largest}")
    return number


def _put(data: bytearray, headers: Headers, name: str, value: int) -> None:
    if name in _NUMBERS:
        field = _NUMBERS[name]
        field.put(data, field.place(headers), value)
        return
    ip = headers.ip
    match name:
        case "tos" if headers.version == 4:
            data[ip + 1] = value
        case "tos":
            first = int.from_bytes(data[ip : ip + 4], "big") & ~(0xFF << 20) | value << 20
            data[ip : ip + 4] = first.to_bytes(4, "big")
        case "df":
            flags = int.from_bytes(data[ip + 6 : ip + 8], "big") & ~_DONT_FRAGMENT
            data[ip + 6 : ip + 8] = (flags | value * _DONT_FRAGMENT).to_bytes(2, "big")
        case "flags":
            data[headers.transport + 13] = value
        case "src" | "dst":
            size = 4 if headers.version == 4 else 16
            at = ip + (12 if headers.version == 4 else 8) + (size if name == "dst" else 0)
            data[at : at + size] = value.to_bytes(size, "big")
        case "eth.src" | "eth.dst":
            at = _MAC_BYTES if name == "eth.src" else 0
            data[at : at + _MAC_BYTES] = value.to_bytes(_MAC_BYTES, "big")
        case _:
            raise UsageError(f"there is no field {name}")


def field_value(headers: Headers, name: str) -> str | None:
    """What a field has, as a rule would write it; None where the frame has no such field."""
    data, ip = headers.data, headers.ip
    if name in ("src", "dst"):
        if not headers.version:
            return None
        size = 4 if headers.version == 4 else 16
        at = ip + (12 if headers.version == 4 else 8) + (size if name == "dst" else 0)
        return str(ipaddress.ip_address(data[at : at + size]))
    if not _has(headers, name, ""):
        return None
    match name:
        case "tos" if headers.version == 4:
            return str(data[ip + 1])
        case "tos":
            return str(int.from_bytes(data[ip : ip + 2], "big") >> 4 & 0xFF)
        case "df":
            return str(int.from_bytes(data[ip + 6 : ip + 8], "big") >> 14 & 1)
        case "flags":
            on = enumerate(_FLAG_LETTERS)
            flags = data[headers.transport + 13]
            return "".join(letter for bit, letter in on if flags >> bit & 1) or "0"
        case "eth.src" | "eth.dst":
            at = _MAC_BYTES if name == "eth.src" else 0
            return data[at : at + _MAC_BYTES].hex(":")
    field = _NUMBERS[name]
    at = field.place(headers)
    number = int.from_bytes(data[at : at + field.size], "big")
    return f"{number:#06x}" if name == "checksum" else str(number)
