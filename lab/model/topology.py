"""Hosts and the links between them, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_network,
)
from itertools import pairwise

from lab.errors import UsageError
from lab.frozen import frozen
from lab.linux.sysctl import Sysctl, sysctls_of
from lab.model.family import Family

IPInterface = IPv4Interface | IPv6Interface
IPNetwork = IPv4Network | IPv6Network

# Documentation ranges (RFC 5737, RFC 3849): no real host has these addresses.
DOCUMENTATION_IPV4 = IPv4Network("198.51.100.0/24")
DOCUMENTATION_IPV6 = IPv6Network("2001:db8::/64")
LAST_PORT = 0xFFFF


@frozen
class Interface:
    """One end of a link: a network interface of a host, with its addresses."""

    host: str
    name: str
    addresses: tuple[IPInterface, ...]


@frozen
class Link:
    """A veth pair between two hosts."""

    a: Interface
    b: Interface
    mtu_bytes: int = 1500

    @property
    def name(self) -> str:
        """Both ends: "host/interface--host/interface"."""
        return f"{self.a.host}/{self.a.name}--{self.b.host}/{self.b.name}"

    @property
    def ends(self) -> tuple[Interface, Interface]:
        """Both interfaces."""
        return self.a, self.b


@frozen
class Route:
    """Where a host sends what is for a network that is on none of its links."""

    host: str
    destination: IPNetwork
    via: IPv4Address | IPv6Address
    """The address, on one of the host's links, of the router that is to forward it."""


@frozen
class Nat:
    """A router that hides what is inside behind its own addresses (RFC 3022, NAPT).

    A packet that it forwards out of one of its outside interfaces leaves with that interface's
    address as its source, and what answers it is sent back to where it came from. Packets of its
    own are left as they are, and so is whatever stays inside.
    """

    host: str
    outside: tuple[str, ...]
    """The names of its interfaces that lead outside; all others lead inside."""
    ports: tuple[int, int] | None = None
    """The first and the last source port (identifier of an ICMP echo) that it gives; None: a
    packet keeps its own, unless another one has that already."""


@frozen
class Topology:
    """The hosts and links of a scenario: each host is a network namespace, each link a veth pair.

    Raises UsageError if a name is invalid or used twice, a switch has an address, a route
    belongs to no host or leads to none of its links, a NAT is no router between an inside and
    an outside, or a sysctl is of a host or an interface that there is not.
    """

    hosts: tuple[str, ...]
    """All of them, switches and routers too, in the order in which they are drawn."""
    links: tuple[Link, ...]
    switches: tuple[str, ...] = ()
    """Those whose interfaces are the ports of a bridge (IEEE 802.1D)."""
    routers: tuple[str, ...] = ()
    """Those that forward packets (RFC 1812; RFC 8200)."""
    routes: tuple[Route, ...] = ()
    nats: tuple[Nat, ...] = ()
    """Those of the routers that change the addresses of what they forward."""
    sysctls: tuple[Sysctl, ...] = ()
    """Settings of the hosts' network namespaces; all else is as the kernel has it by itself."""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for host in self.hosts:
            if not host.isascii() or not host.replace("-", "").replace("_", "").isalnum():
                raise UsageError(f"host name {host!r}: use ASCII letters, digits, '-' and '_'")
            if host in seen:
                raise UsageError(f"host {host!r} is in the topology twice")
            seen.add(host)
        taken: set[tuple[str, str]] = set()
        for end in self.interfaces():
            if end.host not in seen:
                raise UsageError(f"a link ends at {end.host!r}, which is no host of the topology")
            if not _is_interface_name(end.name):
                raise UsageError(
                    f"interface name {end.name!r}: use 1 to 15 printable ASCII characters "
                    "without ' ', '/' and ':', and not 'lo'"
                )
            if (end.host, end.name) in taken:
                raise UsageError(f"{end.host} has two interfaces named {end.name!r}")
            taken.add((end.host, end.name))
        self._check_switches_and_routers(seen)
        self._check_routes(seen)
        for nat in self.nats:
            self._check_nat(nat)
        if len({nat.host for nat in self.nats}) < len(self.nats):
            raise UsageError("a NAT is in the topology twice")
        for sysctl in self.sysctls:
            if sysctl.host not in seen:
                raise UsageError(f"sysctl {sysctl.name} of {sysctl.host!r}, which is no host")
            if sysctl.interface is not None and (sysctl.host, sysctl.interface) not in taken:
                raise UsageError(
                    f"sysctl {sysctl.name}: {sysctl.host} has no interface {sysctl.interface!r}"
                )

    def with_sysctls(self, values: Mapping[str, int | str]) -> Topology:
        """The same network with settings of its hosts (not of switches), beside those it has.

        {"net.ipv4.tcp_syn_retries": 3} is for every host, "server:net.ipv4.tcp_syn_retries" for
        one, which goes before. "-net.ipv4.tcp_syn_linear_timeouts" is set where the kernel has it,
        as in sysctl.d(5); without "-" a kernel that has not ends the run with status 2.
        Raises UsageError.
        """
        hosts = [host for host in self.hosts if host not in self.switches]
        new = {(each.host, each.path): each for each in sysctls_of(values, hosts)}
        old = {(each.host, each.path): each for each in self.sysctls}
        return replace(self, sysctls=tuple((old | new).values()))

    def _check_switches_and_routers(self, hosts: set[str]) -> None:
        for kind, names in (("switch", self.switches), ("router", self.routers)):
            for name in names:
                if name not in hosts:
                    raise UsageError(f"{kind} {name!r} is no host of the topology")
        for name in self.switches:
            if name in self.routers:
                raise UsageError(f"{name!r} is a switch or a router, not both")
        switches = frozenset(self.switches)
        for end in self.interfaces():
            if end.host in switches and end.addresses:
                raise UsageError(f"{end.name} of the switch {end.host!r} is a port: no address")

    def _check_routes(self, hosts: set[str]) -> None:
        near: dict[str, set[IPNetwork]] = {host: set() for host in hosts}
        for end in self.interfaces():
            near[end.host].update(address.network for address in end.addresses)
        for route in self.routes:
            if route.host not in hosts:
                raise UsageError(f"a route of {route.host!r}, which is no host of the topology")
            if not any(route.via in network for network in near[route.host]):
                raise UsageError(f"{route.host} has no link on which {route.via} is")

    def _check_nat(self, nat: Nat) -> None:
        if nat.host not in self.routers:
            raise UsageError(f"the NAT {nat.host!r} is no router of the topology")
        own = {end.name: end for end in self.interfaces() if end.host == nat.host}
        for name in nat.outside:
            if name not in own:
                raise UsageError(f"the NAT {nat.host!r} has no interface {name!r}")
            if all(address.is_link_local for address in own[name].addresses):
                raise UsageError(f"{name} of the NAT {nat.host!r} leads outside: no address")
        if not nat.outside or not set(own) - set(nat.outside):
            raise UsageError(f"the NAT {nat.host!r} needs an interface on each side")
        first, last = nat.ports or (1, 1)
        if not 1 <= first <= last <= LAST_PORT:
            raise UsageError(f"the NAT {nat.host!r} cannot have the ports {first} to {last}")

    def with_route(self, host: str, network: str, via: str) -> Topology:
        """The same network, in which a host sends what is for `network` to the host `via`.

        `network` is as in ip-route(8): "203.0.113.0/24"; `via` is met at its first address of that
        IP version. Raises UsageError.
        """
        try:
            destination = ip_network(network)
        except ValueError as error:
            raise UsageError(f"a route of {host!r} to {network!r}: {error}") from None
        gateway = self.address(via, Family(destination.version))
        return replace(self, routes=(*self.routes, Route(host, destination, gateway)))

    def interfaces(self) -> Iterator[Interface]:
        """Every link's two ends, in order."""
        for link in self.links:
            yield from link.ends

    @property
    def link_ends(self) -> tuple[tuple[tuple[str, str], tuple[str, str]], ...]:
        """Of each link the host and the interface at both ends."""
        return tuple(
            ((link.a.host, link.a.name), (link.b.host, link.b.name)) for link in self.links
        )

    def address(self, host: str, family: Family) -> IPv4Address | IPv6Address:
        """The host's first address of that family.

        Raises UsageError if it has none.
        """
        for interface in self.interfaces():
            for address in interface.addresses:
                if interface.host == host and address.version == family.value:
                    return address.ip
        raise UsageError(f"the topology gives {host!r} no IPv{family.value} address")

    def beyond(self, host: str) -> dict[IPv4Address | IPv6Address, str]:
        """The addresses that the host cannot send to, with the hosts that have them.

        They are in the network of none of its interfaces, and it has no route to them. Of a host
        without an address, which a program may give it, none is said to be.
        """
        near = {
            address.network
            for end in self.interfaces()
            if end.host == host
            for address in end.addresses
        }
        if not near:
            return {}
        known = near | {route.destination for route in self.routes if route.host == host}
        return {
            address.ip: end.host
            for end in self.interfaces()
            for address in end.addresses
            if not any(address.ip in network for network in known)
        }


def _is_interface_name(name: str) -> bool:
    """Whether Linux accepts it as a new interface's name (dev_valid_name, 6.18)."""
    return (
        0 < len(name) < 16
        and name.isascii()
        and name.isprintable()
        and not set(name) & set(" /:%")
        and name not in (".", "..", "lo")
    )


def two_hosts(sysctls: Mapping[str, int | str] | None = None) -> Topology:
    """`client` and `server`, `eth0` of each joined by one link.

    `sysctls` as Topology.with_sysctls takes them, and raises UsageError for them.
    """
    return joined_pair("client", "server").with_sysctls(sysctls or {})


def joined_pair(first: str, second: str) -> Topology:
    """Two hosts on one link in the documentation ranges, .1 and .2."""
    ends = [
        Interface(host, "eth0", _numbered(DOCUMENTATION_IPV4, DOCUMENTATION_IPV6, number))
        for number, host in enumerate((first, second), start=1)
    ]
    return Topology((first, second), (Link(ends[0], ends[1]),))


def in_a_row(*hosts: str) -> Topology:
    """Hosts in a row: `right` of each is joined with `left` of the next.

    Each link has its own /30 and /64. The IPv4 networks are taken from 198.18.0.0/15
    (RFC 2544), which holds 32,768 of them.
    """
    if not 2 <= len(hosts) <= 32_769:
        raise UsageError(f"a row has 2 to 32769 hosts, not {len(hosts)}")
    ipv4 = IPv4Network("198.18.0.0/15")
    ipv6 = IPv6Network("2001:db8::/32")
    links: list[Link] = []
    for index, (first, second) in enumerate(pairwise(hosts)):
        net4 = IPv4Network((int(ipv4.network_address) + 4 * index, 30))
        net6 = IPv6Network((int(ipv6.network_address) + (index << 64), 64))
        one = Interface(first, "right", _numbered(net4, net6, 1))
        other = Interface(second, "left", _numbered(net4, net6, 2))
        links.append(Link(one, other))
    return Topology(hosts, tuple(links))


def _numbered(
    net4: IPv4Network, net6: IPv6Network, number: int
) -> tuple[IPv4Interface, IPv6Interface]:
    """The `number`th address of both networks, with their prefix lengths."""
    return (
        IPv4Interface((int(net4.network_address) + number, net4.prefixlen)),
        IPv6Interface((int(net6.network_address) + number, net6.prefixlen)),
    )
