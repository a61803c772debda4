"""Dropped packets and changes of state, as BPF sees them in some network namespaces alone."""

from __future__ import annotations

import os

import network_seen
import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system.tcp import STATES

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module", autouse=True)
def needs_bpf() -> None:
    if os.geteuid() != 0:
        pytest.skip("BPF programs are root's: bpf(2) gives EPERM to others")


def test_a_datagram_for_nobody_is_dropped_with_its_bytes(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.send_to_nobody)
    (drop,) = seen.drops
    assert (drop.interface, drop.protocol, drop.length) == (1, 0x0800, 20 + 8 + 6)
    assert drop.packet[-6:] == b"nobody"
    assert drop.reason == seen.no_socket
    assert seen.began_ns < drop.time_ns < seen.ended_ns
    assert seen.lost == 0


def test_a_refused_connection_changes_states_and_drops_the_syn(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.connect_to_nobody)
    # CLOSE -> SYN_SENT -> CLOSE, and between them the RST that answers the SYN.
    connecting, answer, closed = seen.states
    assert connecting.address == closed.address != answer.address
    (drop,) = seen.drops  # TCP has taken the device away from it
    assert drop.packet[33] == 0x02  # SYN
    assert drop.length == len(drop.packet)


def test_of_other_namespaces_nothing_is_seen(sandbox: Sandbox) -> None:
    for act in (network_seen.send_to_nobody, network_seen.connect_to_nobody):
        seen = sandbox.call(network_seen.of_another_namespace, act)
        assert (seen.states, seen.drops, seen.closed, seen.lost) == ([], [], [], 0)


def test_what_is_used_up_is_no_drop(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.converse)
    assert seen.drops == []
    assert len(seen.states) > 4


def test_what_a_connection_had_is_read_when_it_is_closed(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.converse)
    by_state = {STATES[each.old_state]: each for each in seen.closed}
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
    assert {each.namespace for each in seen.closed} == {seen.namespace}
    assert {each.address for each in seen.closed} <= {each.address for each in seen.states}
