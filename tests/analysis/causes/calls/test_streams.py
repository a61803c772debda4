"""Why a call on a stream failed; and what is near to each cause and is not it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_in
from failed_call import TCP, failing, found

EPIPE, EISCONN, ENOTCONN = 32, 106, 107


def test_a_send_after_the_own_shutdown_is_not_the_peers_doing() -> None:
    shutdown = t.call_of(TCP, "client", "shutdown")
    at_ns = (shutdown.exit_ns or 0) + 1
    send = t.call_of(TCP, "client", "sendto")
    more = replace(send, entry_ns=at_ns, exit_ns=at_ns + 1, result=-EPIPE)
    cause = found(t.with_calls(TCP, [*TCP.trace.syscalls, more]))["sending-was-ended"]
    assert "(shutdown) had ended the sending on this socket" in cause.text
    early = replace(more, entry_ns=shutdown.entry_ns - 2, exit_ns=shutdown.entry_ns - 1)
    assert "sending-was-ended" not in found(t.with_calls(TCP, [*TCP.trace.syscalls, early]))


@pytest.mark.parametrize(("errno", "is_met"), [(111, True), (115, False)])
def test_a_socket_that_connect_did_not_connect_is_not_connected(errno: int, is_met: bool) -> None:
    run = failing("connect", errno)
    first = t.call_of(run, "client", "sendto")
    calls = [replace(c, result=-ENOTCONN) if c is first else c for c in run.trace.syscalls]
    causes = found(t.with_calls(run, calls))
    assert ("not-connected" in causes) is is_met


def test_the_socket_that_listens_has_no_data() -> None:
    listen = t.call_of(TCP, "server", "listen")
    at_ns = (listen.exit_ns or 0) + 1
    read = replace(
        t.call_of(TCP, "server", "recvfrom"), arguments=(listen.arguments[0], 1, 16, 0, 0, 0),
        socket=listen.socket, memory=(), entry_ns=at_ns, exit_ns=at_ns + 1, result=-ENOTCONN,
    )  # fmt: skip
    cause = found(t.with_calls(TCP, [*TCP.trace.syscalls, read]))["not-connected"]
    assert "the socket listens: data goes over what accept() returns" in cause.text


@pytest.mark.parametrize(("first", "is_met"), [(0, True), (-115, False)])
def test_a_second_connect_needs_a_new_socket(first: int, is_met: bool) -> None:
    connect = t.call_of(TCP, "client", "connect")
    at_ns = (connect.exit_ns or 0) + 1
    again = replace(connect, entry_ns=at_ns, exit_ns=at_ns + 1, result=-EISCONN)
    calls = [replace(c, result=first) if c is connect else c for c in TCP.trace.syscalls]
    assert ("already-connected" in found(t.with_calls(TCP, [*calls, again]))) is is_met


UNIX = s.recording_of("traced-unix4")
EDESTADDRREQ = 89


def test_the_other_end_of_a_unix_socket_was_closed() -> None:
    closed = t.call_of(UNIX, "server", "close")
    at_ns = (closed.exit_ns or 0) + 3_000_000
    send = t.call_of(UNIX, "client", "sendto")
    more = replace(send, entry_ns=at_ns, exit_ns=at_ns + 1, result=-EPIPE)
    own = t.call_of(UNIX, "client", "shutdown")
    calls = [c for c in UNIX.trace.syscalls if c is not own]
    cause = causes_in(t.with_calls(UNIX, [*calls, more]), "conversation")["unix-peer-closed"]
    assert "fails with EPIPE: server#14 (close) of server closed the other end" in cause.text
    early = replace(more, entry_ns=closed.entry_ns - 2, exit_ns=closed.entry_ns - 1)
    found = causes_in(t.with_calls(UNIX, [*calls, early]), "conversation")
    assert "unix-peer-closed" not in found


@pytest.mark.parametrize(("status", "is_met"), [(-13, True), (-11, False), (0, False)])
def test_the_signal_that_comes_with_epipe_is_named(status: int, is_met: bool) -> None:
    shutdown = t.call_of(TCP, "client", "shutdown")
    at_ns = (shutdown.exit_ns or 0) + 1
    send = t.call_of(TCP, "client", "sendto")
    more = replace(send, entry_ns=at_ns, exit_ns=at_ns + 1, result=-EPIPE)
    run = t.with_calls(TCP, [*TCP.trace.syscalls, more])
    programs = tuple(
        replace(each, exit_status=status) if each.name == "client" else each
        for each in run.programs
    )
    text = found(replace(run, programs=programs))["sending-was-ended"].text
    assert ("SIGPIPE, which comes with that, ends client" in text) is is_met


def test_a_datagram_to_nobody_in_particular() -> None:
    assert "names no address" in found(failing("sendto", EDESTADDRREQ))["no-destination"].text
