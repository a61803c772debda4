"""What happens to sockets and packets, as BPF sees it in some network namespaces alone."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import network_seen
import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system.tcp import STATES
from lab.kernel.trace.networks.network_records import Sight

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module", autouse=True)
def needs_bpf() -> None:
    if os.geteuid() != 0:
        pytest.skip("BPF programs are root's: bpf(2) gives EPERM to others")


def changes(sight: Sight) -> list[tuple[str, str]]:
    return [(STATES[each.old], STATES[each.new]) for each in sight.states]


def test_a_datagram_for_nobody_is_dropped_with_its_bytes(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.send_to_nobody)
    (drop,) = seen.sight.drops
    assert (drop.interface, drop.protocol, drop.length) == (1, 0x0800, 20 + 8 + 6)
    assert drop.packet[-6:] == b"nobody"
    assert seen.drop_reasons[drop.reason] == "NO_SOCKET"
    assert seen.began_ns < drop.time_ns < seen.ended_ns
    assert seen.lost == 0


def test_a_refused_connection_changes_states_and_drops_the_syn(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.connect_to_nobody)
    assert changes(seen.sight) == [("CLOSE", "SYN_SENT"), ("SYN_SENT", "CLOSE")]
    connecting, closed = seen.sight.states
    assert connecting.address == closed.address
    assert connecting.tid == closed.tid != 0
    assert seen.began_ns < connecting.time_ns < closed.time_ns < seen.ended_ns
    (drop,) = seen.sight.drops  # TCP has taken the device away from it
    assert drop.packet[33] == 0x02  # SYN
    assert drop.length == len(drop.packet)


def test_an_rst_of_nobodys_is_seen_where_it_is_sent_and_where_it_comes(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.connect_to_nobody_by_ipv6)
    *sent_ones, received = seen.sight.events
    assert received.name == "tcp:tcp_receive_reset"
    assert received.fields["skaddr"] == f"sk {seen.sight.states[0].address:016x}"
    ends = [received.fields[name] for name in ("family", "saddr_v6", "sport", "daddr_v6", "dport")]
    assert ends == ["AF_INET6", "::1", 4343, "::1", 9]
    assert received.tid == seen.sight.states[0].tid
    if not seen.reset_reasons:  # before Linux 6.10, which do not tell of the other either
        assert not sent_ones
        return
    (sent,) = sent_ones
    assert sent.name == "tcp:tcp_send_reset"
    assert (sent.fields["saddr"], sent.fields["daddr"]) == ("::1 9", "::1 4343")
    assert (sent.fields["skaddr"], sent.fields["state"]) == ("sk 0000000000000000", 0)
    assert seen.reset_reasons[int(sent.fields["reason"])] == "NO_SOCKET"
    assert sent.tid == seen.sight.states[0].tid


def test_an_rst_of_a_socket_has_its_ends_also_mapped_ones(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.converse_mapped)
    (sent,) = [each for each in seen.sight.events if each.name == "tcp:tcp_send_reset"]
    server = next(each for each in seen.sight.states if STATES[each.old] == "SYN_RECV")
    assert server.ends.family == socket.AF_INET6
    assert (server.ends.local, server.ends.local_port) == ("127.0.0.1", 4242)
    assert sent.fields["skaddr"] == f"sk {server.address:016x}"
    assert (sent.fields["saddr"], sent.fields["daddr"]) == (
        "127.0.0.1 4242", f"127.0.0.1 {server.ends.remote_port}",
    )  # fmt: skip


def test_what_is_sent_again_is_seen(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.wait_for_lost_segments)
    by_name = {each.name: each.fields for each in seen.sight.events}
    syn, syn_ack = by_name["tcp:tcp_retransmit_skb"], by_name["tcp:tcp_retransmit_synack"]
    assert (STATES[int(syn["state"])], syn["family"], syn["dport"]) == (
        "SYN_SENT", "AF_INET", 4245,
    )  # fmt: skip
    connecting = {
        f"sk {each.address:016x}": each.ends.remote_port
        for each in seen.sight.states
        if STATES[each.new] == "SYN_SENT"
    }
    assert connecting[str(syn["skaddr"])] == 4245
    assert (syn_ack["sport"], syn_ack["saddr"], syn_ack["daddr"]) == (
        4244, "127.0.0.1", "127.0.0.1",
    )  # fmt: skip
    (client,) = [
        each.ends for each in seen.sight.states
        if each.ends.remote_port == 4244 and STATES[each.new] == "ESTABLISHED"
    ]  # fmt: skip
    assert syn_ack["dport"] == client.local_port


def test_of_other_namespaces_nothing_is_seen(sandbox: Sandbox) -> None:
    for act in (
        network_seen.send_to_nobody, network_seen.connect_to_nobody, network_seen.converse,
        network_seen.converse_mapped,
    ):  # fmt: skip
        seen = sandbox.call(network_seen.of_another_namespace, act)
        assert (seen.sight, seen.lost) == (Sight(), 0)


def test_what_is_used_up_is_no_drop(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.converse)
    assert seen.sight.drops == []
    assert len(seen.sight.states) > 4


def test_both_ends_of_a_connection_are_seen_from_their_beginning(sandbox: Sandbox) -> None:
    sight = sandbox.call(network_seen.of_own_namespace, network_seen.converse).sight
    assert changes(sight)[:2] == [("CLOSE", "LISTEN"), ("CLOSE", "SYN_SENT")]
    by_change = dict(zip(changes(sight), sight.states, strict=True))
    client, begun, server = (
        by_change[each].ends
        for each in (
            ("SYN_SENT", "ESTABLISHED"),
            ("LISTEN", "SYN_RECV"),
            ("SYN_RECV", "ESTABLISHED"),
        )
    )
    # As Linux 6.1 makes the socket, it knows its far end only after its first change.
    assert begun in (server, replace(server, remote="0.0.0.0", remote_4="0.0.0.0", remote_port=0))
    assert (client.local, client.local_port) == (server.remote, server.remote_port)
    assert (client.remote, client.remote_port) == (server.local, server.local_port)
    assert client.family == socket.AF_INET
    assert client.protocol == socket.IPPROTO_TCP
    assert client.local == "127.0.0.1"


def test_a_closed_socket_keeps_its_port(sandbox: Sandbox) -> None:
    """It has been taken off the table of ports before it changes its state."""
    sight = sandbox.call(network_seen.of_own_namespace, network_seen.converse).sight
    ports = {each.address: each.ends.local_port for each in sight.states}
    closed = [each for each in sight.states if STATES[each.new] == "CLOSE"]
    assert len(closed) == 3
    assert all(each.ends.local_port == ports[each.address] != 0 for each in closed)


def test_what_a_connection_had_is_read_when_it_is_closed(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.converse)
    by_state = {STATES[each.old]: each.closed for each in seen.sight.states if each.closed}
    listening, server = by_state["LISTEN"], by_state["LAST_ACK"]
    assert (listening.waiting, listening.limit) == (0, network_seen.BACKLOG)
    sent = len(network_seen.SENT)
    # Its SYN and its FIN have numbers as well.
    assert sent < server.bytes_acked <= sent + 2
    assert server.written == server.acknowledged
    client = by_state["FIN_WAIT2"]
    assert sent <= client.bytes_received <= sent + 1
    assert 0 < client.rtt >> 3 < 10_000_000
    assert client.cwnd > 0
    assert {each.namespace for each in seen.sight.states} == {seen.namespace}
