from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import closing
from ipaddress import IPv4Interface, ip_address, ip_interface
from typing import Any

import inside
import pytest
from outside import with_mtu

from lab.errors import KernelRefused
from lab.kernel.network.netlink import (
    BATCH_MESSAGES,
    RTM_DELNEIGH,
    RTM_NEWADDR,
    RTM_NEWLINK,
    Netlink,
    VethEnd,
)
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


BRIDGE = "02:00:00:00:00:0a"


def a_pair(netlink: Netlink) -> None:
    near, far = VethEnd("eth0", 7, "02:00:00:00:00:01"), VethEnd("e1", 8, "02:00:00:00:00:02")
    netlink.create_veth(near, far, 5, 1400)


def attributes(message: Any) -> dict[str, Any]:
    """What pyroute2 makes of a message's attributes, nested ones by their paths."""
    found: dict[str, Any] = {}
    for name, value in message.get("attrs", ()):
        short = name.rpartition("IFLA_")[2].removeprefix("INFO_").removeprefix("VETH_INFO_")
        if hasattr(value, "get") and "attrs" in value:
            found |= {f"{short}/{key}": each for key, each in attributes(value).items()}
        else:
            found[short] = value
    return found


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (
            a_pair,
            {
                "index": 7, "IFNAME": "eth0", "ADDRESS": "02:00:00:00:00:01", "MTU": 1400,
                "LINKINFO/KIND": "veth", "LINKINFO/DATA/PEER/IFNAME": "e1",
                "LINKINFO/DATA/PEER/ADDRESS": "02:00:00:00:00:02",
                "LINKINFO/DATA/PEER/MTU": 1400, "LINKINFO/DATA/PEER/NET_NS_FD": 5,
            },
        ),
        (lambda netlink: netlink.set_up(7), {"index": 7, "flags": 1, "change": 1}),
        (lambda netlink: netlink.add_port(7, 9), {"index": 7, "MASTER": 9}),
        (
            lambda netlink: netlink.create_bridge("br0", 9, BRIDGE),
            {
                "index": 9, "IFNAME": "br0", "ADDRESS": BRIDGE, "LINKINFO/KIND": "bridge",
                "LINKINFO/DATA/BR_STP_STATE": 0, "LINKINFO/DATA/BR_MCAST_SNOOPING": 0,
            },
        ),
        (
            lambda netlink: netlink.forget_stations(9),
            {"index": 9, "LINKINFO/KIND": "bridge", "LINKINFO/DATA/BR_FDB_FLUSH": True},
        ),
        (
            lambda netlink: netlink.add_address(7, ip_interface("10.0.0.1/24")),
            {
                "family": 2, "prefixlen": 24, "index": 7, "flags": 0,
                "IFA_ADDRESS": "10.0.0.1", "IFA_LOCAL": "10.0.0.1", "IFA_BROADCAST": "10.0.0.255",
            },
        ),
        (
            lambda netlink: netlink.add_address(7, ip_interface("fd00::1/64")),
            {"family": 10, "prefixlen": 64, "index": 7, "flags": 2, "IFA_ADDRESS": "fd00::1"},
        ),
        (
            lambda netlink: netlink.forget_neighbour(7, ip_address("fd00::2")),
            {"family": 10, "ifindex": 7, "NDA_DST": "fd00::2"},
        ),
    ],
)  # fmt: skip
def test_a_request_says_what_it_asks_for(
    ask: Callable[[Netlink], None], expected: dict[str, Any]
) -> None:
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.ndmsg import ndmsg

    with closing(Netlink("host")) as netlink:
        ask(netlink)
        (request,) = netlink._requests
    (kind,) = struct.unpack_from("=H", request.data, 4)  # nlmsg_type
    decoder = {RTM_NEWLINK: ifinfmsg, RTM_NEWADDR: ifaddrmsg, RTM_DELNEIGH: ndmsg}[kind]
    message = decoder(request.data)
    message.decode()
    fields = {name: message[name] for name in expected.keys() & message.keys()}
    assert fields | attributes(message) == expected
