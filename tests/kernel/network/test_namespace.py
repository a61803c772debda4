"""Topologies built for real: what was asked for is there, and nothing else."""

from __future__ import annotations

from ipaddress import ip_interface

import inside
import pytest

from lab.errors import KernelRefused, MachineError
from lab.kernel.network.namespace import CONNECTION_BUCKETS, CONNECTIONS_SYSCTL, DERIVED_SYSCTLS
from lab.kernel.network.sysctls import read_sysctl
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import Interface, Link, Topology, two_hosts

pytestmark = pytest.mark.kernel


def test_an_address_twice_in_a_topology_is_refused(sandbox: Sandbox) -> None:
    one = ip_interface("198.51.100.1/24")
    ends = Interface("a", "eth0", (one, one)), Interface("b", "eth0", ())
    with pytest.raises(
        KernelRefused, match=r"cannot add 198\.51\.100\.1/24 .* namespace a: EEXIST"
    ):
        sandbox.call(inside.seen_by_witness, Topology(("a", "b"), (Link(*ends),)))


def test_a_namespace_name_cannot_be_taken_twice(sandbox: Sandbox) -> None:
    with pytest.raises(KernelRefused, match=r"^cannot create network namespace x: EEXIST"):
        sandbox.call(inside.create_twice, "x")


def test_a_sysctl_that_does_not_exist_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(MachineError, match="no sysctl net/ipv6/conf/all/nothing"):
        sandbox.call(inside.write_sysctl, two_hosts(), "net/ipv6/conf/all/nothing", "1")


def test_a_sysctl_value_that_is_no_value_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(KernelRefused, match="cannot set sysctl net/ipv4/ip_forward: Invalid"):
        sandbox.call(inside.write_sysctl, two_hosts(), "net/ipv4/ip_forward", "maybe")


def test_an_error_inside_a_namespace_leads_back_out_of_it(sandbox: Sandbox) -> None:
    before, within, after = sandbox.call(inside.namespace_after_an_error_inside, two_hosts())
    assert within != before
    assert after == before


def test_a_hosts_table_of_connections_is_its_own_and_its_limits_are_the_machines(
    sandbox: Sandbox,
) -> None:
    if sandbox.call(read_sysctl, CONNECTIONS_SYSCTL) is None:
        pytest.skip("this kernel has but one table of connections: Linux before 6.1")
    limits = [sandbox.call(read_sysctl, name) for name in DERIVED_SYSCTLS]
    names = ("net/ipv4/tcp_ehash_entries", *DERIVED_SYSCTLS)
    for seen in sandbox.call(inside.sysctls_of, two_hosts(), names):
        assert seen == [str(CONNECTION_BUCKETS), *limits]
