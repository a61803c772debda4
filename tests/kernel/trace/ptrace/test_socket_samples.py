"""Addresses as the kernel hands them out."""

from __future__ import annotations

import socket

import pytest

from lab.kernel.trace.ptrace.socket_samples import address_of

INET6 = socket.AF_INET6.to_bytes(2, "little") + (443).to_bytes(2, "big") + bytes(4)
SCOPE = (7).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (b"\x02\x00\x10\x92\xc6\x33\x64\x01" + bytes(8), ("198.51.100.1", 4242)),
        (INET6 + socket.inet_pton(socket.AF_INET6, "2001:db8::1") + SCOPE, ("2001:db8::1", 443)),
        (INET6 + socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1") + SCOPE, ("192.0.2.1", 443)),
        (INET6 + bytes(16) + SCOPE, ("::", 443)),
        (b"\x01\x00/run/wirelab/socket", None),
        (b"", None),
    ],
)
def test_an_address_is_shown_with_its_port(name: bytes, address: tuple[str, int] | None) -> None:
    assert address_of(name) == address


def test_a_name_cut_short_is_no_address() -> None:
    for whole in (b"\x02\x00\x10\x92\xc6\x33\x64\x01", INET6 + bytes(16)):
        assert address_of(whole) is not None
        for length in range(len(whole)):
            assert address_of(whole[:length]) is None
