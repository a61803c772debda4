"""When a namespace's links have done all that they do by themselves.

A link's carrier is taken into account by a work queue (linkwatch), and IPv6 begins on the link
only then.
The kernel takes an IPv6 address into use, and joins its solicited-node multicast group
(RFC 4291, 2.7.1), from a work queue that may have to wait for others (the end of an earlier
run's namespaces, say). Until then it does not answer a neighbour solicitation for the address;
after it, it reports the group (RFC 2710).
"""

from __future__ import annotations

import select
from collections.abc import Mapping
from ipaddress import IPv6Address
from pathlib import Path

from lab.errors import KernelRefused
from lab.kernel.network.namespace import Namespace

DEADLINE_S = 5.0
# include/uapi/linux/if_addr.h, shown in /proc/net/if_inet6; include/net/if_inet6.h, in
# /proc/net/igmp6.
IFA_F_TENTATIVE = 0x40
MAF_TIMER_RUNNING = 0x01
SOLICITED_NODE_PREFIX = int(IPv6Address("ff02::1:ff00:0"))


def wait_until_links_ready(namespaces: Mapping[str, Namespace]) -> None:
    """Wait until every link is up, every IPv6 address in use and every report sent.

    Raises KernelRefused after DEADLINE_S seconds.
    """
    pause = select.poll()
    for namespace in namespaces.values():
        with namespace.entered():
            for _ in range(int(DEADLINE_S * 1000)):
                waiting = _what_is_waited_for(namespace)
                if not waiting:
                    break
                pause.poll(1)
            else:
                raise KernelRefused(
                    f"namespace {namespace.name}: {waiting} after {DEADLINE_S:g} s; "
                    "the kernel's work queue does not come to it"
                )


def _what_is_waited_for(namespace: Namespace) -> str:
    """What keeps the entered namespace from being ready and quiet; "" where nothing does."""
    for interface in namespace.interfaces:
        if not namespace.netlink.is_operational(namespace.index(interface)):
            return f"{interface.name} is not operational"
    net = Path("/proc/thread-self/net")
    # index, device, group, users, flags, timer
    joined = [line.split() for line in (net / "igmp6").read_text("ascii").splitlines()]
    # address, index, prefix length, scope, flags, device
    held = [line.split() for line in (net / "if_inet6").read_text("ascii").splitlines()]
    groups = {(words[1], words[2]) for words in joined}
    tentative = {words[0] for words in held if int(words[4], 16) & IFA_F_TENTATIVE}
    for interface in namespace.interfaces:
        for address in interface.addresses:
            if address.version == 6:
                if (interface.name, _solicited_node_group(address.ip)) not in groups:
                    return f"the solicited-node group of {address.ip} is not joined"
                if f"{int(address.ip):032x}" in tentative:
                    return f"{address.ip} is tentative"
    if any(int(words[4], 16) & MAF_TIMER_RUNNING for words in joined):
        return "multicast listener reports are still to be sent"
    return ""


def _solicited_node_group(address: IPv6Address) -> str:
    """The group, as /proc/net/igmp6 writes it. Source: RFC 4291, 2.7.1."""
    return f"{SOLICITED_NODE_PREFIX | int(address) & 0xFFFFFF:032x}"
