"""What a host's network has lost."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lab.kernel.network.configuration import Configuration, read_configuration
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import build_topology
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts

NET = (b"\2\x18\1", b"\xfe\0\0\0", b"\xc6\x33\x64\0", b"\x65\0\0\0")
WHOLE = Configuration(
    up=frozenset({"lo", "eth0"}),
    addresses=frozenset({"127.0.0.1/8 of lo", "198.51.100.1/24 of eth0"}),
    routes=frozenset({NET}),
    filters=("nf_tables: generation 1",),
)
NONE: frozenset[str] = frozenset()


def test_what_was_added_is_not_lost() -> None:
    more = replace(
        WHOLE,
        addresses=WHOLE.addresses | {"192.0.2.1/32 of lo"},
        up=WHOLE.up | {"x"},
        queueing=frozenset({("x", "noqueue", 0)}),
    )
    assert WHOLE.lost(WHOLE) == WHOLE.lost(more) == ()


def test_each_thing_that_is_lost_is_named() -> None:
    assert WHOLE.lost(replace(WHOLE, up=frozenset({"eth0"}))) == ("lo was taken down",)
    gone = replace(WHOLE, addresses=frozenset({"127.0.0.1/8 of lo"}), routes=frozenset())
    assert WHOLE.lost(gone) == ("the address 198.51.100.1/24 of eth0 was removed",)
    assert WHOLE.lost(replace(WHOLE, routes=frozenset())) == ("1 route removed",)
    other = replace(WHOLE, filters=("nf_tables: generation 2",))
    assert WHOLE.lost(other) == ("the packet filter was changed",)
    ruled = replace(WHOLE, rules=frozenset({b"local", b"main"}))
    assert ruled.lost(replace(ruled, rules=frozenset({b"local"}))) == (
        "1 rule for routing removed",
    )
    assert WHOLE.lost(ruled) == ()
    shaped = replace(WHOLE, queueing=frozenset({("eth0", "pfifo", 1)}))
    said = ("traffic control of eth0 was changed",)
    assert WHOLE.lost(shaped) == shaped.lost(WHOLE) == said


def test_what_went_with_an_end_of_a_link_is_left_to_the_canaries() -> None:
    without = Configuration(frozenset({"lo"}), frozenset({"127.0.0.1/8 of lo"}), frozenset(), ())
    assert replace(WHOLE, filters=()).lost(without) == ()


def configurations() -> list[Configuration]:
    """Run inside: of a host's network, twice, once it is as a run's programs find it."""
    with build_topology(two_hosts()) as namespaces:
        wait_until_links_ready(namespaces)
        return [read_configuration(namespaces["server"]) for _ in range(2)]


@pytest.mark.kernel
def test_the_configuration_is_what_the_lab_asked_for(sandbox: Sandbox) -> None:
    first, second = sandbox.call(configurations)
    assert first == second
    assert first.up >= {"lo", "eth0"}
    assert {"127.0.0.1/8 of lo", "198.51.100.2/24 of eth0"} <= first.addresses
    assert first.rules
    # user_namespaces(7): files of uid 0, which the namespace of an ordinary user does not have.
    is_hidden = os.geteuid() != 0 and Path("/proc/net/ip_tables_names").exists()
    assert bool(first.unseen) == is_hidden
    assert any(destination == b"\xc6\x33\x64\0" for _, _, destination, _ in first.routes)
