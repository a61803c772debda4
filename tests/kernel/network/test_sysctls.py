"""Sysctls set for real: in the hosts' namespaces, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import inside
import pytest

from lab.errors import UsageError
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts
from lab.records import SysctlSet

pytestmark = pytest.mark.kernel


def test_each_host_has_its_own(sandbox: Sandbox) -> None:
    topology = two_hosts(
        sysctls={
            "net.ipv4.tcp_rmem": "4096 8192\t16384",
            "server:net.ipv4.tcp_rmem": "4096 16384 32768",
            "net.ipv6.conf.eth0.hop_limit": 5,
            "net.ipv4.conf.default.rp_filter": 2,
            "-net.ipv4.tcp_no_such_thing": 1,
        }
    )
    found = sandbox.call(inside.sysctls_set, topology)
    values = {(each.host, each.name): each.value for each in found}
    assert values == {
        ("client", "net.ipv4.tcp_rmem"): "4096 8192 16384",
        ("server", "net.ipv4.tcp_rmem"): "4096 16384 32768",
        ("client", "net.ipv6.conf.eth0.hop_limit"): "5",
        ("server", "net.ipv6.conf.eth0.hop_limit"): "5",
        ("client", "net.ipv4.conf.default.rp_filter"): "2",
        ("server", "net.ipv4.conf.default.rp_filter"): "2",
        ("client", "net.ipv4.tcp_no_such_thing"): None,
        ("server", "net.ipv4.tcp_no_such_thing"): None,
    }
    befores = {each.before for each in found if each.name == "net.ipv6.conf.eth0.hop_limit"}
    assert befores == {"64"}


def test_links_take_over_what_is_set_as_the_default(sandbox: Sandbox) -> None:
    topology = two_hosts(sysctls={"client:net.ipv6.conf.default.hop_limit": 7})
    read = sandbox.call(inside.sysctl_of, topology, "client", "net/ipv6/conf/eth0/hop_limit")
    assert read == "7"


def test_the_machines_own_stay_as_they_are(sandbox: Sandbox) -> None:
    mine = Path("/proc/sys/net/ipv4/tcp_fin_timeout")
    before = mine.read_text("ascii")
    other = int(before) + 1
    found = sandbox.call(inside.sysctls_set, two_hosts(sysctls={"net.ipv4.tcp_fin_timeout": other}))
    assert {each.value for each in found} == {str(other)}
    assert mine.read_text("ascii") == before


def test_what_this_kernel_does_not_have_is_named(sandbox: Sandbox) -> None:
    topology = two_hosts(sysctls={"server:net.ipv4.tcp_sac": 1})
    with pytest.raises(
        UsageError,
        match=r"has no sysctl net\.ipv4\.tcp_sac in the network namespace of server; "
        r"did you mean 'tcp_sack'\?; .* write \"-net\.ipv4\.tcp_sac\"",
    ):
        sandbox.call(inside.sysctls_set, topology)


def test_of_what_ordinary_users_may_not_have_that_is_said(sandbox: Sandbox) -> None:
    topology = two_hosts(sysctls={"net.core.somaxcon": 1})
    with pytest.raises(
        UsageError, match=r"older kernels have none of net\.core for ordinary users;"
    ):
        sandbox.call(inside.sysctls_set, topology)


def test_a_value_that_the_kernel_does_not_take_is_named(sandbox: Sandbox) -> None:
    topology = two_hosts(sysctls={"net.ipv4.tcp_sack": "maybe"})
    with pytest.raises(UsageError, match=r"cannot set .*tcp_sack of client to 'maybe': Invalid"):
        sandbox.call(inside.sysctls_set, topology)


def test_what_may_only_be_read_is_named(sandbox: Sandbox) -> None:
    topology = two_hosts(sysctls={"net.ipv4.tcp_available_congestion_control": "reno"})
    with pytest.raises(UsageError, match=r"cannot set sysctl .* to 'reno': (Permission|Operation)"):
        sandbox.call(inside.sysctls_set, topology)


def test_a_record_says_what_it_was() -> None:
    assert str(SysctlSet("a", "net.x.y", "1", "0", "1")) == "a: net.x.y = 1 (0 before)"
    assert str(SysctlSet("a", "net.x.y", "1", "1", "1")) == "a: net.x.y = 1 (as before)"
    assert "none of this kernel's" in str(SysctlSet("a", "net.x.y", "1", None, None))
