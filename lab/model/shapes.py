"""Networks of well-known shapes, of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from lab.errors import UsageError
from lab.model.counted import counted
from lab.model.layout import laid_out
from lab.model.topology import Nat, Topology, two_hosts

MOST_HOSTS = 1000
"""Of a topology by its name."""
NAT_PORTS = (61_000, 61_999)
"""Outside of what Linux takes for sockets by itself (ip(7), ip_local_port_range)."""


def star(count: int) -> Topology:
    """Hosts h1, h2, … in one subnet, each by a cable to the switch s1.

    Raises UsageError for fewer than two.
    """
    hosts = _hosts(count, least=2)
    return laid_out([(host, "s1") for host in hosts], switches=("s1",))


def chain(length: int) -> Topology:
    """A row h1, h2, … of that length: those between its two ends are routers.

    Raises UsageError for fewer than two.
    """
    hosts = _hosts(length, least=2)
    return laid_out(list(pairwise(hosts)), routers=tuple(hosts[1:-1]))


def dumbbell(count: int) -> Topology:
    """Two halves of so many hosts in all, each at a switch, and two routers with one cable between.

    h1, h2, … are at s1 with the router r1; the other half at s2 with r2.
    Raises UsageError for fewer than two.
    """
    hosts = _hosts(count, least=2)
    half = (count + 1) // 2
    return laid_out(
        [
            *((host, "s1") for host in hosts[:half]),
            ("s1", "r1"),
            ("r1", "r2"),
            ("r2", "s2"),
            *(("s2", host) for host in hosts[half:]),
        ],
        switches=("s1", "s2"),
        routers=("r1", "r2"),
    )


def lan_behind_nat(count: int, ports: tuple[int, int] | None = NAT_PORTS) -> Topology:
    """Hosts h1, h2, … at the switch s1, behind the NAT `nat`, and a `server` outside.

    `ports` are the first and the last one that the NAT gives to what it sends outside; with None
    a packet keeps its own unless another one has that already.
    Raises UsageError for fewer than one, and for ports that there are not.
    """
    hosts = _hosts(count, least=1)
    return laid_out(
        [*((host, "s1") for host in hosts), ("s1", "nat"), ("nat", "server")],
        switches=("s1",),
        nats=(Nat("nat", outside=("eth1",), ports=ports),),
    )


TWO = "two"
SHAPES: Mapping[str, Callable[[int], Topology]] = {
    "star": star,
    "chain": chain,
    "dumbbell": dumbbell,
    "nat": lan_behind_nat,
}


def shape_called(text: str) -> Topology:
    """The network of a name and a number of hosts: "star:3"; "two" is `client` and `server`.

    Raises UsageError.
    """
    if text == TWO:
        return two_hosts()
    name, colon, count = text.partition(":")
    if name not in SHAPES or not colon or not (count.isascii() and count.isdigit()):
        known = ", ".join((TWO, *(f"{each}:N" for each in SHAPES)))
        raise UsageError(f"there is no topology {text!r}; there are {known}, with N hosts")
    if int(count) > MOST_HOSTS:
        raise UsageError(f"{text} is too large: at most {MOST_HOSTS} hosts")
    return SHAPES[name](int(count))


def _hosts(count: int, least: int) -> list[str]:
    if count < least:
        raise UsageError(f"this network has {counted(least, 'host')} at least, not {count}")
    return [f"h{number}" for number in range(1, count + 1)]
