from __future__ import annotations

import pytest

from lab.ad_hoc import session_scenario
from lab.cli.prompt.network import host_lines, link_lines, names_of
from lab.errors import UsageError
from lab.model.family import Family
from lab.model.layout import laid_out
from lab.model.shapes import lan_behind_nat, star


def test_hosts_are_listed_with_what_they_are() -> None:
    assert [*host_lines(lan_behind_nat(1))] == [
        "h1      eth0 10.0.0.2/24 fd00::2/64",
        "s1      a switch; eth0; eth1",
        "nat     a NAT; eth0 10.0.0.1/24 fd00::1/64; eth1 198.51.100.1/24 2001:db8::1/64",
        "server  eth0 198.51.100.2/24 2001:db8::2/64",
    ]


def test_links_are_listed_with_their_ends() -> None:
    assert [*link_lines(star(2))] == [
        "h1/eth0 -- s1/eth0, MTU 1500",
        "h2/eth0 -- s1/eth1, MTU 1500",
    ]


def test_a_name_stands_for_the_address_of_the_sessions_ip_version() -> None:
    scenario = session_scenario(star(2))
    assert names_of(scenario, Family.IPV6).addresses == {"h1": "2001:db8::1", "h2": "2001:db8::2"}
    assert names_of(scenario, Family.IPV6).values["h1_url"] == "[2001:db8::1]"


def test_a_host_that_is_called_as_a_command_is_refused() -> None:
    with pytest.raises(UsageError, match="'jobs'"):
        names_of(session_scenario(laid_out([("jobs", "b")])), Family.IPV4)
