"""Topologies built for real: what was asked for is there, and nothing else."""

from __future__ import annotations

from ipaddress import ip_interface

import inside
import pytest

from lab.errors import KernelRefused, MachineError
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
