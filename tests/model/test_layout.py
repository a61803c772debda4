from __future__ import annotations

from ipaddress import collapse_addresses
from itertools import pairwise

import pytest

from lab.errors import UsageError
from lab.model.family import Family
from lab.model.layout import laid_out
from lab.model.topology import Nat, Topology


def addresses(topology: Topology, host: str) -> list[str]:
    held = (end.addresses for end in topology.interfaces() if end.host == host)
    return [str(address) for some in held for address in some]


def routes(topology: Topology, host: str) -> list[tuple[str, str]]:
    return [(str(r.destination), str(r.via)) for r in topology.routes if r.host == host]


def test_one_cable_is_one_subnet_without_routes() -> None:
    topology = laid_out([("a", "b")])
    assert addresses(topology, "a") == ["198.51.100.1/24", "2001:db8::1/64"]
    assert addresses(topology, "b") == ["198.51.100.2/24", "2001:db8::2/64"]
    assert topology.routes == ()


def test_interfaces_are_numbered_in_the_order_of_a_hosts_cables() -> None:
    topology = laid_out([("a", "b"), ("b", "c")])
    assert [f"{end.host}/{end.name}" for end in topology.interfaces()] == [
        "a/eth0", "b/eth0", "b/eth1", "c/eth0",
    ]  # fmt: skip


def test_a_host_between_two_links_that_is_no_router_is_on_nobodys_way() -> None:
    assert laid_out([("a", "b"), ("b", "c")]).routes == ()


def test_switches_that_are_joined_are_one_subnet() -> None:
    topology = laid_out([("a", "s"), ("s", "t"), ("t", "b")], switches=("s", "t"))
    assert addresses(topology, "b")[0] == "198.51.100.2/24"
    assert addresses(topology, "s") == addresses(topology, "t") == []


def test_the_router_of_a_subnet_has_its_first_address_and_a_link_local_one() -> None:
    topology = laid_out([("a", "r"), ("r", "b")], routers=("r",))
    assert addresses(topology, "r") == [
        "198.18.0.1/24", "2001:db8::1/64", "fe80::1/64",
        "198.18.1.1/24", "2001:db8:0:1::1/64", "fe80::1/64",
    ]  # fmt: skip
    assert routes(topology, "a") == [("0.0.0.0/0", "198.18.0.1"), ("::/0", "2001:db8::1")]


def test_a_host_with_two_ways_has_a_route_for_what_is_behind_each() -> None:
    cables = [("h", "r"), ("h", "q"), ("r", "a"), ("q", "b")]
    topology = laid_out(cables, routers=("r", "q"))
    assert [via for _, via in routes(topology, "h")] == [
        "198.18.0.1", "2001:db8::1", "198.18.1.1", "2001:db8:0:1::1",
    ]  # fmt: skip


def test_the_shorter_of_two_ways_is_taken() -> None:
    cables = [("a", "s"), ("s", "r"), ("s", "q"), ("r", "b"), ("q", "p"), ("p", "b")]
    topology = laid_out(cables, switches=("s",), routers=("r", "q", "p"))
    behind_r = next(
        a.network for e in topology.interfaces() if (e.host, e.name) == ("b", "eth0")
        for a in e.addresses
    )  # fmt: skip
    way = {str(r.destination): str(r.via) for r in topology.routes if r.host == "a"}
    assert way[str(behind_r)] == "198.18.0.1"


def test_the_routes_of_a_row_are_as_few_as_its_networks_can_be_told_by() -> None:
    names = [f"r{number}" for number in range(40)]
    topology = laid_out(list(pairwise(names)), routers=tuple(names[1:-1]))
    for number in (1, 7, 20, 38):
        host = names[number]
        subnets = [topology.links[n].a.addresses[0].network for n in range(39)]
        for beyond in (subnets[: number - 1], subnets[number + 1 :]):
            expected = set(map(str, collapse_addresses(beyond)))  # type: ignore[type-var]
            assert expected <= {destination for destination, _ in routes(topology, host)}


def test_many_hosts_and_many_subnets_find_room() -> None:
    wide = laid_out([(f"h{number}", "s") for number in range(1000)], switches=("s",))
    assert addresses(wide, "h999")[0] == "198.18.3.232/22"
    names = [f"r{number}" for number in range(1001)]
    long = laid_out(list(pairwise(names)), routers=tuple(names[1:-1]))
    assert str(long.address("r1000", Family.IPV4)) == "198.18.15.158"


def test_more_subnets_than_there_are_networks_are_refused() -> None:
    cables = [(f"a{number}", f"b{number}") for number in range(32_769)]
    with pytest.raises(UsageError, match="32769 subnets with 65538 interfaces do not fit"):
        laid_out(cables)


def test_a_nat_inside_of_another_hides_its_lan_from_what_is_between() -> None:
    topology = laid_out(
        [("h", "home"), ("home", "carrier"), ("carrier", "server")],
        nats=(Nat("home", ("eth1",)), Nat("carrier", ("eth1",))),
    )
    assert topology.routers == ("home", "carrier")
    assert addresses(topology, "h") == ["10.0.0.2/24", "fd00::2/64"]
    assert addresses(topology, "carrier")[:2] == ["10.0.1.2/24", "fd00:0:0:1::2/64"]
    assert addresses(topology, "server") == ["198.51.100.2/24", "2001:db8::2/64"]
    assert routes(topology, "h") == [("0.0.0.0/0", "10.0.0.1"), ("::/0", "fd00::1")]
    assert routes(topology, "home")[0] == ("198.51.100.0/24", "10.0.1.2")
    assert routes(topology, "carrier") == routes(topology, "server") == []


def test_a_lan_may_have_two_nats_but_no_other_way_out() -> None:
    cables = [("h", "s"), ("s", "a"), ("s", "b"), ("a", "o"), ("b", "o"), ("o", "server")]
    one, other = Nat("a", ("eth1",)), Nat("b", ("eth1",))
    topology = laid_out(cables, switches=("s", "o"), nats=(one, other))
    assert addresses(topology, "h")[0] == "10.0.0.3/24"
    assert routes(topology, "server") == []
    with pytest.raises(UsageError, match="inside of the NAT 'a' leads outside by another way"):
        laid_out(cables, switches=("s", "o"), routers=("b",), nats=(one,))


def test_private_subnets_are_taken_from_10_and_public_ones_as_always() -> None:
    cables = [("a", "nat"), ("b", "nat"), ("nat", "r"), ("r", "server")]
    topology = laid_out(cables, routers=("r",), nats=(Nat("nat", ("eth2",)),))
    assert addresses(topology, "a")[0] == "10.0.0.2/24"
    assert addresses(topology, "b")[0] == "10.0.1.2/24"
    assert addresses(topology, "server")[0] == "198.18.1.2/24"
    assert routes(topology, "r") == routes(topology, "server")[:0]
    assert routes(topology, "server") == [("0.0.0.0/0", "198.18.1.1"), ("::/0", "2001:db8:0:1::1")]


def test_a_laid_out_network_has_sysctls() -> None:
    topology = laid_out([("a", "b")], sysctls={"b:net.ipv4.tcp_sack": 0})
    assert [(each.host, each.value) for each in topology.sysctls] == [("b", "0")]


def test_a_cable_may_have_an_mtu_of_its_own() -> None:
    cables = [("a", "r"), ("r", "b"), ("b", "c")]
    topology = laid_out(cables, routers=("r",), mtus={("b", "r"): 1280}, mtu_bytes=1400)
    assert [link.mtu_bytes for link in topology.links] == [1400, 1280, 1400]
    with pytest.raises(UsageError, match="an MTU of a cable that there is not: a-c"):
        laid_out(cables, mtus={("c", "a"): 1280})


def test_a_host_may_be_without_an_address_and_has_no_route_then() -> None:
    cables = [("a", "s"), ("b", "s"), ("s", "r"), ("r", "far")]
    topology = laid_out(cables, switches=("s",), routers=("r",), without_address=("a",))
    assert (addresses(topology, "a"), routes(topology, "a")) == ([], [])
    assert addresses(topology, "b") == ["198.18.0.3/24", "2001:db8::3/64"]
    assert routes(topology, "b") == [("0.0.0.0/0", "198.18.0.1"), ("::/0", "2001:db8::1")]
    assert topology.beyond("a") == {}


@pytest.mark.parametrize("name", ["nobody", "r"])
def test_who_is_without_an_address_is_a_host_and_no_router(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' without an address: it is no host, or a"):
        laid_out([("a", "r"), ("r", "b")], routers=("r",), without_address=(name,))
