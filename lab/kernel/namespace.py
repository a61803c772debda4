"""One network namespace of a topology, and how a whole topology of them is built."""

from __future__ import annotations

import os
import select
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import KernelRefused, MachineError
from lab.kernel import libc
from lab.kernel.netlink import Netlink, VethEnd, create_namespace
from lab.kernel.offloads import read_feature_names, turn_off_offloads
from lab.topology import Interface, Topology

LOOPBACK_INDEX = 1

# What would put frames on a link that no program caused. Set as the namespace's defaults
# before it has links. MLD cannot be turned off; version 1 reports a group as it is joined
# and once more after a random part of the interval, and /proc/net/igmp6 tells when that is
# done (see wait_until_quiet). Version 2 repeats as often as a host-wide sysctl says.
QUIET_LINK_SYSCTLS = {
    "net/ipv6/conf/default/addr_gen_mode": "1",  # no link-local address by itself
    "net/ipv6/conf/default/dad_transmits": "0",
    "net/ipv6/conf/default/accept_ra": "0",
    "net/ipv6/conf/default/router_solicitations": "0",
    "net/ipv6/conf/default/force_mld_version": "1",
    "net/ipv6/conf/default/mldv1_unsolicited_report_interval": "1",
}

MLD_DEADLINE_S = 2.0
MAF_TIMER_RUNNING = 0x01  # include/net/if_inet6.h, shown in the flags of /proc/net/igmp6


@dataclass(slots=True)
class Namespace:
    """A network namespace, held by a descriptor; `netlink` is a socket inside it."""

    name: str
    descriptor: int
    netlink: Netlink
    interfaces: tuple[Interface, ...]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run the with statement's body inside: new sockets and programs belong to it.

        Only the calling thread moves; /proc/self/net stays the main thread's.
        """
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            libc.setns(self.descriptor, libc.CLONE_NEWNET, f"cannot enter namespace {self.name}")
            try:
                yield
            finally:
                libc.setns(here, libc.CLONE_NEWNET, "cannot return from a namespace")
        finally:
            os.close(here)

    def write_sysctl(self, key: str, value: str) -> None:
        """Set a sysctl of this namespace, by its path under /proc/sys."""
        with self.entered():
            _write_sysctl(key, value)

    def close(self) -> None:
        """Let go of it; without a name or a process in it the kernel reclaims it."""
        self.netlink.close()
        os.close(self.descriptor)


@contextmanager
def build_topology(topology: Topology) -> Iterator[Mapping[str, Namespace]]:
    """The topology's namespaces by host, linked, addressed, up and quiet.

    Runs in a sandbox's first process. At the end of the with statement the namespaces are
    closed; their names and links go with the sandbox.

    Raises KernelRefused.
    """
    with ExitStack() as stack:
        namespaces: dict[str, Namespace] = {}
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            for host in topology.hosts:
                namespaces[host] = _create(host, topology)
                stack.callback(namespaces[host].close)
        finally:
            libc.setns(here, libc.CLONE_NEWNET, "cannot return from a namespace")
            os.close(here)
        _connect(topology, namespaces)
        yield namespaces


def in_user_namespace() -> bool:
    """Whether this process is in another user namespace than the machine's own.

    Source: user_namespaces(7): there, all uids are mapped to themselves.
    """
    return Path("/proc/self/uid_map").read_text("ascii").split() != ["0", "0", "4294967295"]


def forget_neighbours(topology: Topology, namespaces: Mapping[str, Namespace]) -> None:
    """Have every host forget the hardware addresses of its neighbours.

    So that a step begins like any other, whatever went before it. Raises KernelRefused.
    """
    for link in topology.links:
        for near, far in (link.ends, link.ends[::-1]):
            namespace = namespaces[near.host]
            index = namespace.interfaces.index(near) + LOOPBACK_INDEX + 1
            for address in far.addresses:
                namespace.netlink.forget_neighbour(index, address.ip)
            namespace.netlink.commit()


def wait_until_quiet(namespaces: Mapping[str, Namespace]) -> None:
    """Wait until no namespace has a multicast listener report left to send.

    Raises KernelRefused after MLD_DEADLINE_S seconds.
    """
    pause = select.poll()
    for namespace in namespaces.values():
        with namespace.entered():
            for _ in range(int(MLD_DEADLINE_S * 1000)):
                if not _reports_pending():
                    break
                pause.poll(1)
            else:
                raise KernelRefused(
                    f"namespace {namespace.name} still has multicast listener reports to send "
                    f"after {MLD_DEADLINE_S} s"
                )


def _create(host: str, topology: Topology) -> Namespace:
    """Create and enter one namespace."""
    create_namespace(host)
    descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    for key, value in QUIET_LINK_SYSCTLS.items():
        _write_sysctl(key, value)
    interfaces = tuple(end for end in topology.interfaces() if end.host == host)
    return Namespace(host, descriptor, Netlink(host), interfaces)


def _connect(topology: Topology, namespaces: Mapping[str, Namespace]) -> None:
    """Create the links, then address and bring up, one batch of requests a namespace."""
    ends = {
        (namespace.name, interface.name): VethEnd(
            interface.name, index, _hardware_address(number, index)
        )
        for number, namespace in enumerate(namespaces.values(), start=1)
        for index, interface in enumerate(namespace.interfaces, start=LOOPBACK_INDEX + 1)
    }
    links_from = defaultdict(list)
    position = {host: number for number, host in enumerate(topology.hosts)}
    for link in topology.links:
        first, second = sorted(link.ends, key=lambda end: position[end.host])
        links_from[first.host].append((first, second, link.mtu_bytes))
    feature_names: tuple[str, ...] = ()
    for namespace in namespaces.values():
        netlink = namespace.netlink
        netlink.set_up(LOOPBACK_INDEX)
        for near, far, mtu_bytes in links_from[namespace.name]:
            netlink.create_veth(
                ends[near.host, near.name],
                ends[far.host, far.name],
                namespaces[far.host].descriptor,
                mtu_bytes,
            )
        for interface in namespace.interfaces:
            for address in interface.addresses:
                netlink.add_address(ends[interface.host, interface.name].index, address)
        netlink.commit()
        for interface in namespace.interfaces:
            feature_names = feature_names or read_feature_names(netlink.fileno(), interface.name)
            turn_off_offloads(netlink.fileno(), interface.name, feature_names)
            netlink.set_up(ends[interface.host, interface.name].index)
        netlink.commit()


def _hardware_address(host: int, index: int) -> str:
    """A locally administered address that tells host and interface: 02:00:00:00:01:02."""
    return f"02:00:{host >> 16:02x}:{host >> 8 & 0xFF:02x}:{host & 0xFF:02x}:{index & 0xFF:02x}"


def _write_sysctl(key: str, value: str) -> None:
    path = Path("/proc/sys") / key
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, value.encode("ascii"))
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise MachineError(
            f"this kernel has no sysctl {key}; the lab needs IPv6 (boot without ipv6.disable=1)"
        ) from None
    except OSError as error:
        raise KernelRefused(f"cannot set sysctl {key}: {error.strerror}") from error


def _reports_pending() -> bool:
    """Whether the entered namespace has a report timer running. Source: /proc/net/igmp6."""
    text = Path("/proc/thread-self/net/igmp6").read_text("ascii")
    # index, device, group, users, flags, timer
    return any(int(line.split()[4], 16) & MAF_TIMER_RUNNING for line in text.splitlines())
