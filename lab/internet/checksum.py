"""The Internet checksum, checked. Source: RFC 1071; pseudo-headers RFC 9293, RFC 8200."""

from __future__ import annotations


def checksum_holds(data: bytes) -> bool:
    """Whether the 16-bit one's complement sum of bytes that include their checksum is -0.

    65536 leaves 1 when divided by 65535, so the words' sum is the whole number's remainder.
    """
    number = int.from_bytes(data, "big") << 8 * (len(data) % 2)
    # All zeros also leave 0, but their checksum would have been 0xffff.
    return number % 0xFFFF == 0 and number != 0


def right_checksum(data: bytes, at: int) -> int:
    """What the 16-bit checksum at `at` ought to be, over bytes that include it."""
    words = data[:at] + b"\0\0" + data[at + 2 :]
    number = int.from_bytes(words, "big") << 8 * (len(words) % 2)
    remainder = number % 0xFFFF
    return 0 if number and not remainder else 0xFFFF - remainder


def is_left_to_card(checksum: int, addresses: bytes, protocol: int, length: int) -> bool:
    """Whether a checksum is its pseudo-header's sum alone, as a host hands it to its card.

    Linux seeds the field so (CHECKSUM_PARTIAL in include/linux/skbuff.h), and leaves the
    length out where the card is also to cut the segment.
    """
    sums = (int.from_bytes(pseudo_header(addresses, protocol, n), "big") for n in (length, 0))
    return any(checksum == (each % 0xFFFF or 0xFFFF) for each in sums)


def pseudo_header(addresses: bytes, protocol: int, length: int) -> bytes:
    """What TCP, UDP and ICMPv6 sum besides their own bytes.

    `addresses` is source and final destination packed, 8 bytes or 32. The fields are
    those of IPv6 (RFC 8200, 8.1) in both cases: in a sum only the words' values count.
    """
    return addresses + length.to_bytes(4, "big") + protocol.to_bytes(4, "big")
