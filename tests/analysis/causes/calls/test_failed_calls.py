"""Why a call failed; and what is near to each cause and is not it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_in

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.cause import Cause
from lab.records import Memory, RanAs, Recording, Syscall

TCP = s.recording_of("traced-tcp4")
(TIMELINE,) = build_timelines(TCP)
(FLOW,) = TIMELINE.flows
STEP = TIMELINE.step
LATE_NS = FLOW.crossings[-1].time_ns + 1_000
EADDRINUSE, EADDRNOTAVAIL, EACCES, EPIPE, ENOTCONN, EISCONN = 98, 99, 13, 32, 107, 106
EPERM = 1


def named(address: str, port: int) -> Memory:
    host = bytes(map(int, address.split(".")))
    return Memory(
        1, "", False, struct.pack("<H", 2) + struct.pack("!H", port) + host + bytes(8), 16
    )


def found(run: Recording) -> Mapping[str, Cause]:
    return causes_in(run, STEP)


def bound(address: str, port: int, errno: int, at_ns: int = LATE_NS) -> Recording:
    """The client made another socket, and bound it in vain."""
    sockets = t.call_of(TCP, "client", "socket")
    made = replace(sockets, entry_ns=at_ns, exit_ns=at_ns + 1, result=90, socket="")
    bind = replace(
        made, name="bind", arguments=(90, 1, 16), memory=(named(address, port),),
        entry_ns=at_ns + 2, exit_ns=at_ns + 3, result=-errno,
    )  # fmt: skip
    return t.with_calls(TCP, [*TCP.trace.syscalls, made, bind])


@pytest.mark.parametrize(("other", "is_met"), [(0, True), (1, False)])
def test_a_connection_in_time_wait_is_in_the_way_of_its_port(other: int, is_met: bool) -> None:
    causes = found(bound("0.0.0.0", FLOW.a.port + other, EADDRINUSE))
    assert ("address-in-use" in causes) is is_met
    if is_met:
        text = causes["address-in-use"].text
        assert "tcp 0 is in its way. This side of that connection is in TIME-WAIT" in text
        assert f"has port {FLOW.a.port}. With SO_REUSEADDR" in text


def test_an_address_of_another_host_is_said_to_be_its() -> None:
    cause = found(bound("198.51.100.2", 5000, EADDRNOTAVAIL))["address-not-here"]
    assert "client has no interface with 198.51.100.2: it is server's." in cause.text
    assert cause.text.endswith("It has 198.51.100.1.")
    nobody = found(bound("203.0.113.9", 5000, EADDRNOTAVAIL))["address-not-here"]
    assert "no interface with 203.0.113.9. It has" in nobody.text
    assert "address-not-here" not in found(bound("198.51.100.1", 5000, EADDRNOTAVAIL))


def ran_as(run: Recording, *capabilities: str) -> Recording:
    return replace(run, ran_as=RanAs("nobody", 65534, capabilities, (), (), False))


def test_a_low_port_takes_a_right() -> None:
    run = bound("0.0.0.0", 80, EACCES)
    assert "port 80 is below 1024" in found(ran_as(run))["port-needs-right"].text
    assert "port-needs-right" not in found(ran_as(run, "CAP_NET_BIND_SERVICE"))
    assert "port-needs-right" not in found(run), "who ran is not known"
    assert "port-needs-right" not in found(ran_as(bound("0.0.0.0", 8080, EACCES)))


def failing(name: str, errno: int, nth: int = 0, program: str = "client") -> Recording:
    def fails(call: Syscall) -> Syscall:
        return replace(call, result=-errno, memory=call.memory[:1])

    return t.changed(program, name, fails, nth)(TCP)


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


@pytest.mark.parametrize(("domain", "kind", "is_met"), [(2, 3, True), (17, 2, True), (2, 1, False)])
def test_a_socket_for_packets_takes_a_right(domain: int, kind: int, is_met: bool) -> None:
    sockets = t.call_of(TCP, "client", "socket")
    made = replace(
        sockets, entry_ns=LATE_NS, exit_ns=LATE_NS + 1, arguments=(domain, kind, 0),
        result=-EPERM, socket="",
    )  # fmt: skip
    run = t.with_calls(TCP, [*TCP.trace.syscalls, made])
    assert ("socket-needs-right" in found(run)) is is_met
    assert "socket-needs-right" not in found(ran_as(run, "CAP_NET_RAW"))
