"""Waits until a namespace's links are ready: up, addressed, and silent of themselves.

The kernel handles a link's carrier in a work queue (linkwatch); IPv6 starts on the link only
after that. It takes an IPv6 address into use, and joins its solicited-node multicast group
(RFC 4291, 2.7.1), in a work queue that may have to wait for other work (such as the end of an
earlier run's namespaces). Before that it does not answer neighbour solicitations for the
address; after that it reports the group (RFC 2710).
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

    Only then switches forward: a report of each host to all others would be as many frames as the
    square of their number, a million for 1,000 hosts.

    Raises KernelRefused after DEADLINE_S seconds.
    """
    pause = select.poll()
    for namespace in namespaces.values():
        with namespace.entered():
            for _ in range(int(DEADLINE_S * 1000)):
                reason = _why_not_ready(namespace)
                if not reason:
                    break
                pause.poll(1)
            else:
                raise KernelRefused(
                    f"namespace {namespace.name}: {reason} after {DEADLINE_S:g} s; "
                    "the kernel's work queue does not come to it"
                )
    for namespace in namespaces.values():
        namespace.join_ports()


def _why_not_ready(namespace: Namespace) -> str:
    """Why the links of the entered namespace are not ready; "" if they are."""
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
    """The address's group, as /proc/net/igmp6 writes it. Source: RFC 4291, 2.7.1."""
    return f"{SOLICITED_NODE_PREFIX | int(address) & 0xFFFFFF:032x}"
