from __future__ import annotations

from dataclasses import replace

import pytest
import traced_runs as t
from event_ids import event

from lab.analysis.calls.call_text import duration, entered, returned, took, took_long
from lab.analysis.calls.system_call import SystemCall
from lab.records import RingUse


def call(text: str, result: str, end: float | None = 40) -> SystemCall:
    return t.system_call("client", 1, (0, end), text, result)


@pytest.mark.parametrize(
    ("text", "result", "at_entry", "at_exit"),
    [
        ("sendto(3, 'a, b', 4, 0, NULL, 0)", "4", "sendto(3, 'a, b', 4, 0, NULL, 0)", "sendto = 4"),
        (
            "recvfrom(3, 'Hi', 16, 0, NULL, NULL)",
            "2",
            "recvfrom(3, buf, 16, 0, NULL, NULL)",
            "recvfrom = 2, buf 'Hi'",
        ),
        (
            "accept(3, 198.51.100.1:9, [16])",
            "4",
            "accept(3, addr, [16])",
            "accept = 4, addr 198.51.100.1:9",
        ),
        ("accept(3, NULL, NULL)", "4", "accept(3, NULL, NULL)", "accept = 4"),
        ("read(3, 0x7f0010, 16)", "16", "read(3, buf, 16)", "read = 16"),
        ("connect(3, 192.0.2.1:9, 16)", "-1 ECONNREFUSED", "connect(3, 192.0.2.1:9, 16)",
         "connect = -1 ECONNREFUSED"),
        ("read(3, 'left over', 16)", "-1 EAGAIN", "read(3, buf, 16)", "read = -1 EAGAIN"),
    ],
)  # fmt: skip
def test_a_call_shows_at_its_entry_what_it_asks_and_at_its_exit_what_it_got(
    text: str, result: str, at_entry: str, at_exit: str
) -> None:
    assert entered(call(text, result)) == at_entry
    assert returned(call(text, result)) == at_exit


def test_an_unknown_call_is_shown_as_it_is() -> None:
    unknown = SystemCall(
        event("x#1"), "x", "client", 1, 1, "io_uring_enter", (), 0, None, None, "", b"", 0, None, ""
    )
    assert (entered(unknown), returned(unknown)) == ("io_uring_enter()", "io_uring_enter = ?")
    assert (took(unknown), took_long(unknown)) == ("", False)


@pytest.mark.parametrize(
    ("time_ns", "told"),
    [(0, "0.000 ms"), (40_123, "0.040 ms"), (9_999_999_999, "10000.000 ms"), (10**10, "10.000 s")],
)
def test_durations_are_in_milliseconds_until_they_are_long(time_ns: int, told: str) -> None:
    assert duration(time_ns) == told


def test_a_call_takes_long_from_a_millisecond_on() -> None:
    assert not took_long(call("close(3)", "0", 999))
    assert took_long(call("close(3)", "0", 1000))
    assert took(call("close(3)", "0", 1000)) == "1.000 ms"


def test_an_operation_in_a_ring_is_named_as_such() -> None:
    recv = replace(call("recvfrom(3, 'Hi', 16, 0, NULL, NULL)", "2"), ring=RingUse(1, "recv"))
    assert recv.text == "io_uring recv(3, 'Hi', 16, 0, NULL, NULL)"
    assert entered(recv) == "io_uring recv(3, buf, 16, 0, NULL, NULL)"
    assert returned(recv) == "io_uring recv = 2, buf 'Hi'"
    assert replace(recv, ring=RingUse(1)).title == "recvfrom"
