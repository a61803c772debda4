from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.linux.sysctl import Sysctl, sysctl_numbers, sysctl_words, sysctls_of


def test_a_sysctl_has_its_place_below_proc_sys() -> None:
    assert Sysctl("a", "net.ipv4.tcp_sack", "0").path == "net/ipv4/tcp_sack"


@pytest.mark.parametrize(
    ("name", "path", "interface"),
    [
        ("net.ipv4.conf.eth0.rp_filter", "net/ipv4/conf/eth0/rp_filter", "eth0"),
        (
            "net/ipv6/neigh/eth0.5/retrans_time_ms",
            "net/ipv6/neigh/eth0.5/retrans_time_ms",
            "eth0.5",
        ),
        ("net.ipv4.conf.all.rp_filter", "net/ipv4/conf/all/rp_filter", None),
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward", None),
    ],
)
def test_the_interface_that_one_is_about(name: str, path: str, interface: str | None) -> None:
    sysctl = Sysctl("a", name, "1")
    assert (sysctl.path, sysctl.interface) == (path, interface)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "tcp_sack",
        "net.ipv4",
        "vm.swappiness.x",
        "kernel.printk",
        "net..tcp_sack",
        "net.ipv4.",
        "net/ipv4/../../kernel/printk",
        "net/ipv4/./tcp_sack",
        "net.ipv4.tcp sack",
        "net.ipv4.tcp_sack\n",
        "net.ipv4.conf.rp_filter",
        "net.ipv4.conf.eth0.5.rp_filter",
    ],
)
def test_what_names_none_of_a_network_namespace_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="sysctl"):
        Sysctl("a", name, "1")


def test_a_misspelt_part_is_guessed() -> None:
    with pytest.raises(UsageError, match=r"no net\.ipv5; did you mean 'ipv"):
        Sysctl("a", "net.ipv5.tcp_sack", "1")


def test_what_is_the_whole_machines_is_said_to_be() -> None:
    with pytest.raises(UsageError, match="the whole machine's"):
        Sysctl("a", "net.ipv4.tcp_mem", "1 2 3")


@pytest.mark.parametrize("value", ["", "  ", "1\n2", "\0", "ä", "1" * 4096])
def test_what_is_no_value_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="is no value"):
        Sysctl("a", "net.ipv4.tcp_sack", value)


def test_several_numbers_are_one_value() -> None:
    assert Sysctl("a", "net.ipv4.tcp_rmem", "4096\t131072 6291456").value


def test_a_value_for_all_hosts_is_each_hosts_and_one_hosts_own_goes_before() -> None:
    found = sysctls_of(
        {"b:net.ipv4.tcp_sack": 0, "net.ipv4.tcp_sack": 1, "-net/ipv4/tcp_new": True},
        ("a", "b"),
    )
    assert found == (
        Sysctl("a", "net.ipv4.tcp_sack", "1"),
        Sysctl("a", "net/ipv4/tcp_new", "1", is_optional=True),
        Sysctl("b", "net.ipv4.tcp_sack", "0"),
        Sysctl("b", "net/ipv4/tcp_new", "1", is_optional=True),
    )


def test_one_host_may_do_without() -> None:
    assert sysctls_of({"a:-net.ipv4.tcp_new": "x"}, ("a", "b")) == (
        Sysctl("a", "net.ipv4.tcp_new", "x", is_optional=True),
    )


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(UsageError, match="no host 'sever'; there are client, server; did you mean"):
        sysctls_of({"sever:net.ipv4.tcp_sack": 1}, ("client", "server"))


def test_words_of_the_command_line() -> None:
    words = ["net.ipv4.tcp_rmem = 1 2 3", "a:net.ipv4.tcp_x=y=z"]
    assert sysctl_words(words) == {"net.ipv4.tcp_rmem": "1 2 3", "a:net.ipv4.tcp_x": "y=z"}


def test_a_word_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'net\.ipv4\.tcp_sack' has no value: NAME=VALUE"):
        sysctl_words(["net.ipv4.tcp_sack"])


def test_a_value_of_several_numbers_has_white_space_between_them() -> None:
    assert sysctl_numbers("32768\t60999") == (32768, 60999)
    assert sysctl_numbers("1 0") == (1, 0)
