from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network, ip_address
from typing import Any

import pytest

from lab.errors import UsageError
from lab.linux.sysctl import Sysctl
from lab.model.family import Family
from lab.model.shapes import star
from lab.model.topology import (
    Interface,
    Link,
    Nat,
    Route,
    Topology,
    in_a_row,
    joined_pair,
    two_hosts,
)


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
def test_a_row_too_short_or_too_long_for_its_addresses_is_refused(length: int) -> None:
    with pytest.raises(UsageError, match=f"2 to 32769 hosts, not {length}"):
        in_a_row(*(f"h{number}" for number in range(length)))


def test_the_links_of_a_row_follow_each_other_in_a_network_that_holds_the_longest() -> None:
    whole = IPv4Network("198.18.0.0/15")
    subnets = whole.subnets(new_prefix=30)
    row = in_a_row(*(f"h{number}" for number in range(40)))
    for link, expected in zip(row.links, subnets, strict=False):
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


ONE = Link(
    Interface("a", "eth0", (IPv4Interface("198.51.100.1/24"),)),
    Interface("b", "eth0", (IPv4Interface("198.51.100.2/24"),)),
)
ELSEWHERE = IPv4Network("203.0.113.0/24")


def test_an_address_that_a_route_leads_to_is_not_beyond() -> None:
    far = Link(
        Interface("b", "eth1", (IPv4Interface("203.0.113.1/24"),)),
        Interface("c", "eth0", (IPv4Interface("203.0.113.2/24"),)),
    )
    routed = Route("a", ELSEWHERE, ip_address("198.51.100.2"))
    hosts = ("a", "b", "c")
    assert set(Topology(hosts, (ONE, far)).beyond("a").values()) == {"b", "c"}
    assert Topology(hosts, (ONE, far), routes=(routed,)).beyond("a") == {}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"switches": ("s",)}, "switch 's' is no host of the topology"),
        ({"routers": ("r",)}, "router 'r' is no host of the topology"),
        ({"switches": ("a",)}, "eth0 of the switch 'a' is a port: no address"),
        ({"switches": ("a",), "routers": ("a",)}, "'a' is a switch or a router, not both"),
        (
            {"routes": (Route("c", ELSEWHERE, ip_address("198.51.100.2")),)},
            "a route of 'c', which is no host of the topology",
        ),
        (
            {"routes": (Route("a", ELSEWHERE, ip_address("203.0.113.1")),)},
            "a has no link on which 203.0.113.1 is",
        ),
        ({"nats": (Nat("a", ("eth0",)),)}, "the NAT 'a' is no router of the topology"),
        (
            {"routers": ("a",), "nats": (Nat("a", ("eth1",)),)},
            "the NAT 'a' has no interface 'eth1'",
        ),
        (
            {"routers": ("a",), "nats": (Nat("a", ("eth0",)),)},
            "the NAT 'a' needs an interface on each side",
        ),
        (
            {"routers": ("a",), "nats": (Nat("a", ()),)},
            "the NAT 'a' needs an interface on each side",
        ),
    ],
)
def test_devices_and_routes_that_cannot_be_are_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Topology(("a", "b"), (ONE,), **more)


def between(*ports: int, addressed: bool = True) -> Topology:
    """A NAT n between a and b with those ports."""
    outer = ONE.a.addresses if addressed else ()
    links = (Link(end("a"), end("n")), Link(Interface("n", "eth1", outer), end("b")))
    nats = (Nat("n", ("eth1",), ports or None),)  # type: ignore[arg-type]
    return Topology(("a", "n", "b"), links, routers=("n",), nats=nats)


def test_a_nat_is_between_inside_and_outside() -> None:
    assert between().nats[0].ports is None
    assert between(1, 0xFFFF).nats[0].ports == (1, 0xFFFF)
    assert between(5, 5).nats[0].ports == (5, 5)


@pytest.mark.parametrize("ports", [(0, 5), (6, 5), (5, 0x10000)])
def test_ports_that_there_are_not_are_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match=f"cannot have the ports {ports[0]} to {ports[1]}"):
        between(*ports)


def test_a_nat_has_an_address_outside_and_is_there_once() -> None:
    with pytest.raises(UsageError, match="eth1 of the NAT 'n' leads outside: no address"):
        between(addressed=False)
    one = between()
    with pytest.raises(UsageError, match="a NAT is in the topology twice"):
        Topology(one.hosts, one.links, routers=("n",), nats=one.nats * 2)


def test_sysctls_are_the_hosts_and_not_the_switches() -> None:
    topology = star(2).with_sysctls({"net.ipv4.tcp_sack": 0})
    assert [each.host for each in topology.sysctls] == ["h1", "h2"]
    with pytest.raises(UsageError, match="no host 's1'; there are h1, h2"):
        star(2).with_sysctls({"s1:net.ipv4.tcp_sack": 0})


def test_later_sysctls_go_before_those_there_are() -> None:
    topology = two_hosts(sysctls={"net.ipv4.tcp_sack": 0, "net.ipv4.tcp_dsack": 0})
    later = topology.with_sysctls({"client:net/ipv4/tcp_sack": 1})
    assert [(each.host, each.path, each.value) for each in later.sysctls] == [
        ("client", "net/ipv4/tcp_sack", "1"),
        ("client", "net/ipv4/tcp_dsack", "0"),
        ("server", "net/ipv4/tcp_sack", "0"),
        ("server", "net/ipv4/tcp_dsack", "0"),
    ]


def test_a_sysctl_is_of_an_interface_that_there_is() -> None:
    assert two_hosts(sysctls={"net.ipv4.conf.eth0.rp_filter": 2, "net.ipv4.conf.lo.rp_filter": 2})
    with pytest.raises(UsageError, match="client has no interface 'eth1'"):
        two_hosts(sysctls={"net.ipv4.conf.eth1.rp_filter": 2})


def test_a_sysctl_of_a_host_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="of 'x', which is no host"):
        Topology(("a",), (), sysctls=(Sysctl("x", "net.ipv4.tcp_sack", "1"),))


def test_a_route_leads_to_a_hosts_address_of_its_ip_version() -> None:
    topology = (
        two_hosts()
        .with_route("server", "203.0.113.0/24", via="client")
        .with_route("server", "2001:db8:113::/64", via="client")
    )
    assert [(each.host, str(each.destination), str(each.via)) for each in topology.routes] == [
        ("server", "203.0.113.0/24", "198.51.100.1"),
        ("server", "2001:db8:113::/64", "2001:db8::1"),
    ]


@pytest.mark.parametrize(
    ("host", "network", "via"),
    [
        ("server", "203.0.113.1/24", "client"),
        ("server", "nowhere", "client"),
        ("server", "203.0.113.0/24", "router"),
        ("nobody", "203.0.113.0/24", "client"),
    ],
)
def test_a_route_of_nobody_or_to_nowhere_is_refused(host: str, network: str, via: str) -> None:
    with pytest.raises(UsageError):
        two_hosts().with_route(host, network, via=via)
