"""The Internet checksum, checked. Source: RFC 1071; pseudo-headers RFC 9293, RFC 8200."""

from __future__ import annotations


def checksum_holds(data: bytes) -> bool:
    """Whether the 16-bit one's complement sum of bytes that include their checksum is -0.

    65536 leaves 1 when divided by 65535, so the words' sum is the whole number's remainder.
    """
    number = int.from_bytes(data, "big") << 8 * (len(data) % 2)
    # All zeros also leave 0, but their checksum would have been 0xffff.
    return number % 0xFFFF == 0 and number != 0


def pseudo_header(addresses: bytes, protocol: int, length: int) -> bytes:
    """What TCP, UDP and ICMPv6 sum besides their own bytes.

    `addresses` is source and final destination packed, 8 bytes or 32. The fields are
    those of IPv6 (RFC 8200, 8.1) in both cases: in a sum only the words' values count.
    """
    return addresses + length.to_bytes(4, "big") + protocol.to_bytes(4, "big")
