from __future__ import annotations

from ipaddress import IPv4Interface, ip_interface

import inside
import pytest
from outside import with_mtu

from lab.errors import KernelRefused
from lab.kernel.network.netlink import BATCH_MESSAGES
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts

pytestmark = pytest.mark.kernel


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
