"""What a host's network was given, and what has become of it since.

Programs with CAP_NET_ADMIN may take it away. What they add, or set otherwise, is theirs to do.

Source: rtnetlink(7); include/uapi/linux/netfilter/nf_tables.h; proc(5), /proc/net/netlink.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from lab.frozen import frozen
from lab.kernel.netlink.dumps import HEADER, NLM_F_REQUEST, attributes, dump, dumped
from lab.kernel.netlink.queueing import read_disciplines
from lab.kernel.network.namespace import Namespace
from lab.kernel.network.netlink import IFF_UP, NLM_F_ACK
from lab.model.counted import counted
from lab.records import Syscall

RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE = 18, 22, 26, 34
IFLA_IFNAME = 3
IFA_ADDRESS, IFA_LOCAL = 1, 2
RTA_DST, RTA_OIF, RTA_TABLE = 1, 4, 15
LOOPBACK = "lo"
NETLINK_NETFILTER = 12
NFT_MSG_GETGEN = 10 << 8 | 16  # of the subsystem NFNL_SUBSYS_NFTABLES
NFTA_GEN_ID = 1
FILTER_CHANGED = "the packet filter was changed"
LEGACY_TABLES = ("ip_tables_names", "ip6_tables_names")

_IP_LEVELS, _IPT_SO_SET_REPLACE = (0, 41), 64
"""IPPROTO_IP and IPPROTO_IPV6; what both have in netfilter_ipv4/ip_tables.h and its like."""

_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=8BI")  # struct rtmsg: family, length of dst, …, table, …, type, flags
_RULE = struct.Struct("=8BI")  # struct fib_rule_hdr: family, …, action, flags
_GENERIC = struct.Struct("=BBH")  # struct nfgenmsg


@frozen
class Configuration:
    """A host's network at one moment."""

    up: frozenset[str]
    """The names of the interfaces that are up."""
    addresses: frozenset[str]
    """Each with its prefix length and its interface: "198.51.100.1/24 of eth0"."""
    routes: frozenset[tuple[bytes, ...]]
    """What tells a route from others: type, table, destination, interface."""
    filters: tuple[str, ...]
    """The tables of iptables(8), and which generation nf_tables' rules are of."""
    rules: frozenset[bytes] = frozenset()
    """Those that choose the table of routes (ip-rule(8)), as the kernel sends them."""
    queueing: frozenset[tuple[str, str, int]] = frozenset()
    """The queueing disciplines of interfaces (tc(8)): interface, kind, parent."""
    unseen: tuple[str, ...] = ()
    """What of the packet filter cannot be known, and why."""

    def lost(self, later: Configuration) -> tuple[str, ...]:
        """What is not there any more `later`, in a few words each.

        Of the packet filter and of traffic control, which drop packets before they can be seen,
        what was added is said as well.

        That an end of a link is down or gone is left to the canaries, which cannot be sent there.
        """
        down = self.up - later.up
        words = [f"{LOOPBACK} was taken down"] if LOOPBACK in down else []
        # Addresses go with their interface, routes with either.
        gone = [each for each in self.addresses - later.addresses if each.split()[-1] not in down]
        words += [f"the address {each} was removed" for each in sorted(gone)]
        if not words and not down and (routes := self.routes - later.routes):
            words.append(f"{counted(len(routes), 'route')} removed")
        if rules := self.rules - later.rules:
            words.append(f"{counted(len(rules), 'rule')} for routing removed")
        if self.filters != later.filters:
            words.append(FILTER_CHANGED)
        both = self.up & later.up  # what a new interface brings with it changes no other
        named = {name for name, _, _ in self.queueing ^ later.queueing}
        words += [f"traffic control of {name} was changed" for name in sorted(named & both)]
        return tuple(words)


def read_configuration(namespace: Namespace) -> Configuration:
    """The configuration of a host's network as it is now. Raises OSError."""
    with namespace.entered():
        names: dict[int, str] = {}
        up: set[str] = set()
        for message in dumped(RTM_GETLINK, _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
            _, _, index, flags, _ = _LINK.unpack_from(message, HEADER.size)
            found = dict(attributes(message, _LINK.size))
            names[index] = found[IFLA_IFNAME].rstrip(b"\0").decode("ascii", "backslashreplace")
            if flags & IFF_UP:
                up.add(names[index])
        addresses = {
            _address(message, names)
            for message in dumped(RTM_GETADDR, _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
        }
        routes = {
            _route(message)
            for message in dumped(RTM_GETROUTE, _ROUTE.pack(socket.AF_UNSPEC, *[0] * 8))
        }
        rules = {
            message[HEADER.size :]
            for message in dumped(RTM_GETRULE, _RULE.pack(socket.AF_UNSPEC, *[0] * 8))
        }
        queueing = {
            (names.get(each.index, str(each.index)), each.kind, each.parent)
            for each in read_disciplines()
        }
        legacy, unseen = _legacy_tables()
        filters = (*legacy, *_generation())
    return Configuration(
        frozenset(up),
        frozenset(addresses),
        frozenset(routes),
        filters,
        frozenset(rules),
        frozenset(queueing),
        unseen,
    )


def filter_changers(calls: Iterable[Syscall]) -> tuple[str, ...]:
    """The programs that changed the packet filter as iptables-legacy(8) does, by their calls.

    In the order of their first such call. Where its tables cannot be read these alone show it.
    """
    return tuple(dict.fromkeys(call.program for call in calls if _replaces(call)))


def _replaces(call: Syscall) -> bool:
    if call.name != "setsockopt" or call.result != 0:
        return False
    _, level, option, *_ = (argument & 0xFFFFFFFF for argument in call.arguments)
    return level in _IP_LEVELS and option == _IPT_SO_SET_REPLACE


def _address(message: bytes, names: dict[int, str]) -> str:
    _, length, _, _, index = _ADDRESS.unpack_from(message, HEADER.size)
    found = dict(attributes(message, _ADDRESS.size))
    address = ip_address(found.get(IFA_LOCAL, found.get(IFA_ADDRESS, bytes(4))))
    return f"{address}/{length} of {names.get(index, index)}"


def _route(message: bytes) -> tuple[bytes, ...]:
    family, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(message, HEADER.size)
    found = dict(attributes(message, _ROUTE.size))
    head = bytes((family, length, kind))
    number = found.get(RTA_TABLE, struct.pack("=I", table))
    return head, number, found.get(RTA_DST, b""), found.get(RTA_OIF, b"")


def _legacy_tables() -> tuple[list[str], tuple[str, ...]]:
    """The tables of iptables(8) that there are, where the kernel has them by itself.

    And what is to be said where they cannot be read. Their files are uid 0's, which an ordinary
    user's namespace does not have, so that no capability there lets anybody read them
    (user_namespaces(7)); and to ask for a table by getsockopt(2) would make it.
    """
    tables: list[str] = []
    for name in LEGACY_TABLES:
        try:
            tables.append(f"{name}: {Path('/proc/thread-self/net', name).read_text('ascii')}")
        except FileNotFoundError:
            continue  # never used on this machine
        except PermissionError:
            why = f"/proc/net/{name} cannot be read by uid {os.geteuid()}"
            return [], (f"not of tables that iptables-legacy(8) makes: {why}",)
    return tables, ()


def _generation() -> Iterator[str]:
    """The generation of nf_tables' rules, which grows with each change.

    Not asked for where nobody has used netfilter's netlink: opening its socket would load it.
    """
    lines = Path("/proc/thread-self/net/netlink").read_text("ascii").splitlines()[1:]
    if not any(int(line.split()[1]) == NETLINK_NETFILTER for line in lines):
        return
    body = _GENERIC.pack(socket.AF_UNSPEC, 0, 0)
    flags = NLM_F_REQUEST | NLM_F_ACK
    header = HEADER.pack(HEADER.size + len(body), NFT_MSG_GETGEN, flags, 0, 0)
    try:
        for message in dump(NETLINK_NETFILTER, header + body):
            found = dict(attributes(message, _GENERIC.size))
            yield f"nf_tables: generation {int.from_bytes(found[NFTA_GEN_ID], 'big')}"
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # a kernel without nf_tables
            raise
