"""IPv6 addresses by numbers, so that all columns have one width."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import numpy as np
from numpy.typing import NDArray

from lab.analysis.table.unique import first_of_each
from lab.records.bulk.batch import Ints

Halves = NDArray[np.uint64]


class AddressNumbers:
    """The IPv6 addresses of a table, each once, in the order in which they first came."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._known: list[IPv6Address] = []

    def numbers(self, high: Halves, low: Halves) -> Ints:
        """The numbers of the addresses of which these are the halves."""
        firsts, which = first_of_each(high, low)
        found = [
            self.number(each_high << 64 | each_low)
            for each_high, each_low in zip(high[firsts].tolist(), low[firsts].tolist(), strict=True)
        ]
        return np.array(found, dtype=np.int64)[which]

    def number(self, value: int) -> int:
        """The number of one address."""
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self._known)
            self._known.append(IPv6Address(value))
        return number

    def address(self, version: int, number: int) -> IPv4Address | IPv6Address:
        """The address that a column of a row of that IP version has."""
        return IPv4Address(number) if version == 4 else self._known[number]
