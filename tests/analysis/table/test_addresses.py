from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import numpy as np

from lab.analysis.table.addresses import AddressNumbers


def halves(*texts: str) -> tuple[np.ndarray, np.ndarray]:
    numbers = [int(IPv6Address(text)) for text in texts]
    high = np.array([number >> 64 for number in numbers], dtype=np.uint64)
    return high, np.array([number & (1 << 64) - 1 for number in numbers], dtype=np.uint64)


def test_each_address_has_one_number_whenever_it_comes() -> None:
    addresses = AddressNumbers()
    first = addresses.numbers(*halves("fd00::1", "ffff::", "fd00::1")).tolist()
    assert first == [0, 1, 0]
    assert addresses.numbers(*halves("::2", "ffff::")).tolist() == [2, 1]
    assert addresses.number(int(IPv6Address("::2"))) == 2
    assert addresses.address(6, 1) == IPv6Address("ffff::")


def test_an_ipv4_address_is_its_own_number() -> None:
    assert AddressNumbers().address(4, 0xC0000201) == IPv4Address("192.0.2.1")
