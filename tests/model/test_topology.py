from __future__ import annotations

import itertools
from ipaddress import IPv4Interface, IPv4Network, ip_address

import pytest

from lab.errors import UsageError
from lab.model.family import Family
from lab.model.topology import Interface, Link, Topology, chain, in_a_row, joined_pair, two_hosts


def end(host: str, name: str = "eth0") -> Interface:
    return Interface(host, name, ())


def test_two_hosts_are_joined_by_one_link_with_an_address_of_each_family() -> None:
    topology = two_hosts()
    (link,) = topology.links
    assert topology.hosts == ("client", "server")
    assert link.name == "client/eth0--server/eth0"
    assert [e.host for e in topology.interfaces()] == ["client", "server"]
    assert topology.address("client", Family.IPV4) == ip_address("198.51.100.1")
    assert topology.address("server", Family.IPV6) == ip_address("2001:db8::2")


def test_a_pair_has_the_names_it_was_given() -> None:
    assert joined_pair("left", "right").links[0].name == "left/eth0--right/eth0"


def test_an_address_that_is_missing_is_named() -> None:
    topology = Topology(("a",), ())
    with pytest.raises(UsageError, match="gives 'a' no IPv6 address"):
        topology.address("a", Family.IPV6)


@pytest.mark.parametrize("name", ["", " ", "-", "a b", "a/b", "../x", "é", "a\n", "a.b"])
def test_an_unfit_host_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"host name .*: use ASCII letters") as error:
        Topology((name,), ())
    assert repr(name) in str(error.value)


@pytest.mark.parametrize(
    "name", ["", "lo", ".", "..", "a/b", "a b", "a:b", "veth%d", "x" * 16, "é", "a\n"]
)
def test_an_unfit_interface_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as error:
        Topology(("a", "b"), (Link(end("a", name), end("b")),))
    assert f"interface name {name!r}: use 1 to 15" in str(error.value)


def test_fit_names_are_taken() -> None:
    names = ["x" * 15, "eth0.100", "a-b_c", "0"]
    a, b, c, d = (end("h-1_A", name) for name in names)
    Topology(("h-1_A",), (Link(a, b), Link(c, d)))


@pytest.mark.parametrize(
    ("hosts", "links", "said"),
    [
        (("a", "a"), (), "host 'a' is in the topology twice"),
        (("a",), (Link(end("a"), end("b")),), "ends at 'b', which is no host"),
        (("a",), (Link(end("a"), end("a")),), "a has two interfaces named 'eth0'"),
    ],
)
def test_things_that_share_a_name_are_refused(
    hosts: tuple[str, ...], links: tuple[Link, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Topology(hosts, links)


@pytest.mark.parametrize("length", [0, 1, 32_770])
def test_a_chain_too_short_or_too_long_for_its_addresses_is_refused(length: int) -> None:
    with pytest.raises(UsageError, match=f"2 to 32769 hosts, not {length}"):
        chain(length)


@pytest.mark.parametrize("length", [2, 3, 50])
def test_a_chain_joins_each_host_to_the_next(length: int) -> None:
    topology = chain(length)
    assert len(topology.hosts) == length
    joined = [(link.a.host, link.b.host) for link in topology.links]
    assert joined == list(itertools.pairwise(topology.hosts))


def test_the_links_of_a_chain_have_disjoint_networks() -> None:
    links = chain(300).links
    for family in (4, 6):
        networks = []
        for link in links:
            left, right = (next(a for a in e.addresses if a.version == family) for e in link.ends)
            assert left.network == right.network
            assert left.ip != right.ip
            assert left.ip not in (left.network.network_address, left.network.broadcast_address)
            networks.append(left.network)
        ordered = sorted(networks)
        assert all(not a.overlaps(b) for a, b in itertools.pairwise(ordered))


def test_the_links_of_a_chain_follow_each_other_in_a_network_that_holds_the_longest() -> None:
    whole = IPv4Network("198.18.0.0/15")
    subnets = whole.subnets(new_prefix=30)
    for link, expected in zip(chain(40).links, subnets, strict=False):
        address = next(a for a in link.a.addresses if isinstance(a, IPv4Interface))
        assert address.network == expected
    assert whole.num_addresses // 4 == 32_769 - 1


def test_beyond_a_host_are_the_addresses_on_none_of_its_links() -> None:
    row = in_a_row("a", "b", "c")
    assert {str(ip): host for ip, host in row.beyond("a").items()} == {
        "198.18.0.5": "b", "2001:db8:0:1::1": "b", "198.18.0.6": "c", "2001:db8:0:1::2": "c",
    }  # fmt: skip
    assert row.beyond("b") == {}
    assert two_hosts().beyond("client") == {}
