from __future__ import annotations

import pytest

from lab.analysis.packets.options import OptionError, parse_ipv6_options, parse_options


def test_options_are_listed_with_their_data() -> None:
    assert parse_options(b"\1\2\4\5\xb4\0\7\7") == (((1, b""), (2, b"\5\xb4"), (0, b"")), None)


def test_no_options_are_no_error() -> None:
    assert parse_options(b"") == parse_ipv6_options(b"") == ((), None)


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (b"\1\7\0", 1, "option 7 has length 0, below 2"),
        (b"\7\4\1", 0, "option 7 has length 4, past the options' end"),
        (b"\1\1\7", 2, "option 7 has no length byte"),
    ],
)
def test_options_up_to_the_unreadable_one_are_kept(data: bytes, offset: int, reason: str) -> None:
    options, error = parse_options(data)
    assert options == ((1, b""),) * offset
    assert error == OptionError(offset, reason)


def test_ipv6_options_are_listed_without_padding() -> None:
    assert parse_ipv6_options(b"\0\5\2\0\7\1\2\0\0\x1e\0") == (((5, b"\0\7"), (0x1E, b"")), None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\5\3\0\7", "option 5 has length 3, past the options' end"),
        (b"\0\1\2\0", "option 1 has length 2, past the options' end"),
        (b"\0\5", "option 5 has no length byte"),
    ],
)
def test_ipv6_options_past_the_header_are_an_error(data: bytes, reason: str) -> None:
    assert parse_ipv6_options(data) == ((), OptionError(1, reason))
