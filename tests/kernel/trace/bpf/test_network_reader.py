"""Dropped packets and changes of state, as BPF sees them in some network namespaces alone."""

from __future__ import annotations

import os

import network_seen
import pytest

from lab.kernel.sandbox.sandbox import Sandbox

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
    assert len(seen.states) == 2  # CLOSE -> SYN_SENT -> CLOSE
    assert len({state.address for state in seen.states}) == 1
    (drop,) = seen.drops  # TCP has taken the device away from it
    assert drop.packet[33] == 0x02  # SYN
    assert drop.length == len(drop.packet)


def test_of_other_namespaces_nothing_is_seen(sandbox: Sandbox) -> None:
    for act in (network_seen.send_to_nobody, network_seen.connect_to_nobody):
        seen = sandbox.call(network_seen.of_another_namespace, act)
        assert (seen.states, seen.drops, seen.lost) == ([], [], 0)


def test_what_is_used_up_is_no_drop(sandbox: Sandbox) -> None:
    seen = sandbox.call(network_seen.of_own_namespace, network_seen.converse)
    assert seen.drops == []
    assert len(seen.states) > 4
