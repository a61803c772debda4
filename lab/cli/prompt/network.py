"""A session's network in words: its hosts, its links, and what a line can name of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lab.ad_hoc import DEFAULT_PORT
from lab.model.family import Family
from lab.model.scenario import Scenario
from lab.model.topology import Interface, Topology
from lab.shell.grammar import Names


def names_of(scenario: Scenario, family: Family) -> Names:
    """What lines can name of the scenario's network. Raises UsageError."""
    topology = scenario.topology
    values = scenario.placeholders(family, sys.executable) | {"port": str(DEFAULT_PORT)}
    known = [host for host in topology.hosts if host not in topology.switches]
    addresses = {host: values[host] for host in known}
    return Names(topology.hosts, addresses, values, topology.link_ends)


def host_lines(topology: Topology) -> Iterator[str]:
    """A line for each host: what it is, and its interfaces with their addresses."""
    width = max(map(len, topology.hosts))
    for host in topology.hosts:
        ends = [end for end in topology.interfaces() if end.host == host]
        parts = [kind] if (kind := _kind(topology, host)) else []
        parts += (f"{end.name} {_addresses(end)}".rstrip() for end in ends)
        yield f"{host:<{width}}  {'; '.join(parts)}"


def link_lines(topology: Topology) -> Iterator[str]:
    """A line for each link: its two ends."""
    ends = [[f"{end.host}/{end.name}" for end in link.ends] for link in topology.links]
    width = max((len(first) for first, _ in ends), default=0)
    for link, (first, second) in zip(topology.links, ends, strict=True):
        yield f"{first:<{width}} -- {second}, MTU {link.mtu_bytes}"


def _kind(topology: Topology, host: str) -> str:
    if host in topology.switches:
        return "a switch"
    if any(nat.host == host for nat in topology.nats):
        return "a NAT"
    return "a router" if host in topology.routers else ""


def _addresses(end: Interface) -> str:
    return " ".join(str(each) for each in end.addresses if not each.is_link_local)
