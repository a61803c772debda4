from __future__ import annotations

import pytest

from lab.analysis.packets.packet import Icmp
from lab.analysis.sockets.icmp_errors import errno_of, is_time_exceeded


@pytest.mark.parametrize(
    ("version", "type", "code", "expected"),
    [
        (4, 3, 3, "ECONNREFUSED"),
        (4, 3, 1, "EHOSTUNREACH"),
        (4, 3, 4, "EMSGSIZE"),
        (4, 11, 0, "EHOSTUNREACH"),
        (4, 3, 16, ""),
        (4, 0, 0, ""),
        (6, 1, 4, "ECONNREFUSED"),
        (6, 1, 1, "EACCES"),
        (6, 2, 0, "EMSGSIZE"),
        (6, 128, 0, ""),
    ],
)
def test_an_icmp_error_is_the_error_of_a_call(
    version: int, type: int, code: int, expected: str
) -> None:
    icmp = Icmp(0, version, type, code, 0, True, None, None, None, None, None, ())
    assert errno_of(icmp) == expected


@pytest.mark.parametrize(
    ("version", "type", "is_met"),
    [(4, 11, True), (4, 3, False), (6, 3, True), (6, 1, False), (6, 11, False)],
)
def test_time_exceeded_has_another_number_in_each_version(
    version: int, type: int, is_met: bool
) -> None:
    icmp = Icmp(0, version, type, 0, 0, True, None, None, None, None, None, ())
    assert is_time_exceeded(icmp) is is_met
