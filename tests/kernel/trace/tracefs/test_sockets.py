"""From the whole machine's events to the run's sockets and packets."""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Any

import pytest
from trace_bytes import Tracepoint, formats, symbolic

from lab.errors import InstrumentError
from lab.kernel.trace.bpf.network_records import ClosedOfRun, DropOfRun, StateOfRun
from lab.kernel.trace.tracefs.calls import Thread
from lab.kernel.trace.tracefs.pages import RawEvent
from lab.kernel.trace.tracefs.sockets import (
    DYING_NS,
    SAME_NS,
    SOFTIRQ,
    Sight,
    SocketFollower,
    Threads,
)
from lab.kernel.trace.tracer import Host
from lab.records import DropNotice, HeldSocket, KernelEvent, Obtained, SocketState

OURS, SOMEBODY = 9001, 1234  # in the trace
NUMBER = 5
OUR_SK, OTHER_SK = 0xFFFF888100C88D80, 0xFFFF888136FD8000
CLIENT, SERVER = "198.51.100.1", "198.51.100.2"
ADDRESSES = frozenset({CLIENT, SERVER, "2001:db8::1", "2001:db8::2"})

STATES = {1: "TCP_ESTABLISHED", 2: "TCP_SYN_SENT", 7: "TCP_CLOSE", 10: "TCP_LISTEN"}
FAMILY = symbolic("family", {2: "AF_INET", 10: "AF_INET6"})
PROTOCOL = symbolic("protocol", {6: "IPPROTO_TCP", 132: "IPPROTO_SCTP"})
ENDS = (
    ("__u16 sport", 2),
    ("__u16 dport", 2),
    ("__u16 family", 2),
    ("__u8 saddr[4]", 4),
    ("__u8 daddr[4]", 4),
    ("__u8 saddr_v6[16]", 16),
    ("__u8 daddr_v6[16]", 16),
)
SET_STATE = Tracepoint(
    "sock:inet_sock_set_state",
    30,
    (("const void * skaddr", 8), ("int oldstate", 4), ("int newstate", 4), ("__u16 protocol", 2),
     *ENDS),
    f"{FAMILY}, {PROTOCOL}, {symbolic('oldstate', STATES)}, {symbolic('newstate', STATES)}",
)  # fmt: skip
DESTROY = Tracepoint("tcp:tcp_destroy_sock", 31, (("const void * skaddr", 8), *ENDS), FAMILY)
SEND_LENGTH = Tracepoint(
    "sock:sock_send_length",
    32,
    (("void * sk", 8), ("__u16 family", 2), ("__u16 protocol", 2), ("int ret", 4)),
    f"{FAMILY}, {PROTOCOL}",
)
RESET = Tracepoint(
    "tcp:tcp_send_reset",
    33,
    (
        ("const void * skbaddr", 8),
        ("const void * skaddr", 8),
        ("__u8 saddr[28]", 28),
        ("__u8 daddr[28]", 28),
    ),
)
DROP = Tracepoint(
    "skb:kfree_skb",
    34,
    (("void * skbaddr", 8), ("unsigned short protocol", 2), ("enum skb_drop_reason reason", 4)),
    symbolic("reason", {2: "NOT_SPECIFIED", 3: "NO_SOCKET"}),
)
TRACEPOINTS = (SET_STATE, DESTROY, SEND_LENGTH, RESET, DROP)

NAMESPACE = 4026532001
HOSTS = {NAMESPACE: Host("server", {1: "lo", 7: "eth0"})}


class Machine:
    """What happened on the whole machine, a microsecond apart; our thread lives from the first."""

    def __init__(self) -> None:
        self.follower = SocketFollower(formats(TRACEPOINTS), ADDRESSES, HOSTS)
        self.sight: Sight | None = None
        self.events: list[RawEvent] = []
        self.thread = Thread(OURS, "client", 0, None, None, number=NUMBER)

    def add(
        self, what: Tracepoint, running: int = SOMEBODY, flags: int = 0, **values: int | bytes | str
    ) -> Machine:
        time_ns = 1000 * (len(self.events) + 1)
        self.events.append((time_ns, what.record(running, flags, **values)))
        return self

    def state(
        self, sk: int, new: int, local: str, remote: str, running: int = SOMEBODY, flags: int = 0
    ) -> Machine:
        return self.add(
            SET_STATE, running, flags,
            skaddr=sk, oldstate=7, newstate=new, protocol=6, **ends(local, remote),
        )  # fmt: skip

    def seen_by_bpf(self, *seen: StateOfRun | DropOfRun | ClosedOfRun) -> Machine:
        """BPF saw these in the run's namespaces, and nothing else."""
        self.sight = Sight(
            [each for each in seen if isinstance(each, StateOfRun)],
            [each for each in seen if isinstance(each, DropOfRun)],
            [each for each in seen if isinstance(each, ClosedOfRun)],
        )
        return self

    def take(
        self,
    ) -> tuple[
        tuple[SocketState, ...],
        tuple[DropNotice, ...],
        tuple[KernelEvent, ...],
        tuple[HeldSocket, ...],
    ]:
        self.follower.feed(self.events, Threads([self.thread]), self.sight)
        self.events.clear()
        return self.follower.take("s")

    def states(self) -> list[tuple[str, int]]:
        """The new states, and who was running."""
        return [(state.new, state.tid) for state in self.take()[0]]

    def drops(self) -> list[tuple[str, str, int | None, int]]:
        return [(d.reason, d.interface, d.arrived_ns, d.length) for d in self.take()[1]]


def ends(local: str, remote: str) -> dict[str, Any]:
    """Fields for "198.51.100.1:4242" or "[2001:db8::1]:4242", as the kernel fills them."""
    fields: dict[str, Any] = {}
    for end, prefix in ((local, "s"), (remote, "d")):
        host, _, port = end.rpartition(":")
        address = ipaddress.ip_address(host.strip("[]"))
        fields[f"{prefix}port"] = int(port)
        is_4 = address.version == 4
        mapped = ipaddress.ip_address(f"::ffff:{address}") if is_4 else address
        fields[f"{prefix}addr"] = address.packed if is_4 else bytes(4)
        fields[f"{prefix}addr_v6"] = mapped.packed
        fields["family"] = socket.AF_INET if is_4 else socket.AF_INET6
    return fields


def test_a_state_is_shown_with_both_ends() -> None:
    machine = Machine().state(OUR_SK, 2, f"{CLIENT}:40858", f"{SERVER}:4242", running=OURS)
    assert machine.take()[0] == (
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
    )


def test_ipv6_ends_are_read_from_their_own_fields() -> None:
    machine = Machine().state(OUR_SK, 1, "[2001:db8::1]:1", "[2001:db8::2]:2")
    (state,), *_ = machine.take()
    assert (state.local_address, state.remote_address) == ("2001:db8::1", "2001:db8::2")


def test_a_mapped_address_is_the_ipv4_address_that_it_stands_for() -> None:
    fields = {**ends(f"{CLIENT}:1", f"{SERVER}:2"), "family": socket.AF_INET6}
    machine = Machine().add(SET_STATE, skaddr=OUR_SK, newstate=1, protocol=6, **fields)
    (state,), *_ = machine.take()
    assert (state.local_address, state.remote_address) == (CLIENT, SERVER)


def test_the_machines_other_connections_are_left_out() -> None:
    machine = Machine().state(OTHER_SK, 1, "192.0.2.1:22", "203.0.113.9:50000")
    assert machine.state(OTHER_SK, 1, f"{CLIENT}:22", "203.0.113.9:50000").states() == []


def test_between_the_topologys_addresses_all_are_kept_whoever_runs() -> None:
    machine = Machine().state(OUR_SK, 1, f"{SERVER}:4242", f"{CLIENT}:40858", flags=SOFTIRQ)
    assert machine.states() == [("ESTABLISHED", 0)]


def test_what_a_thread_did_itself_makes_the_whole_socket_its_own() -> None:
    machine = Machine().state(OUR_SK, 7, "127.0.0.1:22", "127.0.0.1:50000")
    machine.state(OUR_SK, 10, "0.0.0.0:4242", "0.0.0.0:0", running=OURS)
    assert machine.states() == [("CLOSE", 0), ("LISTEN", NUMBER)]


def test_an_interrupt_over_a_thread_does_not() -> None:
    machine = Machine().state(
        OTHER_SK, 1, "192.0.2.1:22", "203.0.113.9:50000", running=OURS, flags=SOFTIRQ
    )
    assert machine.states() == []


def test_a_sockets_address_is_anothers_after_its_end() -> None:
    machine = Machine().state(OUR_SK, 10, "0.0.0.0:4242", "0.0.0.0:0", running=OURS)
    machine.add(DESTROY, skaddr=OUR_SK, **ends("0.0.0.0:4242", "0.0.0.0:0"))
    machine.state(OUR_SK, 1, "192.0.2.1:22", "203.0.113.9:50000")
    states, _, events, _ = machine.take()
    assert [state.new for state in states] == ["LISTEN"]
    assert [event.name for event in events] == ["tcp:tcp_destroy_sock"]


def test_a_socket_stays_the_runs_in_the_next_step() -> None:
    machine = Machine().state(OUR_SK, 10, "0.0.0.0:4242", "0.0.0.0:0", running=OURS)
    machine.take()
    assert machine.state(OUR_SK, 7, "0.0.0.0:4242", "0.0.0.0:0").states() == [("CLOSE", 0)]


@pytest.mark.parametrize("loopback", ["127.0.0.1", "[::1]"])
def test_of_a_loopback_connection_both_ends_are_kept(loopback: str) -> None:
    near, far = f"{loopback}:40858", f"{loopback}:4242"
    machine = Machine().state(OTHER_SK, 1, far, near)  # in a soft interrupt, never accepted
    machine.state(OUR_SK, 1, near, far, running=OURS)
    machine.state(0xFFFF888100000000, 1, f"{loopback}:22", f"{loopback}:50000")
    assert machine.states() == [("ESTABLISHED", 0), ("ESTABLISHED", NUMBER)]


def test_states_of_another_protocol_are_events() -> None:
    machine = Machine().add(
        SET_STATE, OURS, skaddr=OUR_SK, newstate=1, protocol=132, **ends(f"{CLIENT}:1", "0.0.0.0:0")
    )
    states, _, (event,), _ = machine.take()
    assert states == ()
    assert event.name == "sock:inet_sock_set_state"
    assert event.fields["protocol"] == "IPPROTO_SCTP"


def test_an_event_has_its_fields_by_their_names() -> None:
    machine = Machine().add(SEND_LENGTH, OURS, sk=OUR_SK, family=2, protocol=17, ret=-11)
    assert machine.take()[2] == (
        KernelEvent(
            time_ns=1000,
            name="sock:sock_send_length",
            tid=NUMBER,
            fields={
                "sk": "sk ffff888100c88d80", "family": "AF_INET", "protocol": 17, "ret": -11,
            },
            step="s",
        ),
    )  # fmt: skip


def test_what_others_send_is_left_out_even_on_a_socket_with_that_address() -> None:
    machine = Machine().add(SEND_LENGTH, OURS, sk=OUR_SK, protocol=17, ret=1)
    machine.add(SEND_LENGTH, SOMEBODY, sk=OUR_SK, protocol=17, ret=2)
    assert [event.fields["ret"] for event in machine.take()[2]] == [1]


def test_a_sent_byte_makes_a_tcp_socket_the_runs() -> None:
    machine = Machine().add(SEND_LENGTH, OURS, sk=OUR_SK, protocol=6, ret=1)
    assert machine.state(OUR_SK, 7, "127.0.0.1:22", "127.0.0.1:1").states() == [("CLOSE", 0)]


def sockaddr(address: str, port: int) -> bytes:
    found = ipaddress.ip_address(address)
    if found.version == 4:
        return (
            struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + found.packed + bytes(20)
        )
    head = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
    return head + found.packed + bytes(4)


@pytest.mark.parametrize(("near", "far"), [(CLIENT, SERVER), ("2001:db8::1", "2001:db8::2")])
def test_ends_may_be_whole_socket_addresses(near: str, far: str) -> None:
    machine = Machine().add(
        RESET, SOMEBODY, SOFTIRQ, saddr=sockaddr(near, 4242), daddr=sockaddr(far, 40858)
    )
    (event,) = machine.take()[2]
    assert event.fields == {
        "skbaddr": "0x0", "skaddr": "sk 0000000000000000",
        "saddr": f"{near} 4242", "daddr": f"{far} 40858",
    }  # fmt: skip


def test_a_thread_closes_its_sockets_after_its_end_was_reported() -> None:
    machine = Machine()
    machine.thread.ended_ns = 500
    machine.state(OUR_SK, 7, f"{CLIENT}:1", "203.0.113.9:2", running=OURS)
    assert machine.states() == [("CLOSE", NUMBER)]


def test_its_number_is_somebody_elses_later() -> None:
    machine = Machine()
    machine.thread.began_ns, machine.thread.ended_ns = -2 * DYING_NS, -DYING_NS
    machine.state(OUR_SK, 7, f"{CLIENT}:1", "203.0.113.9:2", running=OURS)
    assert machine.states() == []


def test_a_thread_is_not_known_before_it_begins() -> None:
    machine = Machine()
    machine.thread.began_ns = 5000
    machine.state(OUR_SK, 7, f"{CLIENT}:1", "203.0.113.9:2", running=OURS)
    assert machine.states() == []


# Packets.


def drop(**changed: int | bytes) -> DropOfRun:
    """A datagram of six bytes that no socket of the server's wanted."""
    given = DropOfRun(3000, NAMESPACE, 3, 7, 34, 0x0800, b"E packet")
    return given._replace(**changed)  # type: ignore[arg-type]


def test_a_drop_names_the_host_and_where_the_packet_had_come_in() -> None:
    machine = Machine().seen_by_bpf(drop(), drop(interface=0), drop(reason=0x10005))
    assert machine.take()[1] == (
        DropNotice(3000, "NO_SOCKET", "eth0", None, 34, "s", "server", b"E packet"),
        DropNotice(3000, "NO_SOCKET", "", None, 34, "s", "server", b"E packet"),
        DropNotice(3000, "65541", "eth0", None, 34, "s", "server", b"E packet"),
    )


def test_a_dropped_canary_is_no_drop() -> None:
    assert Machine().seen_by_bpf(drop(protocol=0x88B5)).drops() == []


def test_where_bpf_sees_drops_those_of_a_namespace_are_all() -> None:
    machine = Machine().seen_by_bpf(drop(namespace=1), drop())
    assert machine.drops() == [("NO_SOCKET", "eth0", None, 34)]


def test_where_bpf_sees_states_the_addresses_of_another_run_mean_nothing() -> None:
    machine = Machine().state(OTHER_SK, 1, f"{SERVER}:4242", f"{CLIENT}:40858")
    machine.state(OUR_SK, 10, f"{SERVER}:4242", f"{CLIENT}:40858")
    assert machine.seen_by_bpf(StateOfRun(2000, OUR_SK)).states() == [("LISTEN", 0)]


def test_a_state_that_bpf_saw_at_another_time_is_of_another_socket_with_that_address() -> None:
    for apart, kept in ((SAME_NS, 1), (SAME_NS + 1, 0), (-SAME_NS, 1), (-SAME_NS - 1, 0)):
        machine = Machine().state(OUR_SK, 10, f"{SERVER}:4242", f"{CLIENT}:40858")
        assert len(machine.seen_by_bpf(StateOfRun(1000 + apart, OUR_SK)).states()) == kept


def test_what_bpf_saw_once_makes_the_whole_socket_the_runs() -> None:
    machine = Machine().state(OUR_SK, 10, f"{SERVER}:4242", "0.0.0.0:0")
    machine.seen_by_bpf(StateOfRun(1000, OUR_SK)).take()
    assert machine.state(OUR_SK, 7, f"{SERVER}:4242", "0.0.0.0:0").states() == [("CLOSE", 0)]


def test_what_a_thread_throws_away_itself_is_kept() -> None:
    machine = Machine().add(DROP, OURS, skbaddr=1, reason=3).add(DROP, OURS, SOFTIRQ, reason=3)
    assert machine.drops() == [("NO_SOCKET", "", None, 0)]


def test_a_reason_without_a_name_is_its_number() -> None:
    machine = Machine().add(DROP, OURS, skbaddr=1, reason=0x10005)
    assert machine.drops() == [("65541", "", None, 0)]


def test_what_is_freed_without_a_reason_was_made_use_of() -> None:
    assert Machine().add(DROP, OURS, skbaddr=1, reason=2).drops() == []


def test_a_canary_that_a_thread_dropped_is_no_drop() -> None:
    assert Machine().add(DROP, OURS, skbaddr=1, protocol=0x88B5, reason=3).drops() == []


@pytest.mark.parametrize("tracepoint", TRACEPOINTS, ids=lambda one: one.name)
def test_a_record_cut_short_is_refused(tracepoint: Tracepoint) -> None:
    whole = tracepoint.record(OURS, name="eth0")
    for length in range(len(whole)):
        with pytest.raises(InstrumentError, match="record"):
            Machine().follower.feed([(1, whole[:length])], Threads(()), None)


CLOSED = ClosedOfRun._make([3000, OUR_SK, NAMESPACE, 8, *range(18)])


def closing(*seen: ClosedOfRun, new: int = 7) -> tuple[HeldSocket, ...]:
    machine = Machine()
    for state in (2, 1, new):
        machine.state(OUR_SK, state, f"{CLIENT}:40858", f"{SERVER}:4242", running=OURS)
    return machine.seen_by_bpf(StateOfRun(1000, OUR_SK), *seen).take()[3]


def test_what_a_socket_had_is_joined_with_its_last_change() -> None:
    (held,) = closing(CLOSED)
    assert (held.time_ns, held.moment, held.host, held.step) == (3000, "close", "server", "s")
    assert (held.local_address, held.local_port, held.remote_port) == (CLIENT, 40858, 4242)
    assert held.socket == "sk ffff888100c88d80"


def test_what_another_socket_had_is_not() -> None:
    far_ns = 3000 + 2 * SAME_NS
    for other in ({"time_ns": far_ns}, {"address": OUR_SK + 8}, {"namespace": NAMESPACE + 1}):
        assert closing(CLOSED._replace(**other)) == ()
    assert closing(CLOSED, new=8) == ()


def test_an_rst_that_no_socket_sends_is_of_the_run_whose_namespace_bpf_saw_it_in() -> None:
    def sent(*seen: StateOfRun) -> int:
        machine = Machine().add(RESET, skaddr=0, skbaddr=77, saddr=bytes(28), daddr=bytes(28))
        return len(machine.seen_by_bpf(*seen).take()[2])

    assert sent(StateOfRun(1000, 77)) == 1
    assert sent(StateOfRun(1000, 78)) == 0
    assert sent() == 0
