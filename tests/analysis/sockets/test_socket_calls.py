from __future__ import annotations

import pytest
from event_ids import event
from system_calls import decoded

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.sockets.socket_calls import (
    SocketCalls,
    ends_stream,
    is_read,
    is_send,
    opens_fast,
)
from lab.model.event import EventId


@pytest.mark.parametrize("name", ["sendto", "sendmsg", "sendmmsg", "write", "writev", "sendfile"])
def test_calls_that_send_are_sends_unless_they_failed(name: str) -> None:
    assert is_send(decoded(1, name, (0, 1), moved=5))
    assert is_send(decoded(1, name, (0, None)))
    assert not is_send(decoded(1, name, (0, 1), error="EAGAIN"))
    assert not is_read(decoded(1, name, (0, 1), moved=5))


@pytest.mark.parametrize("name", ["recvfrom", "recvmsg", "recvmmsg", "read", "readv"])
def test_calls_that_receive_are_reads_once_they_returned(name: str) -> None:
    assert is_read(decoded(1, name, (0, 1), moved=5))
    assert not is_read(decoded(1, name, (0, None)))
    assert not is_read(decoded(1, name, (0, 1), error="EAGAIN"))
    assert not is_send(decoded(1, name, (0, 1), moved=5))


@pytest.mark.parametrize("flag", ["MSG_PEEK", "MSG_ERRQUEUE"])
def test_reads_that_leave_the_bytes_there_do_not_count(flag: str) -> None:
    flags = {"flags": f"MSG_DONTWAIT|{flag}"}
    assert not is_read(decoded(1, "recvfrom", (0, 1), moved=5, arguments=flags))


def test_splice_reads_from_one_descriptor_and_writes_to_the_other() -> None:
    ends = {"fd_in": "3", "fd_out": "4"}
    out = decoded(1, "splice", (0, 1), moved=5, arguments=ends, descriptor=3)
    assert is_read(out) and not is_send(out)
    into = decoded(1, "splice", (0, 1), moved=5, arguments=ends, descriptor=4)
    assert is_send(into) and not is_read(into)


def test_zero_is_the_end_only_where_something_was_asked_for() -> None:
    assert ends_stream(decoded(1, "recvfrom", (0, 1), arguments={"len": "16"}))
    assert not ends_stream(decoded(1, "recvfrom", (0, 1), arguments={"len": "0"}))
    assert not ends_stream(decoded(1, "read", (0, 1), arguments={"count": "0"}))
    assert not ends_stream(decoded(1, "recvfrom", (0, 1), moved=3, arguments={"len": "16"}))


def ender(*calls: SystemCall) -> EventId | None:
    found = SocketCalls(calls).ends_sending("s1")
    return found.id if found is not None else None


def shutdown(number: int, how: str, error: str = "") -> SystemCall:
    return decoded(number, "shutdown", (number, number), arguments={"how": how}, error=error)


def close(number: int) -> SystemCall:
    return decoded(number, "close", (number, number))


def test_the_first_shutdown_for_writing_ends_the_sending() -> None:
    assert ender(shutdown(1, "SHUT_RD"), shutdown(2, "SHUT_WR"), close(3)) == event("client#2")
    assert ender(shutdown(1, "SHUT_RDWR"), shutdown(2, "SHUT_WR")) == event("client#1")


def test_else_the_last_close_does() -> None:
    assert ender(close(1), close(2)) == event("client#2")
    assert ender(shutdown(1, "SHUT_WR", "ENOTCONN"), close(2)) == event("client#2")
    assert ender(shutdown(1, "SHUT_RD")) is None


def test_a_program_may_stop_reading_itself() -> None:
    calls = SocketCalls([shutdown(5, "SHUT_RD")])
    assert calls.stopped_reading("s1", before_ns=6)
    assert not calls.stopped_reading("s1", before_ns=5)
    assert not SocketCalls([shutdown(5, "SHUT_WR")]).stopped_reading("s1", 9)


def test_a_send_with_fast_open_opens_its_connection() -> None:
    flags = {"flags": "MSG_FASTOPEN|MSG_NOSIGNAL"}
    for name in ("sendto", "sendmsg"):
        assert opens_fast(decoded(1, name, (0, 1), moved=5, arguments=flags))
        assert not opens_fast(decoded(1, name, (0, 1), moved=5))
    assert not opens_fast(decoded(1, "connect", (0, 1)))
