"""Lists of type-length-value options, as far as they are well formed."""

from __future__ import annotations

from typing import NamedTuple

OptionList = tuple[tuple[int, bytes], ...]

TCP_OPTION_NAMES = {
    0: "end",
    1: "nop",
    2: "mss",
    3: "window_scale",
    4: "sack_permitted",
    5: "sack",
    8: "timestamps",
    14: "alternate_checksum_request",
    15: "alternate_checksum_data",
    19: "md5_signature",
    27: "quick_start_response",
    28: "user_timeout",
    29: "authentication",
    30: "multipath_tcp",
    34: "fast_open_cookie",
    69: "encryption_negotiation",
    172: "accurate_ecn_order_0",
    174: "accurate_ecn_order_1",
    253: "experiment_1",
    254: "experiment_2",
}
"""Source: IANA, TCP Option Kind Numbers."""

TCP_OPTION_DATA_BYTES = {2: 2, 3: 1, 4: 0, 8: 8}
"""Of the options whose values are decoded, besides SACK's multiple of 8."""

_END, _NO_OPERATION = 0, 1
_PAD1, _PADN = 0, 1


class OptionError(NamedTuple):
    """Where in the list understanding stopped, and why."""

    offset: int
    reason: str


def parse_options(data: bytes) -> tuple[OptionList, OptionError | None]:
    """(type, data) of IPv4 or TCP options, the single-byte ones included.

    A length counts the type and length bytes. What follows End of Option List is padding.
    Source: RFC 791, 3.1; RFC 9293, 3.1.
    """
    options: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        kind = data[at]
        if kind in (_END, _NO_OPERATION):
            options.append((kind, b""))
            if kind == _END:
                break
            at += 1
            continue
        error = _length_error(data, at, kind, least=2, extra=0)
        if error:
            return tuple(options), error
        options.append((kind, data[at + 2 : at + data[at + 1]]))
        at += data[at + 1]
    return tuple(options), None


def parse_ipv6_options(data: bytes) -> tuple[OptionList, OptionError | None]:
    """(type, data) of hop-by-hop or destination options, padding left out.

    A length counts the data alone. Source: RFC 8200, 4.2.
    """
    options: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        kind = data[at]
        if kind == _PAD1:
            at += 1
            continue
        error = _length_error(data, at, kind, least=0, extra=2)
        if error:
            return tuple(options), error
        end = at + 2 + data[at + 1]
        if kind != _PADN:
            options.append((kind, data[at + 2 : end]))
        at = end
    return tuple(options), None


def _length_error(data: bytes, at: int, kind: int, *, least: int, extra: int) -> OptionError | None:
    """What is wrong with the length of the option at `at`, if anything."""
    if at + 1 >= len(data):
        return OptionError(at, f"option {kind} has no length byte")
    length = data[at + 1]
    if length < least:
        return OptionError(at, f"option {kind} has length {length}, below {least}")
    if at + extra + length > len(data):
        return OptionError(at, f"option {kind} has length {length}, past the options' end")
    return None
