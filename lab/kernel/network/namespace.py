"""One network namespace of a topology, and how a whole topology of them is built."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.kernel.network.conntrack import forget_tracked
from lab.kernel.network.nat import make_nat
from lab.kernel.network.neighbours import read_neighbours
from lab.kernel.network.netlink import Netlink, VethEnd, create_namespace
from lab.kernel.network.offloads import Offloads, read_offloads, turn_off_offloads
from lab.kernel.network.sysctls import read_sysctl, set_sysctls, write_sysctl
from lab.kernel.system import libc
from lab.linux.sysctl import Sysctl
from lab.model.topology import Interface, Topology
from lab.records import SysctlSet

LOOPBACK_INDEX = 1
# Behind what the kernel puts into every new namespace by itself: tunl0, sit0 and other tunnels'
# fallback devices, where their modules are loaded (net.core.fb_tunnels_only_for_init_net).
FIRST_INDEX = 101

# What would put frames on a link that no program caused. Set as the namespace's defaults
# before it has links. MLD cannot be turned off; version 1 reports a group as it is joined
# and once more after a random part of the interval, and /proc/net/igmp6 shows when that is
# done (see links_ready.py). Version 2 repeats as often as a host-wide sysctl says.
SILENT_LINK_SYSCTLS = {
    "net/ipv6/conf/default/addr_gen_mode": "1",  # no link-local address by itself
    "net/ipv6/conf/default/dad_transmits": "0",
    "net/ipv6/conf/default/accept_ra": "0",
    "net/ipv6/conf/default/router_solicitations": "0",
    "net/ipv6/conf/default/force_mld_version": "1",
    "net/ipv6/conf/default/mldv1_unsolicited_report_interval": "1",
}


# Without a router's advertisements and redirects: the topology says which way is which.
ROUTER_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv6/conf/all/forwarding": "1",
}
# A switch sends nothing of its own: no multicast listener reports from its ports.
SWITCH_SYSCTLS = {
    "net/ipv6/conf/default/disable_ipv6": "1",
}
BRIDGE_NAME = "bridge"

# Of the namespaces that are created from the one that it is set in; Linux 6.1. Else they share the
# machine's table of connections, whose size goes by the machine's memory, and which is walked
# whenever one namespace's are listed: 262,144 buckets take 4 to 15 ms, these 0.2.
CONNECTIONS_SYSCTL = "net/ipv4/tcp_child_ehash_entries"
CONNECTION_BUCKETS = 4096
# The kernel derives them from the table's size: tcp_set_hashinfo().
DERIVED_SYSCTLS = ("net/ipv4/tcp_max_tw_buckets", "net/ipv4/tcp_max_syn_backlog")


@dataclass(slots=True)
class Namespace:
    """A network namespace, held by a descriptor; `netlink` is a socket inside it."""

    name: str
    descriptor: int
    netlink: Netlink
    interfaces: tuple[Interface, ...]
    first_index: int
    """The index of the first interface; the others' follow it."""
    bridge_index: int | None = None
    """The index of a switch's bridge; None for any other host."""
    is_nat: bool = False
    sysctls: list[SysctlSet] = field(default_factory=list)
    """Those that the scenario has set."""
    _places: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._places = {each.name: place for place, each in enumerate(self.interfaces)}

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

    @property
    def inode(self) -> int:
        """The number by which the kernel names it: /proc/PID/ns/net has it as well."""
        return os.fstat(self.descriptor).st_ino

    def index(self, interface: Interface) -> int:
        """The interface's index in this namespace."""
        return self.first_index + self._places[interface.name]

    def join_ports(self) -> None:
        """Make a switch's interfaces ports of its bridge; nothing of any other host.

        Raises KernelRefused.
        """
        if self.bridge_index is not None:
            for interface in self.interfaces:
                self.netlink.add_port(self.index(interface), self.bridge_index)
            self.netlink.commit()

    def close(self) -> None:
        """Close its descriptor; the kernel reclaims a namespace without a name or a process."""
        self.netlink.close()
        os.close(self.descriptor)


@contextmanager
def build_topology(topology: Topology) -> Iterator[Mapping[str, Namespace]]:
    """The topology's namespaces by host, with their links addressed and set up.

    Switches forward nothing yet: wait_until_links_ready makes their interfaces ports.

    Runs in a sandbox's init. At the end of the with statement the namespaces are closed; their
    names and links end with the sandbox.

    Sysctls are set before there are links, which take over what is set as the default; those of
    an interface once it is up.

    Raises KernelRefused, MachineError if this kernel lacks what a NAT needs, and UsageError if it
    lacks a sysctl or refuses a value.
    """
    with ExitStack() as stack:
        namespaces: dict[str, Namespace] = {}
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            # Indexes are unique in the topology: if both ends of a veth have the same one, the
            # kernel's linkwatch handles them up to a second later.
            index = FIRST_INDEX
            interfaces_of = defaultdict(list)
            for interface in topology.interfaces():
                interfaces_of[interface.host].append(interface)
            switches, routers = frozenset(topology.switches), frozenset(topology.routers)
            own = SILENT_LINK_SYSCTLS | _give_own_connections()
            early = _by_host(each for each in topology.sysctls if each.interface is None)
            for host in topology.hosts:
                sysctls = own
                if host in routers:
                    sysctls = sysctls | ROUTER_SYSCTLS
                elif host in switches:
                    sysctls = sysctls | SWITCH_SYSCTLS
                libc.setns(here, libc.CLONE_NEWNET, "cannot return from a namespace")
                namespaces[host] = _create(host, interfaces_of[host], index, sysctls)
                stack.callback(namespaces[host].close)
                namespaces[host].sysctls += set_sysctls(early[host])
                index += len(interfaces_of[host])
                if host in switches:
                    namespaces[host].bridge_index = index
                    index += 1
        finally:
            libc.setns(here, libc.CLONE_NEWNET, "cannot return from a namespace")
            os.close(here)
        _connect(topology, namespaces)
        _make_nats(topology, namespaces)
        for host, wanted in _by_host(s for s in topology.sysctls if s.interface).items():
            with namespaces[host].entered():
                namespaces[host].sysctls += set_sysctls(wanted)
        yield namespaces


def _by_host(sysctls: Iterable[Sysctl]) -> Mapping[str, Sequence[Sysctl]]:
    found: defaultdict[str, list[Sysctl]] = defaultdict(list)
    for each in sysctls:
        found[each.host].append(each)
    return found


def in_user_namespace() -> bool:
    """Whether this process is in another user namespace than the initial one.

    In the initial one all uids are mapped to themselves. Source: user_namespaces(7).
    """
    return Path("/proc/self/uid_map").read_text("ascii").split() != ["0", "0", "4294967295"]


def forget_neighbours(namespaces: Iterable[Namespace]) -> None:
    """Make every host forget its neighbours' hardware addresses, every switch and NAT its table.

    So a step begins like any other, whatever happened before it. Raises KernelRefused.
    """
    for namespace in namespaces:
        with namespace.entered():
            known = read_neighbours()
            if namespace.is_nat:
                forget_tracked()
        for index, address in known:
            namespace.netlink.forget_neighbour(index, address)
        if namespace.bridge_index is not None:
            namespace.netlink.forget_stations(namespace.bridge_index)
        namespace.netlink.commit()


def _give_own_connections() -> dict[str, str]:
    """Have those that are created from this namespace get tables of connections of their own.

    What is to be set in them, so that nothing else is another for it; {} where this kernel has but
    one table. Raises KernelRefused.
    """
    if read_sysctl(CONNECTIONS_SYSCTL) is None:
        return {}
    write_sysctl(CONNECTIONS_SYSCTL, str(CONNECTION_BUCKETS))
    return {name: read_sysctl(name) or "" for name in DERIVED_SYSCTLS}


def _create(
    host: str, interfaces: Sequence[Interface], first_index: int, sysctls: Mapping[str, str]
) -> Namespace:
    """Create and enter one namespace."""
    create_namespace(host)
    descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    for key, value in sysctls.items():
        write_sysctl(key, value)
    return Namespace(host, descriptor, Netlink(host), tuple(interfaces), first_index)


def _connect(topology: Topology, namespaces: Mapping[str, Namespace]) -> None:
    """Create the links, then address and bring up, one batch of requests a namespace."""
    ends = {
        (interface.host, interface.name): VethEnd(
            interface.name, namespace.index(interface), _hardware_address(host, place)
        )
        for host, namespace in enumerate(namespaces.values(), start=1)
        for place, interface in enumerate(namespace.interfaces, start=1)
    }
    links_from = defaultdict(list)
    position = {host: number for number, host in enumerate(topology.hosts)}
    for link in topology.links:
        first, second = sorted(link.ends, key=lambda end: position[end.host])
        links_from[first.host].append((first, second, link.mtu_bytes))
    routes_of = defaultdict(list)
    for route in topology.routes:
        routes_of[route.host].append(route)
    offloads: Offloads | None = None
    for number, namespace in enumerate(namespaces.values(), start=1):
        netlink = namespace.netlink
        netlink.set_up(LOOPBACK_INDEX)
        if namespace.bridge_index is not None:
            own = _hardware_address(number, 0)
            netlink.create_bridge(BRIDGE_NAME, namespace.bridge_index, own)
            netlink.set_up(namespace.bridge_index)
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
            offloads = offloads or read_offloads(netlink.fileno(), interface.name)
            turn_off_offloads(netlink.fileno(), interface.name, offloads)
            netlink.set_up(ends[interface.host, interface.name].index)
        # A route needs its interface up.
        for route in routes_of[namespace.name]:
            netlink.add_route(route)
        netlink.commit()


def _make_nats(topology: Topology, namespaces: Mapping[str, Namespace]) -> None:
    for nat in topology.nats:
        namespace = namespaces[nat.host]
        indexes = {each.name: namespace.index(each) for each in namespace.interfaces}
        with namespace.entered():
            make_nat(nat, namespace.interfaces, indexes)
        namespace.is_nat = True


def _hardware_address(host: int, place: int) -> str:
    """A locally administered address with the numbers of host and interface: 02:00:00:00:02:01."""
    return f"02:00:{host >> 16:02x}:{host >> 8 & 0xFF:02x}:{host & 0xFF:02x}:{place & 0xFF:02x}"
