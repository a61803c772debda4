"""Calls in a line, and what a program waits for."""

from __future__ import annotations

import pytest

from lab.analysis.calls.system_call import SystemCall
from lab.records import Syscall
from lab.stepping.call_text import decoded, shown, waits_for
from lab.stepping.scene import CallShown


def call(name: str, *arguments: int, result: int | None = None) -> SystemCall:
    exit_ns = None if result is None else 20
    return decoded(Syscall("client", 1, 1, name, arguments, (), 10, exit_ns, result), "x86_64")


def test_a_call_has_its_result_once_it_has_returned() -> None:
    assert shown(call("close", 3, result=0)) == CallShown("close(3) = 0", False)
    assert shown(call("listen", 3, 5)) == CallShown("listen(3, 5)", True)
    assert shown(call("close", 3, result=-9)).text == "close(3) = -1 EBADF"


@pytest.mark.parametrize(
    ("name", "count", "what"),
    [
        ("accept4", 4, "accept4: waits for a connection"),
        ("connect", 3, "connect: waits for the handshake"),
        ("recvfrom", 6, "recvfrom: waits for data, or the peer's close"),
        ("sendto", 6, "sendto: waits for room to send"),
        ("poll", 3, "poll: waits for one of its descriptors"),
        ("getsockname", 3, "getsockname: waits for its end"),
    ],
)
def test_what_a_program_waits_for(name: str, count: int, what: str) -> None:
    inside = call(name, *[0] * count)
    assert waits_for([call("close", 3, result=0), inside]) == what
    assert waits_for([call("close", 3, result=0)]) == waits_for([]) == ""
