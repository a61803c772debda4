from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import pytest

from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import Namespace, build_topology, forget_neighbours
from lab.kernel.network.neighbours import read_neighbours
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.shapes import star
from lab.model.topology import Topology

pytestmark = pytest.mark.kernel


def known(namespaces: Mapping[str, Namespace]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for host, namespace in namespaces.items():
        with namespace.entered():
            found[host] = {str(address) for _, address in read_neighbours()}
    return found


def before_and_after(topology: Topology) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Run inside: what is known when h1 has sent to all others, and once that is forgotten."""
    import socket

    with build_topology(topology) as built:
        wait_until_links_ready(built)
        with built["h1"].entered():
            for family, addresses in (
                (socket.AF_INET, ("198.51.100.2", "198.51.100.3")),
                (socket.AF_INET6, ("2001:db8::2", "2001:db8::3")),
            ):
                with socket.socket(family, socket.SOCK_DGRAM) as sender:
                    for address in addresses:
                        sender.sendto(b"x", (address, 9))
        first = known(built)
        forget_neighbours(built.values())
        return first, known(built)


def test_whom_a_host_knows_is_read_and_forgotten_whoever_it_is(sandbox: Sandbox) -> None:
    first, then = sandbox.call(before_and_after, star(3))
    assert first["h1"] == {"198.51.100.2", "198.51.100.3", "2001:db8::2", "2001:db8::3"}
    assert all(ip_address(each) for each in first["h1"])
    assert then == {host: set() for host in ("h1", "s1", "h2", "h3")}
