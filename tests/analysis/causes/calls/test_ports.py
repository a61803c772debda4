"""Ports of which none was left; and what is near to that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from failed_call import FLOW, attempted, found, sockaddr

from lab.records import InterfaceSeen, Recording, SysctlSet

EADDRINUSE, EADDRNOTAVAIL = 98, 99
SERVER = str(FLOW.b.address)


def ranging(run: Recording, low: int, high: int) -> Recording:
    value = f"{low} {high}"
    change = SysctlSet("client", "net.ipv4.ip_local_port_range", value, "32768 60999", value)
    return replace(run, sysctls=(change,))


def connecting(address: str = SERVER, port: int = FLOW.b.port) -> Recording:
    memory = sockaddr(address, port)
    return attempted("connect", EADDRNOTAVAIL, (90, 1, memory.length), memory)


@pytest.mark.parametrize(("low", "high", "is_met"), [(0, 0, True), (0, 1, False), (1, 1, False)])
def test_ports_of_connections_to_the_same_place_are_counted(
    low: int, high: int, is_met: bool
) -> None:
    port = FLOW.a.port
    causes = found(ranging(connecting(), port + low, port + high))
    assert ("no-port-left" in causes) is is_met
    if is_met:
        assert f"is {port} to {port}, and client uses 1 port" in causes["no-port-left"].text


@pytest.mark.parametrize("run", [connecting("203.0.113.9"), connecting(port=80)])
def test_a_port_may_be_used_again_to_another_place(run: Recording) -> None:
    assert "no-port-left" not in found(ranging(run, FLOW.a.port, FLOW.a.port))


def test_a_range_that_is_not_known_may_be_large() -> None:
    assert "no-port-left" not in found(connecting())


def test_a_host_without_addresses_of_that_version_has_none_to_come_from() -> None:
    memory = sockaddr("2001:db8::2", 80)
    run = attempted("connect", EADDRNOTAVAIL, (90, 1, 28), memory, kind=(10, 1, 0))
    only_four = tuple(
        InterfaceSeen(each.host, each.name, tuple(a for a in each.addresses if a.version == 4))
        for each in run.interfaces
    )
    cause = found(replace(run, interfaces=only_four))["no-source-address"]
    assert "client has no address of IPv6 from which it could reach 2001:db8::2" in cause.text
    assert "no-source-address" not in found(connecting())


@pytest.mark.parametrize(("port", "is_met"), [(0, True), (80, False)])
def test_a_port_that_the_kernel_is_to_choose(port: int, is_met: bool) -> None:
    run = attempted("bind", EADDRINUSE, memory=sockaddr("0.0.0.0", port))
    low = FLOW.a.port
    assert ("no-port-left" in found(ranging(run, low, low))) is is_met
