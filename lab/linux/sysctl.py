"""Settings of a host's network namespace, by the names that sysctl(8) has for them.

Source: Documentation/networking/ip-sysctl.rst of the kernel; sysctl(8), sysctl.d(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lab.errors import UsageError, did_you_mean
from lab.frozen import frozen

SPACES = ("core", "ipv4", "ipv6", "mptcp", "netfilter", "sctp", "unix")
"""What of /proc/sys/net a network namespace has of its own."""
NO_INTERFACES = ("all", "default", "lo")
"""What stands in an interface's place, and is none of the topology's."""
WHOLE_MACHINE = frozenset(
    (
        *(f"net.core.{name}" for name in (
            "bpf_jit_enable", "busy_poll", "busy_read", "default_qdisc", "dev_weight",
            "max_skb_frags", "netdev_budget", "netdev_budget_usecs", "netdev_max_backlog",
            "rmem_default", "rmem_max", "wmem_default", "wmem_max",
        )),
        *(f"net.ipv4.{name}" for name in (
            "inet_peer_maxttl", "inet_peer_minttl", "inet_peer_threshold", "tcp_low_latency",
            "tcp_max_orphans", "tcp_mem", "udp_mem",
        )),
        "net.ipv6.mld_max_msf", "net.ipv6.mld_qrv",
    )
)  # fmt: skip
"""Some that a new network namespace does not have, or cannot set (Linux 6.18)."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+~-]*")
_OF_INTERFACE = ("conf", "neigh")
_LONGEST = 4096  # the kernel takes no more of a value than a page


@frozen
class Sysctl:
    """A setting of one host's network namespace: "net.ipv4.tcp_syn_retries" is to be "3".

    Raises UsageError if no network namespace can have one of that name, or the value is none.
    """

    host: str
    name: str
    """Its parts separated by "."; as in sysctl(8) by "/" where a part has a "." itself:
    "net/ipv4/conf/eth0.5/rp_filter"."""
    value: str
    is_optional: bool = False
    """Whether a kernel that does not have it is left as it is."""

    def __post_init__(self) -> None:
        parts = self._parts
        if len(parts) < 3 or parts[0] != "net" or not all(map(_PART.fullmatch, parts)):
            raise UsageError(
                f"sysctl {self.name!r}: those of a network namespace are named "
                "net.ipv4.…, net.ipv6.… and so on"
            )
        if parts[1] not in SPACES:
            known = did_you_mean(parts[1], SPACES)
            raise UsageError(f"sysctl {self.name!r}: there is no net.{parts[1]}{known}")
        if ".".join(parts) in WHOLE_MACHINE:
            raise UsageError(
                f"sysctl {self.name!r} is the whole machine's: a network namespace has none"
            )
        if parts[2] in _OF_INTERFACE and len(parts) != 5:
            raise UsageError(
                f"sysctl {self.name!r}: behind net.{parts[1]}.{parts[2]} come an interface, "
                '"all" or "default", and a name'
            )
        is_text = self.value.isascii() and self.value.replace("\t", " ").isprintable()
        if not self.value.strip() or not is_text or len(self.value) >= _LONGEST:
            raise UsageError(f"sysctl {self.name!r}: {self.value!r} is no value")

    @property
    def _parts(self) -> list[str]:
        """As sysctl(8) has it: whichever separator comes first is the one."""
        separator = "/" if "/" in self.name.partition(".")[0] else "."
        return self.name.split(separator)

    @property
    def path(self) -> str:
        """Where it is under /proc/sys."""
        return "/".join(self._parts)

    @property
    def interface(self) -> str | None:
        """The interface of the host's that it is about; None where it is about none."""
        _, _, kind, *others = self._parts
        if kind in _OF_INTERFACE and others[0] not in NO_INTERFACES:
            return others[0]
        return None


def sysctls_of(values: Mapping[str, int | str], hosts: Sequence[str]) -> tuple[Sysctl, ...]:
    """The settings that a person wrote, of each host.

    By "net.ipv4.tcp_syn_retries" a value for all `hosts`, by "server:net.ipv4.tcp_syn_retries" for
    one; with a "-" before the name, as in sysctl.d(5), only where the kernel has it. What is
    written for one host goes before what is for all.

    Raises UsageError.
    """
    of_all: dict[str, Sysctl] = {}
    found: dict[str, dict[str, Sysctl]] = {host: {} for host in hosts}
    for key, value in values.items():
        host, colon, name = key.rpartition(":")
        if colon and host not in hosts:
            raise UsageError(
                f"sysctl {key!r}: there is no host {host!r}; there are {', '.join(hosts)}"
                + did_you_mean(host, hosts)
            )
        is_optional = name.startswith("-")
        one = Sysctl(host, name.removeprefix("-"), _text(value), is_optional)
        (found[host] if colon else of_all)[one.path] = one
    return tuple(
        Sysctl(host, each.name, each.value, each.is_optional)
        for host, own in found.items()
        for each in (of_all | own).values()
    )


def sysctl_words(words: Sequence[str]) -> dict[str, str]:
    """Values by their keys, of words as in "server:net.ipv4.tcp_syn_retries=3".

    Raises UsageError where a word has no "=".
    """
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"sysctl {word!r} has no value: NAME=VALUE, or HOST:NAME=VALUE")
        found[key.strip()] = value.strip()
    return found


def _text(value: int | str) -> str:
    """As it is written; of a bool 1 or 0."""
    return str(int(value)) if isinstance(value, int) else value


def sysctl_numbers(value: str) -> tuple[int, ...]:
    """The numbers of a value that has several, with white space between them."""
    return tuple(map(int, value.split()))
