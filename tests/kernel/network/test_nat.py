from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.errors import KernelRefused, MachineError
from lab.kernel.network import nat
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import Namespace, build_topology
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.shapes import lan_behind_nat
from lab.model.topology import Topology

pytestmark = pytest.mark.kernel

SERVER = {socket.AF_INET: "198.51.100.2", socket.AF_INET6: "2001:db8::2"}
OUTSIDE = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
FAMILIES = pytest.mark.parametrize("family", list(SERVER), ids=["IPv4", "IPv6"])
SAME_PORT = 4000


@contextmanager
def bound(namespace: Namespace, family: int, kind: int, port: int) -> Iterator[socket.socket]:
    with namespace.entered():
        each = socket.socket(family, kind)
    with each:
        each.settimeout(5)
        each.bind(("", port))
        yield each


def seen_by_the_server(topology: Topology, family: int) -> list[tuple[str, int]]:
    """Run inside: as whom h1 and h2 come, both from one port; each has its answer."""
    found = []
    with (
        build_topology(topology) as built,
        bound(built["server"], family, socket.SOCK_DGRAM, 4242) as server,
    ):
        wait_until_links_ready(built)
        for host in ("h1", "h2"):
            with bound(built[host], family, socket.SOCK_DGRAM, SAME_PORT) as client:
                client.sendto(host.encode(), (SERVER[socket.AddressFamily(family)], 4242))
                data, address = server.recvfrom(100)
                server.sendto(data.upper(), address)
                assert client.recvfrom(100)[0] == host.upper().encode()
                found.append(address[:2])
    return found


def rules(topology: Topology) -> str:
    """Run inside: the NAT's rules as nft(8) reads them."""
    with build_topology(topology) as built, built["nat"].entered():
        command = ["nft", "list", "ruleset"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def its_own_packets(topology: Topology, family: int) -> tuple[str, int]:
    """Run inside: as whom the NAT's own datagram comes to the server."""
    with (
        build_topology(topology) as built,
        bound(built["server"], family, socket.SOCK_DGRAM, 4242) as server,
        bound(built["nat"], family, socket.SOCK_DGRAM, SAME_PORT) as own,
    ):
        own.sendto(b"own", (SERVER[socket.AddressFamily(family)], 4242))
        address = server.recvfrom(100)[1]
        return address[0], address[1]


@FAMILIES
def test_two_with_one_source_port_come_as_one_address_with_two_ports(
    sandbox: Sandbox, family: int
) -> None:
    first, second = sandbox.call(seen_by_the_server, lan_behind_nat(2), family)
    assert first[0] == second[0] == OUTSIDE[socket.AddressFamily(family)]
    assert first[1] != second[1]
    assert {first[1], second[1]} <= set(range(61_000, 62_000))


@FAMILIES
def test_without_ports_of_its_own_the_first_keeps_its_port(sandbox: Sandbox, family: int) -> None:
    first, second = sandbox.call(seen_by_the_server, lan_behind_nat(2, ports=None), family)
    assert first == (OUTSIDE[socket.AddressFamily(family)], SAME_PORT)
    assert second[0] == first[0]
    assert second[1] != SAME_PORT


@FAMILIES
def test_what_a_nat_sends_itself_is_left_as_it_is(sandbox: Sandbox, family: int) -> None:
    assert sandbox.call(its_own_packets, lan_behind_nat(1), family) == (
        OUTSIDE[socket.AddressFamily(family)], SAME_PORT,
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="nft, executed as an ordinary user, may not ask")
def test_nft_reads_the_rules_as_they_are_meant(sandbox: Sandbox) -> None:
    text = sandbox.call(rules, lan_behind_nat(1, ports=(5000, 5009)))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines.count("type nat hook postrouting priority srcnat; policy accept;") == 2
    (four,) = (line for line in lines if line.endswith("snat to 198.51.100.1:5000-5009"))
    assert four.startswith("oif ")
    assert "ip saddr != 198.51.100.1" in four
    (six,) = (line for line in lines if line.endswith("snat to [2001:db8::1]:5000-5009"))
    assert "ip6 saddr != 2001:db8::1" in six


REQUESTS = [("table", 4, b""), ("chain", 4, b""), ("rule", 6, b"")]


@pytest.mark.parametrize(
    ("code", "number", "said"),
    [
        (errno.EOPNOTSUPP, 0, "CONFIG_NF_TABLES;"),
        (errno.EAFNOSUPPORT, 1, "CONFIG_NF_TABLES_IPV4"),
        (errno.ENOENT, 2, "modprobe nft_chain_nat"),
        (errno.ENOENT, 3, "modprobe nft_nat"),
    ],
)
def test_what_a_kernel_lacks_is_named(code: int, number: int, said: str) -> None:
    with pytest.raises(MachineError, match=f"this kernel has no NAT: it lacks .*{said}"):
        nat._refuse("nat", code, REQUESTS, number)


def test_another_refusal_is_none_of_what_is_lacking() -> None:
    with pytest.raises(KernelRefused, match=r"cannot make nat a NAT: chain: EPERM \(Operation"):
        nat._refuse("nat", errno.EPERM, REQUESTS, 2)


def refusal_of_another_type(topology: Topology) -> str:
    """Run inside: what is said where the kernel has no such type of chain."""
    original = nat._request

    def other(kind: type, what: str, number: int, version: int, attributes: object) -> object:
        assert isinstance(attributes, list)
        changed = [(key, "other" if key == "NFTA_CHAIN_TYPE" else each) for key, each in attributes]
        return original(kind, what, number, version, changed)

    nat._request = other  # type: ignore[assignment]
    try:
        with build_topology(topology):
            return "built"
    except (MachineError, KernelRefused) as error:
        return str(error)
    finally:
        nat._request = original


def test_a_kernel_that_lacks_a_part_is_believed(sandbox: Sandbox) -> None:
    said = sandbox.call(refusal_of_another_type, lan_behind_nat(1))
    assert said == (
        "this kernel has no NAT: it lacks chains of nf_tables for NAT (CONFIG_NFT_NAT, "
        "CONFIG_NF_NAT; modprobe nft_chain_nat)"
    )
