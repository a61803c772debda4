"""Checksums of a frame made to fit. Source: RFC 1071; RFC 8200, 8.1."""

from __future__ import annotations

from lab.internet.checksum import pseudo_header, right_checksum
from lab.wire.headers import ICMP, ICMPV6, TCP, UDP, Headers

_PLACES = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}
"""Of the checksum in each protocol's header."""
_LEAST = {TCP: 20, UDP: 8, ICMP: 4, ICMPV6: 4}
_IPV4_PLACE = 10


def fit_checksums(data: bytearray, headers: Headers, *, transport: bool) -> None:
    """Write the checksums that fit into a frame; that of its transport if so asked.

    A UDP checksum of 0 says that there is none (RFC 768), and stays.
    """
    if headers.version == 4:
        end = headers.ip + (data[headers.ip] & 0xF) * 4
        header = bytes(data[headers.ip : end])
        _put(data, headers.ip + _IPV4_PLACE, right_checksum(header, _IPV4_PLACE))
    at, protocol = headers.transport, headers.protocol
    if (
        not transport
        or at < 0
        or headers.is_fragment
        or protocol not in _PLACES
        or headers.end - at < _LEAST[protocol]
    ):
        return
    place = _PLACES[protocol]
    if protocol == UDP and headers.version == 4 and not any(data[at + place : at + place + 2]):
        return
    before = b"" if protocol == ICMP else _pseudo_header(data, headers)
    found = right_checksum(before + bytes(data[at : headers.end]), len(before) + place)
    _put(data, at + place, 0xFFFF if protocol == UDP and not found else found)


def _put(data: bytearray, at: int, checksum: int) -> None:
    data[at : at + 2] = checksum.to_bytes(2, "big")


def _pseudo_header(data: bytearray, headers: Headers) -> bytes:
    first, length = (12, 8) if headers.version == 4 else (8, 32)
    addresses = bytes(data[headers.ip + first : headers.ip + first + length])
    return pseudo_header(addresses, headers.protocol, headers.end - headers.transport)
