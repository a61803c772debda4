"""Checksums of a frame made to fit. Source: RFC 1071, RFC 8200, 8.1."""

from __future__ import annotations

import struct

from lab.wire.headers import ICMP, ICMPV6, TCP, UDP, Headers

_PLACES = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}
"""Of the checksum in each protocol's header."""
_LEAST = {TCP: 20, UDP: 8, ICMP: 4, ICMPV6: 4}


def checksum(data: bytes) -> int:
    """The Internet checksum of these bytes."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def fit_checksums(data: bytearray, headers: Headers, *, transport: bool) -> None:
    """Write the checksums that fit into a frame; that of its transport if so asked.

    A UDP checksum of 0 says that there is none (RFC 768), and stays.
    """
    if headers.version == 4:
        end = headers.ip + (data[headers.ip] & 0xF) * 4
        data[headers.ip + 10 : headers.ip + 12] = bytes(2)
        header = bytes(data[headers.ip : end])
        data[headers.ip + 10 : headers.ip + 12] = checksum(header).to_bytes(2, "big")
    at, protocol = headers.transport, headers.protocol
    if (
        not transport
        or at < 0
        or headers.is_fragment
        or protocol not in _PLACES
        or headers.end - at < _LEAST[protocol]
    ):
        return
    place = at + _PLACES[protocol]
    if protocol == UDP and headers.version == 4 and data[place : place + 2] == bytes(2):
        return
    data[place : place + 2] = bytes(2)
    segment = bytes(data[at : headers.end])
    covered = segment if protocol == ICMP else _pseudo_header(data, headers, len(segment)) + segment
    found = checksum(covered)
    if protocol == UDP and not found:
        found = 0xFFFF
    data[place : place + 2] = found.to_bytes(2, "big")


def _pseudo_header(data: bytearray, headers: Headers, length: int) -> bytes:
    """Source: RFC 9293, 3.1; RFC 8200, 8.1."""
    ip = headers.ip
    if headers.version == 4:
        return bytes(data[ip + 12 : ip + 20]) + struct.pack("!HH", headers.protocol, length)
    return bytes(data[ip + 8 : ip + 40]) + struct.pack("!II", length, headers.protocol)
