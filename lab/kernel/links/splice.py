"""Links taken apart, so that what passes them passes a namespace of the lab's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from lab.frozen import frozen
from lab.model.topology import Interface, Link, Topology

_HOST = "wires"


@frozen
class Splice:
    """A link that was taken apart, and where its two halves end in the lab's own namespace."""

    link: Link
    near: Interface
    """What faces `link.a`."""
    far: Interface
    """What faces `link.b`."""


def spliced(topology: Topology, links: Collection[str]) -> tuple[Topology, str, Sequence[Splice]]:
    """The topology with these of its links, by name, leading through one more host.

    That host is the last, and has no address. The result has its name as well, and the splices.
    """
    host = _HOST
    while host in topology.hosts:
        host += "_"
    splices: list[Splice] = []
    every: list[Link] = []
    for link in topology.links:
        if link.name not in links:
            every.append(link)
            continue
        near, far = (Interface(host, f"w{len(splices)}{end}", ()) for end in "ab")
        splices.append(Splice(link, near, far))
        every.append(Link(link.a, near, link.mtu_bytes))
        every.append(Link(far, link.b, link.mtu_bytes))
    if not splices:
        return topology, "", ()
    wired = replace(topology, hosts=(*topology.hosts, host), links=tuple(every))
    return wired, host, tuple(splices)
