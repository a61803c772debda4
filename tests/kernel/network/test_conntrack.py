from __future__ import annotations

import socket

import pytest

from lab.kernel.network.conntrack import Tracked, Tuple, forget_tracked, read_tracked
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import build_topology, forget_neighbours
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.shapes import lan_behind_nat
from lab.model.topology import Topology

pytestmark = pytest.mark.kernel

ECHO = b"\x08\0\xf7\xf7\0\x07\0\x01"  # RFC 792: type 8, identifier 7, sequence number 1


def before_and_after(topology: Topology, by_step: bool) -> tuple[list[Tracked], list[Tracked]]:
    """Run inside: what the NAT tracks of a datagram of each IP version and an echo, and then."""
    with build_topology(topology) as built:
        wait_until_links_ready(built)
        with built["h1"].entered():
            for family, address in (
                (socket.AF_INET, "198.51.100.2"), (socket.AF_INET6, "2001:db8::2"),
            ):  # fmt: skip
                with socket.socket(family, socket.SOCK_DGRAM) as sender:
                    sender.bind(("", 4000))
                    sender.sendto(b"x", (address, 9))
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinger:
                pinger.settimeout(5)
                pinger.sendto(ECHO, ("198.51.100.2", 0))
                pinger.recvfrom(100)
        with built["nat"].entered():
            first = read_tracked()
            if not by_step:
                forget_tracked()
        if by_step:
            forget_neighbours(built.values())
        with built["nat"].entered():
            return first, read_tracked()


@pytest.mark.parametrize("by_step", [False, True])
def test_what_a_nat_tracks_is_read_and_forgotten(sandbox: Sandbox, by_step: bool) -> None:
    first, then = sandbox.call(before_and_after, lan_behind_nat(1), by_step)
    assert then == []
    icmp, udp4, udp6 = sorted(first, key=lambda each: (each.protocol, ":" in each.original.source))
    assert (icmp.protocol, udp4.protocol, udp6.protocol) == (1, 17, 17)
    for each in (icmp, udp4, udp6):
        assert 61_000 <= each.reply.destination_port < 62_000
    port = udp4.reply.destination_port
    assert udp4.original == Tuple("10.0.0.2", "198.51.100.2", 4000, 9)
    assert udp4.reply == Tuple("198.51.100.2", "198.51.100.1", 9, port)
    port = udp6.reply.destination_port
    assert udp6.original == Tuple("fd00::2", "2001:db8::2", 4000, 9)
    assert udp6.reply == Tuple("2001:db8::2", "2001:db8::1", 9, port)
    assert icmp.original == Tuple("10.0.0.2", "198.51.100.2", 7, 7)
    identifier = icmp.reply.destination_port
    assert icmp.reply == Tuple("198.51.100.2", "198.51.100.1", identifier, identifier)
