from __future__ import annotations

from dataclasses import replace

from lab.records import SysctlSet


def test_a_sysctl_is_reported_with_what_it_was_before() -> None:
    set_ = SysctlSet("client", "net.ipv4.tcp_sack", "0", "1", "0")
    assert str(set_) == "client: net.ipv4.tcp_sack = 0 (1 before)"
    assert str(replace(set_, before="0")) == "client: net.ipv4.tcp_sack = 0 (as before)"
    lacking = replace(set_, before=None, value=None)
    assert str(lacking) == ("client: net.ipv4.tcp_sack is none of this kernel's, and was not set")
