"""DHCP messages: which address is asked for, offered and given.

Source: RFC 2131, 2; RFC 2132; RFC 951, 3 (what both have of BOOTP).
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from lab.frozen import frozen

SERVER_PORT, CLIENT_PORT = 67, 68
PORTS = frozenset({SERVER_PORT, CLIENT_PORT})
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
NAMES = {
    DISCOVER: "DISCOVER", OFFER: "OFFER", REQUEST: "REQUEST", 4: "DECLINE", ACK: "ACK", 6: "NAK",
    7: "RELEASE", 8: "INFORM",
}  # fmt: skip
"""Source: RFC 2132, 9.6."""

_HEADER = struct.Struct("!4BIHH4s4s4s4s16s64s128s4s")
_COOKIE = bytes((99, 130, 83, 99))
_BROADCAST = 0x8000
_PAD, _END = 0, 255
_MASK, _REQUESTED, _LEASE, _TYPE, _SERVER = 1, 50, 51, 53, 54
_FOUR_BYTES = (_MASK, _REQUESTED, _LEASE, _SERVER)


@frozen
class DhcpMessage:
    """A whole message, as far as its own options field goes (not sname and file: RFC 2132, 9.3)."""

    kind: int
    """One of NAMES."""
    identifier: int
    """xid: the client's number of the whole talk."""
    is_reply: bool
    wants_broadcast: bool
    """The flag B: answers are to be for everybody."""
    own: IPv4Address
    """ciaddr: what the client has already; 0.0.0.0 where it has none."""
    given: IPv4Address
    """yiaddr: what it may have."""
    hardware: str
    """chaddr, as ":"-separated bytes."""
    requested: IPv4Address | None
    server: IPv4Address | None
    """The server's identifier."""
    mask: IPv4Address | None
    lease_s: int | None

    def __str__(self) -> str:
        """ "DHCP OFFER 0x12345678 198.51.100.100 for 3600 s"."""
        words = [f"DHCP {NAMES.get(self.kind, f'type {self.kind}')} {self.identifier:#010x}"]
        wanted = self.given if self.is_reply else self.requested
        if self.kind == DISCOVER:
            words.append(f"from {self.hardware}")
        if wanted is not None and not wanted.is_unspecified:
            words.append(str(wanted))
        if self.is_reply and self.lease_s is not None:
            words.append(f"for {self.lease_s} s")
        elif not self.is_reply and self.server is not None:
            words.append(f"of {self.server}")
        return " ".join(words)


def parse_dhcp(data: bytes) -> DhcpMessage | None:
    """The message that these bytes are; None if they are none, or not whole."""
    if len(data) < _HEADER.size:
        return None
    operation, _, size, _, identifier, _, flags, own, given, _, _, hardware, _, _, cookie = (
        _HEADER.unpack_from(data)
    )
    options = _options(data)
    if operation not in (1, 2) or size > len(hardware) or cookie != _COOKIE or options is None:
        return None
    if len(options.get(_TYPE, b"")) != 1:
        return None
    if any(len(options[kind]) != 4 for kind in _FOUR_BYTES if kind in options):
        return None
    requested, server, mask = (
        IPv4Address(options[kind]) if kind in options else None
        for kind in (_REQUESTED, _SERVER, _MASK)
    )
    return DhcpMessage(
        kind=options[_TYPE][0],
        identifier=identifier,
        is_reply=operation == 2,
        wants_broadcast=bool(flags & _BROADCAST),
        own=IPv4Address(own),
        given=IPv4Address(given),
        hardware=hardware[:size].hex(":"),
        requested=requested,
        server=server,
        mask=mask,
        lease_s=int.from_bytes(options[_LEASE], "big") if _LEASE in options else None,
    )


def _options(data: bytes) -> dict[int, bytes] | None:
    """By number, what is there twice joined (RFC 3396, 7); None where they do not come to an end.

    What is behind the end is padding.
    """
    found: dict[int, bytes] = {}
    at = _HEADER.size
    while at < len(data):
        kind = data[at]
        if kind == _END:
            return found
        if kind == _PAD:
            at += 1
            continue
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            return None
        size = data[at + 1]
        found[kind] = found.get(kind, b"") + data[at + 2 : at + 2 + size]
        at += 2 + size
    return None
