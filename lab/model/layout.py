"""Interfaces, addresses and routes worked out for a network of which only the cables are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

from lab.errors import UsageError
from lab.frozen import frozen
from lab.model.topology import (
    DOCUMENTATION_IPV4,
    DOCUMENTATION_IPV6,
    Interface,
    Link,
    Nat,
    Route,
    Topology,
)

# For networks of several subnets: RFC 2544 gives it to tests, and it holds 512 of 256 addresses.
BENCHMARK_IPV4 = IPv4Network("198.18.0.0/15")
DOCUMENTATION_IPV6_SITES = IPv6Network("2001:db8::/32")
# Inside of NATs: private addresses (RFC 1918) and unique local ones (RFC 4193).
PRIVATE_IPV4 = IPv4Network("10.0.0.0/8")
PRIVATE_IPV6 = IPv6Network("fd00::/64")
LINK_LOCAL = IPv6Network("fe80::/64")
_COMMON_BITS = 8
_IPV4_BITS, _IPV6_SUBNET_BITS = 32, 64
_RESERVED = 2  # of a subnet: its own address and the broadcast address

_Port = tuple[str, str]
"""A host and the name of one of its interfaces."""


@frozen
class _Subnet:
    """All interfaces that reach each other without a router, and their networks."""

    number: int
    ipv4: IPv4Network
    ipv6: IPv6Network
    members: tuple[_Port, ...]
    """The routers' first: the first address is a gateway's, as people are used to."""
    hidden_by: frozenset[str] = frozenset()
    """The NATs that it is inside of."""


def laid_out(
    cables: Sequence[tuple[str, str]],
    *,
    switches: Collection[str] = (),
    routers: Collection[str] = (),
    nats: Sequence[Nat] = (),
    without_address: Collection[str] = (),
    mtu_bytes: int = 1500,
    mtus: Mapping[tuple[str, str], int] | None = None,
    sysctls: Mapping[str, int | str] | None = None,
) -> Topology:
    """The network of these cables, each between two hosts, with addresses and routes.

    Every host's interfaces are eth0, eth1, … in the order of its cables. What switches join is
    one subnet; its interfaces are numbered from 1, those of routers first. One subnet is
    198.51.100.0/24 and 2001:db8::/64 (RFC 5737, RFC 3849); several are taken from 198.18.0.0/15
    (RFC 2544) and 2001:db8::/32, in the order of their first cables.

    A host gets the shortest way to every other subnet; where all begin at one router, as a
    default route.

    NATs are routers as well. The subnets inside of one are taken from 10.0.0.0/8 (RFC 1918) and
    fd00::/48 (RFC 4193) instead, and only hosts inside have a way to them.

    Hosts `without_address` have none, and no route: a program of theirs may get one (RFC 2131).

    Every link has the MTU `mtu_bytes`, but those that `mtus` names by their two hosts: every cable
    between these.

    `sysctls` are as Topology.with_sysctls takes them.

    Raises UsageError if a name is invalid or unknown, or there are too many subnets or hosts for
    these.
    """
    routers = (*routers, *(nat.host for nat in nats if nat.host not in routers))
    ports: defaultdict[str, int] = defaultdict(int)
    ends: list[tuple[_Port, _Port]] = []
    for one, other in cables:
        pair = []
        for host in (one, other):
            pair.append((host, f"eth{ports[host]}"))
            ports[host] += 1
        ends.append((pair[0], pair[1]))
    subnets = _subnets(ends, frozenset(switches), frozenset(routers), nats)
    places = {
        port: (subnet, place)
        for subnet in subnets
        for place, port in enumerate(subnet.members, start=1)
    }
    addresses = {
        port: (
            IPv4Interface((int(subnet.ipv4.network_address) + place, subnet.ipv4.prefixlen)),
            IPv6Interface((int(subnet.ipv6.network_address) + place, subnet.ipv6.prefixlen)),
        )
        for port, (subnet, place) in places.items()
        if port[0] not in without_address
    }
    # Who sends what has no address of the interface that it leaves by asks for the next neighbour
    # from a link-local one (RFC 4861, 7.2.2), which no interface of the lab makes by itself: who
    # forwards, and a host with several interfaces.
    link_local = {
        port: (IPv6Interface((int(LINK_LOCAL.network_address) + place, LINK_LOCAL.prefixlen)),)
        for port, (_, place) in places.items()
        if port in addresses and (port[0] in routers or ports[port[0]] > 1)
    }

    def interface(port: _Port) -> Interface:
        return Interface(*port, (*addresses.get(port, ()), *link_local.get(port, ())))

    if unknown_hosts := sorted({*without_address} - {*ports} | {*without_address} & {*routers}):
        raise UsageError(f"{unknown_hosts[0]!r} without an address: it is no host, or a router")
    own = {frozenset(pair): size for pair, size in (mtus or {}).items()}
    if unknown := own.keys() - {frozenset(cable) for cable in cables}:
        ends_of_one = sorted(min(unknown, key=sorted))
        raise UsageError(f"an MTU of a cable that there is not: {'-'.join(ends_of_one)}")
    links = tuple(
        Link(interface(one), interface(other), own.get(frozenset((one[0], other[0])), mtu_bytes))
        for one, other in ends
    )
    ways = _Ways(subnets, addresses, frozenset(routers)).routes()
    routes = tuple(route for route in ways if route.host not in without_address)
    return Topology(
        tuple(ports), links, tuple(switches), tuple(routers), routes, tuple(nats)
    ).with_sysctls(sysctls or {})


def _subnets(
    ends: Sequence[tuple[_Port, _Port]],
    switches: frozenset[str],
    routers: frozenset[str],
    nats: Sequence[Nat],
) -> list[_Subnet]:
    """The subnets in the order of their first cables."""
    joined: dict[object, object] = {}

    def root(of: object) -> object:
        while joined.setdefault(of, of) != of:
            joined[of] = joined[joined[of]]
            of = joined[of]
        return of

    for one, other in ends:
        first, second = (port[0] if port[0] in switches else port for port in (one, other))
        joined[root(second)] = root(first)
    groups: dict[object, list[_Port]] = {}
    for pair in ends:
        for port in pair:
            at = port[0] if port[0] in switches else port
            members = groups.setdefault(root(at), [])
            if port[0] not in switches:
                members.append(port)
    everyone = [sorted(group, key=lambda port: port[0] not in routers) for group in groups.values()]
    hidden = _hidden(everyone, routers, nats)
    public = [len(group) for group, by in zip(everyone, hidden, strict=True) if not by]
    private = [len(group) for group, by in zip(everyone, hidden, strict=True) if by]
    outer, inner = _ipv4_networks(public), _ipv4_networks(private, PRIVATE_IPV4)
    counts = [0, 0]
    found = []
    for number, (group, by) in enumerate(zip(everyone, hidden, strict=True)):
        place = counts[bool(by)]
        counts[bool(by)] += 1
        ipv6 = _nth_ipv6(PRIVATE_IPV6, place) if by else _ipv6_network(place, len(public))
        found.append(_Subnet(number, next(inner if by else outer), ipv6, tuple(group), by))
    return found


def _hidden(
    subnets: Sequence[Sequence[_Port]], routers: frozenset[str], nats: Sequence[Nat]
) -> list[frozenset[str]]:
    """Of each subnet the NATs that it is inside of.

    What is inside of a NAT that is itself inside of another is so of both.
    Raises UsageError where a NAT's inside and its outside are joined by another way.
    """
    outer_ports = {(nat.host, name) for nat in nats for name in nat.outside}
    hosts = {nat.host for nat in nats}
    of_router: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    for number, members in enumerate(subnets):
        for port in members:
            if port[0] in routers:
                of_router[port[0]].append((number, port in outer_ports))

    def behind(host: str, at: int) -> Iterator[int]:
        is_inside = host in hosts and (at, False) in of_router[host]
        return (near for near, outer in of_router[host] if not (is_inside and outer))

    by: list[set[str]] = [set() for _ in subnets]
    for nat in nats:
        inside = {number for number, outer in of_router[nat.host] if not outer}
        todo = list(inside)
        while todo:
            at = todo.pop()
            for host, _ in subnets[at]:
                new = set(behind(host, at)) - inside if host in routers else set()
                inside |= new
                todo += new
        if any(outer and number in inside for number, outer in of_router[nat.host]):
            raise UsageError(f"the inside of the NAT {nat.host!r} leads outside by another way")
        for number in inside:
            by[number].add(nat.host)
    return [frozenset(each) for each in by]


def _ipv4_networks(
    sizes: Sequence[int], everything: IPv4Network = BENCHMARK_IPV4
) -> Iterator[IPv4Network]:
    """A network for each subnet with so many interfaces: all of one size where they fit."""
    bits = [(size + _RESERVED - 1).bit_length() for size in sizes]
    is_public = everything is BENCHMARK_IPV4
    if bits == [] or (is_public and len(bits) == 1 and bits[0] <= _COMMON_BITS):
        yield from [DOCUMENTATION_IPV4] * len(bits)
        return
    room = everything.num_addresses
    for common in (max(_COMMON_BITS, *bits), max(bits)):
        if len(bits) << common <= room:
            bits = [common] * len(bits)
            break
    at = int(everything.network_address)
    places = []
    for each in bits:
        at = -(-at >> each) << each
        places.append(at)
        at += 1 << each
    if at > int(everything.network_address) + room:
        raise UsageError(
            f"{len(sizes)} subnets with {sum(sizes)} interfaces do not fit into "
            f"{everything}; give the addresses yourself"
        )
    for at, each in zip(places, bits, strict=True):
        yield IPv4Network((at, _IPV4_BITS - each))


def _ipv6_network(number: int, count: int) -> IPv6Network:
    if count == 1:
        return DOCUMENTATION_IPV6
    return _nth_ipv6(DOCUMENTATION_IPV6_SITES, number)


def _nth_ipv6(first: IPv6Network, number: int) -> IPv6Network:
    at = int(first.network_address) + (number << _IPV6_SUBNET_BITS)
    return IPv6Network((at, _IPV6_SUBNET_BITS))


class _Ways:
    """Who reaches which subnet by which router."""

    def __init__(
        self,
        subnets: Sequence[_Subnet],
        addresses: Mapping[_Port, tuple[IPv4Interface, IPv6Interface]],
        routers: frozenset[str],
    ) -> None:
        self._subnets = subnets
        self._addresses = addresses
        self._of_host: defaultdict[str, list[int]] = defaultdict(list)
        self._gateways: list[tuple[_Port, ...]] = []
        for subnet in subnets:
            self._gateways.append(tuple(port for port in subnet.members if port[0] in routers))
            for host, _ in subnet.members:
                self._of_host[host].append(subnet.number)
        self._routers = routers
        self._hidden_by = [subnet.hidden_by for subnet in subnets]
        self._ipv4 = [_extent(subnet.ipv4) for subnet in subnets]
        self._ipv6 = [_extent(subnet.ipv6) for subnet in subnets]
        # Worked out once each, when they are asked for: a row of n routers has n² ways.
        self._exits: list[list[tuple[_Port, list[int]]] | None] = [None] * len(subnets)

    def routes(self) -> Iterator[Route]:
        """Every host's routes."""
        for host in self._of_host:
            yield from self._routes_of(host)

    def _routes_of(self, host: str) -> Iterator[Route]:
        near = set(self._of_host[host])
        ways = [(s, gate) for s in near for gate in self._gateways[s] if gate[0] != host]
        gates = {gate for _, gate in ways}
        if not gates:
            return
        if len(gates) == 1 and host not in self._routers:
            if any(set(self._beyond(*way)) - near for way in ways):
                yield from self._defaults(host, *gates)
            return
        by_gate = self._by_gate(host)
        if len(by_gate) == 1 and host not in self._routers:
            yield from self._defaults(host, *by_gate)
            return
        for gate, beyond in by_gate.items():
            ipv4, ipv6 = self._addresses[gate]
            beyond.sort()
            for four in _covering(beyond, self._ipv4, ipv4.max_prefixlen):
                yield Route(host, IPv4Network(four), ipv4.ip)
            for six in _covering(beyond, self._ipv6, ipv6.max_prefixlen):
                yield Route(host, IPv6Network(six), ipv6.ip)

    def _defaults(self, host: str, gate: _Port) -> Iterator[Route]:
        ipv4, ipv6 = self._addresses[gate]
        yield Route(host, IPv4Network("0.0.0.0/0"), ipv4.ip)
        yield Route(host, IPv6Network("::/0"), ipv6.ip)

    def _by_gate(self, host: str) -> dict[_Port, list[int]]:
        """The other subnets, by the router of the host's own that is first on the shortest way."""
        found: defaultdict[_Port, list[int]] = defaultdict(list)
        first_hop: dict[int, _Port | None] = dict.fromkeys(self._of_host[host])
        seen_routers = {host}
        todo = [*first_hop]
        for subnet in todo:  # which grows meanwhile
            first = first_hop[subnet]
            exits = self._exits[subnet]
            if exits is None:
                exits = [(gate, [*self._beyond(subnet, gate)]) for gate in self._gateways[subnet]]
                self._exits[subnet] = exits
            for gate, all_beyond in exits:
                if gate[0] in seen_routers:
                    continue
                seen_routers.add(gate[0])
                for beyond in all_beyond:
                    if beyond not in first_hop:
                        first_hop[beyond] = by = first or gate
                        found[by].append(beyond)
                        todo.append(beyond)
        return found

    def _beyond(self, subnet: int, gate: _Port) -> Iterator[int]:
        """The other subnets that a router of this one leads to: no NAT's inside from outside."""
        for beyond in self._of_host[gate[0]]:
            if beyond != subnet and self._hidden_by[beyond] <= self._hidden_by[subnet]:
                yield beyond


def _extent(network: IPv4Network | IPv6Network) -> tuple[int, int]:
    """Its first address, and the one behind its last."""
    first = int(network.network_address)
    return first, first + (1 << network.max_prefixlen - network.prefixlen)


def _covering(
    numbers: Iterable[int], extents: Sequence[tuple[int, int]], bits: int
) -> Iterator[tuple[int, int]]:
    """The fewest networks, by address and prefix length, that hold these networks and no others.

    As ipaddress.collapse_addresses finds them, in a thousandth of the time: a row of n routers
    has n² such networks. `bits` are those of an address.
    """
    runs: list[list[int]] = []
    end = -1
    for number in numbers:
        first, behind = extents[number]
        if first == end:
            runs[-1][1] = behind
        else:
            runs.append([first, behind])
        end = behind
    for first, behind in runs:
        at = first
        while at < behind:
            size = (at & -at).bit_length() - 1 if at else bits
            size = min(size, (behind - at).bit_length() - 1)
            yield at, bits - size
            at += 1 << size
