from __future__ import annotations

from ipaddress import ip_interface

import inside
import pytest

from lab.errors import InstrumentError
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.shapes import chain
from lab.model.topology import Topology, two_hosts

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(
    "topology", [two_hosts(), chain(3), chain(20)], ids=lambda t: f"{len(t.hosts)} hosts"
)
def test_a_program_inside_sees_what_was_asked_for(sandbox: Sandbox, topology: Topology) -> None:
    seen = sandbox.call(inside.seen_by_witness, topology)
    assert {(i.host, i.name): set(i.addresses) for i in seen if i.name != "lo"} == {
        (i.host, i.name): set(i.addresses) for i in topology.interfaces()
    }
    assert [i.host for i in seen if i.name == "lo"] == list(topology.hosts)


@pytest.mark.parametrize("address", ["203.0.113.9/24", "2001:db8:bad::9/64"])
def test_another_address_than_asked_for_is_noticed(sandbox: Sandbox, address: str) -> None:
    with pytest.raises(InstrumentError) as raised:
        sandbox.call(inside.address_behind_its_back, two_hosts(), ip_interface(address))
    asked, _, seen = str(raised.value).partition("; a program inside sees ")
    assert asked == (
        "namespace client is not what was asked for: asked for "
        "eth0 with 198.51.100.1/24 and 2001:db8::1/64"
    )
    assert "198.51.100.1/24" in seen
    assert address in seen


def test_a_device_that_nobody_asked_for_is_noticed_once_it_is_up(sandbox: Sandbox) -> None:
    with pytest.raises(InstrumentError, match="tunl0 with no address"):
        sandbox.call(inside.device_behind_its_back, two_hosts(), True)


def test_a_device_of_the_kernels_own_that_is_down_does_no_harm(sandbox: Sandbox) -> None:
    """Where a tunnel's module is loaded, each new namespace begins with its fallback device."""
    seen = sandbox.call(inside.device_behind_its_back, two_hosts(), False)
    assert {interface.name for interface in seen} == {"lo", "eth0"}
