"""From what BPF saw in the run's namespaces to the records of a run."""

from __future__ import annotations

import socket

import pytest

from lab.kernel.trace.collecting.calls import MovedBytes, Thread
from lab.kernel.trace.collecting.sockets import (
    DYING_NS,
    SocketFollower,
    SocketsSeen,
    Threads,
)
from lab.kernel.trace.networks.network_records import (
    ClosedOfRun,
    DropOfRun,
    EventOfRun,
    Sight,
    SocketEnds,
    StateOfRun,
)
from lab.kernel.trace.tracer import Host
from lab.records import DropNotice, HeldSocket, KernelEvent, Obtained, SocketState

OURS, SOMEBODY = 9001, 1234  # in the trace
NUMBER = 5
OUR_SK, OTHER_SK = 0xFFFF888100C88D80, 0xFFFF888136FD8000
CLIENT, SERVER = "198.51.100.1", "198.51.100.2"
NAMESPACE = 4026532001
HOSTS = {NAMESPACE: Host("server", {1: "lo", 7: "eth0"})}
DROP_REASONS = {2: "NOT_SPECIFIED", 3: "NO_SOCKET"}
RESET_REASONS = {1: "NO_SOCKET"}
ENDS = SocketEnds(socket.AF_INET, socket.IPPROTO_TCP, CLIENT, 40858, SERVER, 4242, CLIENT, SERVER)
CLOSED = ClosedOfRun._make(range(18))


def state(**changed: object) -> StateOfRun:
    """Our client begins to connect."""
    given = StateOfRun(1000, OUR_SK, NAMESPACE, OURS, 7, 2, ENDS, None)
    return given._replace(**changed)  # type: ignore[arg-type]


def drop(**changed: int | bytes) -> DropOfRun:
    """A datagram of six bytes that no socket of the server's wanted."""
    given = DropOfRun(3000, NAMESPACE, 3, 7, 34, 0x0800, b"E packet")
    return given._replace(**changed)  # type: ignore[arg-type]


def sent(**changed: object) -> MovedBytes:
    given = MovedBytes(1000, OURS, True, OUR_SK, 2, 6, 7, 0)
    return given._replace(**changed)  # type: ignore[arg-type]


def follow(
    *seen: StateOfRun | DropOfRun | EventOfRun | MovedBytes,
    began_ns: int = 0,
    ended_ns: int | None = None,
) -> SocketsSeen:
    """What is made of it where the run has one thread."""
    thread = Thread(OURS, NUMBER, "client", began_ns, None, None)
    thread.ended_ns = ended_ns
    sight = Sight(
        [each for each in seen if isinstance(each, StateOfRun)],
        [each for each in seen if isinstance(each, DropOfRun)],
        [each for each in seen if isinstance(each, EventOfRun)],
    )
    lengths = [each for each in seen if isinstance(each, MovedBytes)]
    follower = SocketFollower(HOSTS, DROP_REASONS, RESET_REASONS)
    return follower.follow(sight, lengths, Threads([thread]), "s")


def numbers(seen: SocketsSeen) -> list[int]:
    """Who was running at each state."""
    return [state.tid for state in seen[0]]


def test_a_state_is_shown_with_both_ends() -> None:
    assert follow(state()) == (
        (
            SocketState(
                time_ns=1000,
                obtained=Obtained.MEASURED,
                socket="sk ffff888100c88d80",
                old="CLOSE",
                new="SYN_SENT",
                local_address=CLIENT,
                local_port=40858,
                remote_address=SERVER,
                remote_port=4242,
                tid=NUMBER,
                step="s",
            ),
        ),
        (), (), (),
    )  # fmt: skip


def test_a_state_is_shown_whoever_runs_but_names_threads_of_the_run_alone() -> None:
    assert numbers(follow(state(), state(tid=SOMEBODY), state(tid=0))) == [NUMBER, 0, 0]


def test_a_child_comes_from_its_listening_socket() -> None:
    states = follow(
        state(old=7, new=10),
        state(time_ns=1001, address=OTHER_SK, old=10, new=3),
        state(time_ns=1002, address=OTHER_SK, old=3, new=1),
    )[0]
    assert [(each.old, each.new) for each in states] == [
        ("CLOSE", "LISTEN"), ("LISTEN", "SYN_RECV"), ("SYN_RECV", "ESTABLISHED"),
    ]  # fmt: skip
    assert states[1].socket == states[2].socket != states[0].socket


def test_what_several_processors_recorded_is_in_order_of_time() -> None:
    states, drops, events, _ = follow(
        state(time_ns=3), state(time_ns=2), drop(time_ns=3), drop(time_ns=2),
        sent(time_ns=2), EventOfRun(1, "tcp:tcp_receive_reset", 0, {}),
    )  # fmt: skip
    assert [each.time_ns for each in states] == [2, 3]
    assert [each.time_ns for each in drops] == [2, 3]
    assert [each.time_ns for each in events] == [1, 2]


def test_a_state_that_this_kernel_has_no_name_for_is_its_number() -> None:
    (found,) = follow(state(old=0, new=99))[0]
    assert (found.old, found.new) == ("0", "99")


def test_states_of_another_protocol_are_events() -> None:
    ends = SocketEnds(2, socket.IPPROTO_SCTP, CLIENT, 1, "0.0.0.0", 0, CLIENT, "0.0.0.0")
    states, _, (event,), closings = follow(state(ends=ends, old=7, new=1))
    assert states == closings == ()
    assert event == KernelEvent(
        time_ns=1000,
        name="sock:inet_sock_set_state",
        tid=NUMBER,
        fields={
            "skaddr": "sk ffff888100c88d80", "oldstate": "TCP_CLOSE", "newstate": "TCP_ESTABLISHED",
            "sport": 1, "dport": 0, "family": "AF_INET", "protocol": "IPPROTO_SCTP",
            "saddr": CLIENT, "daddr": "0.0.0.0", "saddr_v6": CLIENT, "daddr_v6": "0.0.0.0",
        },
        step="s",
    )  # fmt: skip


def test_an_event_keeps_its_fields_and_its_reason_is_named() -> None:
    fields: dict[str, int | str] = {"skaddr": "sk 0000000000000000", "state": 0, "reason": 1}
    (event,) = follow(EventOfRun(1000, "tcp:tcp_send_reset", OURS, fields))[2]
    assert event == KernelEvent(
        1000, "tcp:tcp_send_reset", NUMBER, {**fields, "reason": "NO_SOCKET"}, "s"
    )
    (event,) = follow(EventOfRun(1000, "tcp:tcp_send_reset", OURS, {"reason": 77}))[2]
    assert event.fields == {"reason": 77}


def test_what_a_call_sent_has_its_fields_by_their_names() -> None:
    assert follow(sent(protocol=17, result=-11, flags=64))[2] == (
        KernelEvent(
            time_ns=1000,
            name="sock:sock_send_length",
            tid=NUMBER,
            fields={
                "sk": "sk ffff888100c88d80", "family": "AF_INET", "protocol": 17, "ret": -11,
                "flags": 64,
            },
            step="s",
        ),
    )  # fmt: skip
    (event,) = follow(sent(family=10))[2]
    assert (event.fields["family"], event.fields["protocol"]) == ("AF_INET6", "IPPROTO_TCP")


def test_what_others_send_is_left_out_even_on_a_socket_with_that_address() -> None:
    events = follow(sent(result=1), sent(result=2, tid=SOMEBODY))[2]
    assert [event.fields["ret"] for event in events] == [1]


def test_a_thread_closes_its_sockets_after_its_end_was_reported() -> None:
    assert numbers(follow(state(new=7), ended_ns=500)) == [NUMBER]


def test_its_number_is_somebody_elses_later() -> None:
    seen = follow(state(), sent(), began_ns=-2 * DYING_NS, ended_ns=-DYING_NS)
    assert (numbers(seen), seen[2]) == ([0], ())


def test_a_thread_is_not_known_before_it_begins() -> None:
    seen = follow(state(), sent(), began_ns=5000)
    assert (numbers(seen), seen[2]) == ([0], ())


# Packets.


def test_a_drop_names_the_host_and_where_the_packet_had_come_in() -> None:
    assert follow(drop(), drop(interface=0), drop(reason=0x10005))[1] == (
        DropNotice(3000, "NO_SOCKET", "eth0", None, 34, "s", "server", b"E packet"),
        DropNotice(3000, "NO_SOCKET", "", None, 34, "s", "server", b"E packet"),
        DropNotice(3000, "65541", "eth0", None, 34, "s", "server", b"E packet"),
    )


def test_a_dropped_canary_is_no_drop() -> None:
    assert follow(drop(protocol=0x88B5))[1] == ()


def test_a_drop_in_the_namespace_of_no_host_is_left_out() -> None:
    assert [each.host for each in follow(drop(namespace=1), drop())[1]] == ["server"]


# Closed sockets.


def closing(**changed: object) -> tuple[HeldSocket, ...]:
    return follow(state(), state(time_ns=3000, old=8, new=7, closed=CLOSED, **changed))[3]


def test_what_a_socket_had_is_joined_with_its_last_change() -> None:
    (held,) = closing()
    assert (held.time_ns, held.moment, held.host, held.step) == (3000, "close", "server", "s")
    assert (held.local_address, held.local_port, held.remote_port) == (CLIENT, 40858, 4242)
    assert (held.socket, held.state) == ("sk ffff888100c88d80", "CLOSE_WAIT")


@pytest.mark.parametrize("changed", [{"closed": None}, {"namespace": NAMESPACE + 1}])
def test_without_what_it_had_or_a_host_there_is_only_the_change(changed: dict[str, object]) -> None:
    assert follow(state(**changed))[3] == ()
    assert len(follow(state(**changed))[0]) == 1
