"""Topologies built for real: what was asked for is there, and nothing else."""

from __future__ import annotations

import socket
from ipaddress import IPv4Interface, ip_interface

import inside
import pytest
from outside import with_mtu

from lab.errors import InstrumentError, KernelRefused, MachineError
from lab.kernel.network.netlink import BATCH_MESSAGES
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import Interface, Link, Topology, chain, two_hosts

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(
    "topology", [two_hosts(), chain(3), chain(20)], ids=lambda t: f"{len(t.hosts)} hosts"
)
def test_a_program_inside_sees_what_was_asked_for(sandbox: Sandbox, topology: Topology) -> None:
    seen = sandbox.call(inside.seen_by_witness, topology)
    assert {(i.host, i.name): set(i.addresses) for i in seen if i.name != "lo"} == {
        (i.host, i.name): set(i.addresses) for i in topology.interfaces()
    }
    assert [i.host for i in seen if i.name == "lo"] == list(topology.hosts)


@pytest.mark.parametrize("address", ["203.0.113.9/24", "2001:db8:bad::9/64"])
def test_another_address_than_asked_for_is_noticed(sandbox: Sandbox, address: str) -> None:
    with pytest.raises(InstrumentError) as raised:
        sandbox.call(inside.address_behind_its_back, two_hosts(), ip_interface(address))
    asked, _, seen = str(raised.value).partition("; a program inside sees ")
    assert asked == (
        "namespace client is not what was asked for: asked for "
        "eth0 with 198.51.100.1/24 and 2001:db8::1/64"
    )
    assert "198.51.100.1/24" in seen
    assert address in seen


def test_a_device_that_nobody_asked_for_is_noticed_once_it_is_up(sandbox: Sandbox) -> None:
    with pytest.raises(InstrumentError, match="tunl0 with no address"):
        sandbox.call(inside.device_behind_its_back, two_hosts(), True)


def test_a_device_of_the_kernels_own_that_is_down_does_no_harm(sandbox: Sandbox) -> None:
    """Where a tunnel's module is loaded, each new namespace begins with its fallback device."""
    seen = sandbox.call(inside.device_behind_its_back, two_hosts(), False)
    assert {interface.name for interface in seen} == {"lo", "eth0"}


def test_offloads_are_off(sandbox: Sandbox) -> None:
    ours, untouched = sandbox.call(inside.offloads, chain(3))
    assert ours == {"h0/right": [], "h1/left": [], "h1/right": [], "h2/left": []}
    assert {"rx-checksumming", "tx-checksumming", "tcp-segmentation-offload"} <= set(untouched)


@pytest.mark.parametrize("mtu_bytes", [1280, 1500, 9000, 65_535])
def test_the_mtu_is_the_one_asked_for(sandbox: Sandbox, mtu_bytes: int) -> None:
    found = sandbox.call(inside.mtus, with_mtu(two_hosts(), mtu_bytes))
    assert found == {"client/eth0": mtu_bytes, "server/eth0": mtu_bytes}


def test_an_impossible_mtu_is_refused_by_name(sandbox: Sandbox) -> None:
    with pytest.raises(KernelRefused, match=r"^cannot create veth eth0 with peer eth0 .*: EINVAL"):
        sandbox.call(inside.mtus, with_mtu(two_hosts(), 70_000))


def test_a_refused_request_is_named(sandbox: Sandbox) -> None:
    address = ip_interface("198.51.100.1/24")
    refusal, _ = sandbox.call(inside.add_addresses, two_hosts(), [address])
    assert refusal == (
        "KernelRefused: cannot add 198.51.100.1/24 to interface 101 in namespace client: EEXIST"
    )


@pytest.mark.parametrize("place", [0, 1, BATCH_MESSAGES - 1, BATCH_MESSAGES, BATCH_MESSAGES + 9])
def test_the_refused_one_of_many_requests_is_named(sandbox: Sandbox, place: int) -> None:
    many = [IPv4Interface(f"203.0.113.{number}/24") for number in range(1, 101)]
    twice = many[(place + 50) % 100]
    order = [address for address in many if address is not twice]
    order[place:place] = [twice]
    order.append(twice)
    # The second of the two is the one refused, wherever it is.
    refusal, seen = sandbox.call(inside.add_addresses, two_hosts(), order)
    assert (
        refusal == f"KernelRefused: cannot add {twice} to interface 101 in namespace client: EEXIST"
    )
    (eth0,) = (interface for interface in seen if interface.name == "eth0")
    assert set(many) <= set(eth0.addresses)


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


@pytest.mark.parametrize("topology", [two_hosts(), chain(3)] * 3)
def test_links_are_quiet(sandbox: Sandbox, topology: Topology) -> None:
    """More than once: what the kernel's work queues still do comes in some runs only."""
    seen = sandbox.call(inside.watch, topology, 0.3)
    ours = [frame for frame in seen if b"our own" in frame.data]
    assert len(ours) == 4 * len(topology.links)  # from both ends, at both ends
    assert [frame for frame in seen if frame not in ours] == []


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_tcp_connection_is_undrained_until_both_sides_have_closed(
    sandbox: Sandbox, family: socket.AddressFamily
) -> None:
    listening, open_, half_closed, closed = sandbox.call(
        inside.undrained_as_a_connection_ends, two_hosts(), family
    )
    assert listening == []
    assert [line.split()[-1] for line in open_] == ["01", "01"]  # ESTABLISHED
    closing, waiting = sorted(line.split()[-1] for line in half_closed)
    assert closing in ("04", "05")  # FIN_WAIT1, or FIN_WAIT2 once the FIN is acknowledged
    assert waiting == "08"  # CLOSE_WAIT
    assert all(line.startswith("client: ") for line in (*open_, *half_closed))
    assert closed == []
