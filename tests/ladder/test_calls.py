from __future__ import annotations

from dataclasses import replace

import pytest
import traced_runs as t

from lab.analysis.calls.system_call import SystemCall
from lab.ladder.calls import CallRows, call_labels
from lab.ladder.model import CallLabel, Part


def lane_of(call: SystemCall) -> int:
    return int(call.program == "server")


def labels(calls: list[SystemCall]) -> dict[str, str]:
    return {str(event): str(label) for event, label in call_labels(calls, lane_of).items()}


def calls() -> list[SystemCall]:
    """The client's connect(), and the server's accept()."""
    told = (t.TALK[3], t.TALK[5])
    return t.system_calls(told)


def test_a_lanes_only_program_needs_no_name() -> None:
    assert labels(calls()) == {"server#1": "#1", "client#1": "#1"}


def test_programs_and_threads_that_share_a_lane_are_named() -> None:
    accept, connect = calls()
    second = replace(connect, id=replace(connect.id, number=2), tid=8)
    other = replace(connect, program="other", id=replace(connect.id, program="other"))
    assert labels([accept, connect, second]) == {
        "server#1": "#1",
        "client#1": "[7]#1",
        "client#2": "[8]#2",
    }
    assert labels([accept, connect, other]) == {
        "server#1": "#1",
        "client#1": "client#1",
        "other#1": "other#1",
    }


def rows(*made: SystemCall) -> CallRows:
    return CallRows({call.id: CallLabel(call.id.number) for call in made}, lane_of)


def test_a_call_shows_at_its_start_what_is_known_then_and_at_its_end_what_came_of_it() -> None:
    accept, _ = calls()
    start = rows(accept).row(accept, Part.START, accept.entry_ns, False)
    assert start.text == "accept4(3, addr, [16], SOCK_CLOEXEC)"
    assert (start.result, start.duration_ns, start.error, start.lane) == ("", None, "", 1)
    end = rows(accept).row(accept, Part.END, accept.exit_ns or 0, True)
    assert end.text == "accept4 = 4, addr 198.51.100.1:40858"
    assert end.duration_ns == (accept.exit_ns or 0) - accept.entry_ns
    assert end.is_concurrent and not start.is_concurrent
    whole = rows(accept).row(accept, Part.WHOLE, accept.entry_ns, False)
    assert (whole.text, whole.result) == (accept.text, "4")


def test_a_call_that_failed_says_so_once_it_has() -> None:
    _, connect = calls()
    failed = replace(connect, error="ECONNREFUSED", result=-1)
    assert rows(failed).row(failed, Part.START, 0, False).error == ""
    assert rows(failed).row(failed, Part.END, 0, False).error == "ECONNREFUSED"


@pytest.mark.parametrize(
    ("name", "error", "is_expected"),
    [
        ("getpeername", "ENOTCONN", True),
        ("shutdown", "ENOTCONN", True),
        ("sendto", "ENOTCONN", False),
        ("getpeername", "EBADF", False),
    ],
)
def test_an_error_that_programs_count_on_is_marked_so(
    name: str, error: str, is_expected: bool
) -> None:
    _, connect = calls()
    failed = replace(connect, name=name, error=error, result=-1)
    assert rows(failed).row(failed, Part.END, 0, False).is_expected_error is is_expected
    assert not rows(failed).row(failed, Part.START, 0, False).is_expected_error


def test_a_call_that_never_returned_has_a_last_row_without_a_time() -> None:
    _, connect = calls()
    row = rows(connect).unfinished(connect)
    assert row.is_unfinished and row.part is Part.END
    assert row.text == "connect had not returned when its program ended"


def test_accept_is_of_the_connection_that_it_made_once_it_has() -> None:
    accept, _ = calls()
    accept = replace(accept, socket="s1", made=("s3",))
    (flow,) = (each.flow.id for each in t.talk().conversations)
    made = CallRows({accept.id: CallLabel(1)}, lane_of, t.talk().endpoints, {flow: "40858"})
    assert made.row(accept, Part.START, 0, False).connection == ""
    assert made.row(accept, Part.END, 0, False).connection == "40858"
