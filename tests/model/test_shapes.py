from __future__ import annotations

from itertools import pairwise

import pytest

from lab.errors import UsageError
from lab.model.family import Family
from lab.model.shapes import (
    MOST_HOSTS,
    SHAPES,
    chain,
    dumbbell,
    lan_behind_nat,
    shape_called,
    star,
)
from lab.model.topology import Topology


@pytest.mark.parametrize("shape", [star, chain, dumbbell])
@pytest.mark.parametrize("count", [-1, 0, 1])
def test_fewer_than_two_hosts_are_refused(shape: object, count: int) -> None:
    assert callable(shape)
    with pytest.raises(UsageError, match=f"has 2 hosts at least, not {count}"):
        shape(count)


def test_the_hosts_of_a_star_are_all_at_its_switch() -> None:
    topology = star(3)
    assert topology.hosts == ("h1", "s1", "h2", "h3")
    assert topology.switches == ("s1",)
    assert [(link.a.host, link.b.host) for link in topology.links] == [
        ("h1", "s1"), ("h2", "s1"), ("h3", "s1"),
    ]  # fmt: skip
    assert topology.routes == ()
    assert [str(topology.address(host, Family.IPV4)) for host in ("h1", "h2", "h3")] == [
        "198.51.100.1", "198.51.100.2", "198.51.100.3",
    ]  # fmt: skip


@pytest.mark.parametrize("length", [2, 3, 50])
def test_a_chain_joins_each_host_to_the_next_and_those_between_forward(length: int) -> None:
    topology = chain(length)
    assert len(topology.hosts) == length
    joined = [(link.a.host, link.b.host) for link in topology.links]
    assert joined == list(pairwise(topology.hosts))
    assert topology.routers == topology.hosts[1:-1]


def hops(topology: Topology, source: str, family: Family, target: str) -> int:
    """Over how many routers a packet goes, by the topology's own routes."""
    address = topology.address(target, family)
    own = {
        host: [a for end in topology.interfaces() if end.host == host for a in end.addresses]
        for host in topology.hosts
    }
    owner = {a.ip: host for host, held in own.items() for a in held if not a.is_link_local}
    at, count = source, 0
    while all(address not in held.network for held in own[at]):
        routes = [r for r in topology.routes if r.host == at and address in r.destination]
        at, count = owner[max(routes, key=lambda r: r.destination.prefixlen).via], count + 1
        assert count <= len(topology.hosts), "in a circle"
    return count


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize(
    ("topology", "most"), [(star(5), 0), (chain(9), 7), (dumbbell(6), 2)], ids=str
)
def test_every_host_reaches_every_other(topology: Topology, most: int, family: Family) -> None:
    hosts = [host for host in topology.hosts if host not in topology.switches]
    counts = [hops(topology, a, family, b) for a in hosts for b in hosts if a != b]
    assert max(counts) == most


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_called_by_its_name_and_number_of_hosts(name: str) -> None:
    assert shape_called(f"{name}:4") == SHAPES[name](4)


def test_two_are_a_client_and_a_server() -> None:
    assert shape_called("two").hosts == ("client", "server")


@pytest.mark.parametrize(
    "text", ["", "two:2", "star", "star:", "ring:3", "star:x", "star:-1", "star:3:4", ":3"]
)
def test_another_text_names_those_there_are(text: str) -> None:
    with pytest.raises(
        UsageError, match="there are two, star:N, chain:N, dumbbell:N, nat:N, with N"
    ):
        shape_called(text)


def test_a_lan_behind_a_nat_has_private_addresses_and_the_server_none() -> None:
    topology = lan_behind_nat(2)
    assert topology.hosts == ("h1", "s1", "h2", "nat", "server")
    assert topology.routers == ("nat",)
    assert [nat.outside for nat in topology.nats] == [("eth1",)]
    assert str(topology.address("h2", Family.IPV4)) == "10.0.0.3"
    assert str(topology.address("h2", Family.IPV6)) == "fd00::3"
    assert str(topology.address("server", Family.IPV4)) == "198.51.100.2"


@pytest.mark.parametrize("family", list(Family))
def test_from_inside_of_a_nat_everybody_is_reached_and_from_outside_nobody(family: Family) -> None:
    topology = lan_behind_nat(2)
    assert hops(topology, "h1", family, "server") == 1
    assert hops(topology, "h1", family, "h2") == 0
    assert {route.host for route in topology.routes} == {"h1", "h2"}
    assert {topology.beyond("server")[topology.address(h, family)] for h in ("h1", "h2")} == {
        "h1", "h2",
    }  # fmt: skip


def test_a_nat_needs_a_host_behind_it() -> None:
    with pytest.raises(UsageError, match="has 1 host at least, not 0"):
        lan_behind_nat(0)


def test_a_shape_has_a_most_of_hosts() -> None:
    with pytest.raises(UsageError, match=f"at most {MOST_HOSTS} hosts"):
        shape_called(f"star:{MOST_HOSTS + 1}")
