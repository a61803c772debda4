"""Requests to the kernel for namespaces, links, addresses and routes; pyroute2 is imported here.

pyroute2 encodes every message. The messages are sent in batches over
one rtnetlink socket for each namespace: sent one by one, as pyroute2's IPRoute does, they take
three times as long for a chain of 200 hosts.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import socket
import struct
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from types import ModuleType
from typing import Any

from lab.errors import KernelRefused, MachineError
from lab.frozen import frozen
from lab.kernel.netlink.dumps import NLM_F_REQUEST, NLMSG_ERROR
from lab.kernel.system import libc
from lab.model.topology import Route


def _import_pyroute2(*names: str) -> None:
    """Import these modules of pyroute2 without running the package's __init__.

    `import pyroute2` imports every protocol it supports: 0.18 s against 0.03 s for what is
    needed here. A bare package stands in for it meanwhile and is removed again, so that a later
    `import pyroute2` imports the real one.
    """
    if "pyroute2" in sys.modules:
        return
    spec = importlib.util.find_spec("pyroute2")
    if spec is None or spec.submodule_search_locations is None:
        raise MachineError("pyroute2 is not installed; `make` sets up the project's .venv")
    front = ModuleType("pyroute2")
    front.__path__ = list(spec.submodule_search_locations)
    sys.modules["pyroute2"] = front
    try:
        for name in names:
            importlib.import_module(name)
    finally:
        del sys.modules["pyroute2"]


_import_pyroute2("pyroute2.netlink.rtnl.ifaddrmsg", "pyroute2.netlink.rtnl.ifinfmsg")
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg  # noqa: E402
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg  # noqa: E402
from pyroute2.netlink.rtnl.ndmsg import ndmsg  # noqa: E402

NAMES = "/run/netns"
"""Where namespaces have names. Source: ip-netns(8)."""

# rtnetlink(7), netlink(7)
RTM_NEWLINK = 16
RTM_GETLINK = 18
RTM_NEWADDR = 20
RTM_NEWROUTE = 24
RTM_DELNEIGH = 29
NLM_F_ACK = 0x4
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
SOL_NETLINK = 270
NETLINK_EXT_ACK = 11
IFF_UP = 0x1
IFLA_OPERSTATE = 16
IF_OPER_UP = 6
IFA_F_NODAD = 0x02

# An acknowledgement holds about 0.8 KiB of the socket's receive buffer, which is 208 KiB
# unless an administrator set it otherwise.
BATCH_MESSAGES = 64

_HEADER = struct.Struct("=IHHII")
_ERROR = struct.Struct("=i")
_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
_ATTRIBUTE = struct.Struct("=HH")
_ROUTE = struct.Struct("=8BI")  # struct rtmsg: family, length of dst, …, table, protocol, …
RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST = 254, 4, 0, 1
RTA_DST, RTA_GATEWAY = 1, 5


def check_netem(index: int) -> None:
    """Add a netem queueing discipline without effect to an interface of the current namespace.

    Raises KernelRefused if this kernel has no netem. Source: tc-netem(8).
    """
    from pyroute2 import IPRoute, NetlinkError

    try:
        with IPRoute() as route:
            route.tc("add", kind="netem", index=index)
    except NetlinkError as error:
        name = errno.errorcode.get(error.code, str(error.code))
        raise KernelRefused(f"this kernel has no netem: {name}") from error


def import_pyroute2(name: str) -> ModuleType:
    """One of pyroute2's modules that few runs need, by its full name."""
    if name not in sys.modules:
        _import_pyroute2(name)
    return importlib.import_module(name)


@frozen
class VethEnd:
    """One end of a veth pair to be made.

    The caller chooses the index, so that later requests of the same batch can name it.
    """

    name: str
    index: int
    hardware_address: str


def create_namespace(name: str) -> None:
    """Create a network namespace with a name under /run/netns, and enter it.

    `ip netns` shows the name inside the sandbox only. Raises KernelRefused.
    """
    attempt = f"cannot create network namespace {name}"
    path = f"{NAMES}/{name}"
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
    except OSError as error:
        number = errno.errorcode.get(error.errno or 0, error.errno)
        raise KernelRefused(f"{attempt}: {number} ({error.strerror})") from error
    _share_names()
    libc.unshare(libc.CLONE_NEWNET, attempt)
    libc.mount("/proc/self/ns/net", path, None, libc.MS_BIND)


def _share_names() -> None:
    """Have other mount namespaces of the sandbox get the names too, as `ip netns add` does."""
    try:
        libc.mount("none", NAMES, None, libc.MS_SHARED | libc.MS_REC)
    except KernelRefused:
        # It is no mount yet.
        libc.mount(NAMES, NAMES, None, libc.MS_BIND | libc.MS_REC)
        libc.mount("none", NAMES, None, libc.MS_SHARED | libc.MS_REC)


@frozen
class _Request:
    """An encoded request, and the errno that is no failure (0: none)."""

    description: str
    data: bytes
    tolerated: int


class Netlink:
    """An rtnetlink socket of the namespace that was entered when this was made.

    The methods collect requests, which `commit` sends in order.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        self._socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self._requests: list[_Request] = []

    def fileno(self) -> int:
        """The descriptor; as a socket of this namespace it takes device ioctls as well."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def create_veth(self, near: VethEnd, far: VethEnd, far_fd: int, mtu_bytes: int) -> None:
        """Ask for a veth pair: `near` here, `far` in the namespace behind `far_fd`.

        Source: veth(4).
        """
        peer = _veth_attributes(far, mtu_bytes)
        peer["attrs"].append(("IFLA_NET_NS_FD", far_fd))
        info = {
            "attrs": [
                ("IFLA_INFO_KIND", "veth"),
                ("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", peer)]}),
            ]
        }
        message = ifinfmsg()
        message.update(_veth_attributes(near, mtu_bytes))
        message["attrs"].append(("IFLA_LINKINFO", info))
        flags = NLM_F_CREATE | NLM_F_EXCL
        self._append(f"create veth {near.name} with peer {far.name}", message, RTM_NEWLINK, flags)

    def set_up(self, index: int) -> None:
        """Ask for the interface to be brought up."""
        message = ifinfmsg()
        message["index"] = index
        message["flags"] = message["change"] = IFF_UP
        self._append(f"bring up interface {index}", message, RTM_NEWLINK, 0)

    def add_address(self, index: int, address: IPv4Interface | IPv6Interface) -> None:
        """Ask for an address, without duplicate address detection (RFC 4862, 5.4)."""
        message = ifaddrmsg()
        message["index"] = index
        message["prefixlen"] = address.network.prefixlen
        attributes = [("IFA_ADDRESS", str(address.ip))]
        if address.version == 4:
            message["family"] = socket.AF_INET
            broadcast = str(address.network.broadcast_address)
            attributes += [("IFA_LOCAL", str(address.ip)), ("IFA_BROADCAST", broadcast)]
        else:
            message["family"] = socket.AF_INET6
            message["flags"] = IFA_F_NODAD
        message["attrs"] = attributes
        flags = NLM_F_CREATE | NLM_F_EXCL
        self._append(f"add {address} to interface {index}", message, RTM_NEWADDR, flags)

    def create_bridge(self, name: str, index: int, hardware_address: str) -> None:
        """Ask for a bridge that learns and floods, without spanning tree and multicast snooping.

        Its ports forward at once. Source: ip-link(8), bridge.
        """
        options = {"attrs": [("IFLA_BR_STP_STATE", 0), ("IFLA_BR_MCAST_SNOOPING", 0)]}
        info = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", options)]}
        message = ifinfmsg()
        message["index"] = index
        message["attrs"] = [
            ("IFLA_IFNAME", name),
            ("IFLA_ADDRESS", hardware_address),
            ("IFLA_LINKINFO", info),
        ]
        self._append(f"create bridge {name}", message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL)

    def add_port(self, index: int, bridge: int) -> None:
        """Ask for the interface to become a port of the bridge with that index."""
        message = ifinfmsg()
        message["index"] = index
        message["attrs"] = [("IFLA_MASTER", bridge)]
        self._append(f"make interface {index} a port", message, RTM_NEWLINK, 0)

    def forget_stations(self, bridge: int) -> None:
        """Ask the bridge to forget behind which of its ports which hardware addresses are."""
        options = {"attrs": [("IFLA_BR_FDB_FLUSH", b"")]}
        info = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", options)]}
        message = ifinfmsg()
        message["index"] = bridge
        message["attrs"] = [("IFLA_LINKINFO", info)]
        self._append(f"flush the table of bridge {bridge}", message, RTM_NEWLINK, 0)

    def add_route(self, route: Route) -> None:
        """Ask for a route in the main table.

        By hand: a row of 1,000 routers has 30,000, and pyroute2 takes twenty times as long for
        each. Source: rtnetlink(7).
        """
        destination, via = route.destination.network_address.packed, route.via.packed
        length = len(via) + _ATTRIBUTE.size
        body = _ROUTE.pack(
            socket.AF_INET if route.via.version == 4 else socket.AF_INET6,
            route.destination.prefixlen,
            *(0, 0, RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST, 0),
        )
        body += _ATTRIBUTE.pack(length, RTA_DST) + destination
        body += _ATTRIBUTE.pack(length, RTA_GATEWAY) + via
        flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
        sequence = len(self._requests)
        header = _HEADER.pack(_HEADER.size + len(body), RTM_NEWROUTE, flags, sequence, 0)
        description = f"add a route to {route.destination} via {route.via}"
        self._requests.append(_Request(description, header + body, 0))

    def forget_neighbour(self, index: int, address: IPv4Address | IPv6Address) -> None:
        """Delete a neighbour's entry, if there is one."""
        message = ndmsg()
        message["family"] = socket.AF_INET if address.version == 4 else socket.AF_INET6
        message["ifindex"] = index
        message["attrs"] = [("NDA_DST", str(address))]
        description = f"forget neighbour {address}"
        self._append(description, message, RTM_DELNEIGH, 0, tolerated=errno.ENOENT)

    def is_operational(self, index: int) -> bool:
        """Whether the interface's operational state (RFC 2863, ifOperStatus) is up.

        Sent at once, not collected. Raises KernelRefused.
        """
        # By hand: pyroute2 decodes all of a link's forty attributes, ten times as long.
        length = _HEADER.size + _LINK.size
        request = _HEADER.pack(length, RTM_GETLINK, NLM_F_REQUEST, 0, 0)
        self._socket.send(request + _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0))
        answer = self._socket.recv(1 << 16)
        if _HEADER.unpack_from(answer)[1] != RTM_NEWLINK:
            (code,) = _ERROR.unpack_from(answer, _HEADER.size)
            name = errno.errorcode.get(-code, str(-code))
            where = f"in namespace {self._namespace}"
            raise KernelRefused(f"cannot read interface {index} {where}: {name}")
        while length < len(answer):
            size, kind = _ATTRIBUTE.unpack_from(answer, length)
            if kind == IFLA_OPERSTATE:
                return answer[length + _ATTRIBUTE.size] == IF_OPER_UP
            length += size + 3 & ~3
        return False

    def commit(self) -> None:
        """Send the collected requests.

        Raises KernelRefused with the description of the first request that failed. The kernel
        has handled those after it all the same.
        """
        requests, self._requests = self._requests, []
        for start in range(0, len(requests), BATCH_MESSAGES):
            self._exchange(requests[start : start + BATCH_MESSAGES])

    def _append(
        self,
        description: str,
        message: ifinfmsg | ifaddrmsg | ndmsg,
        kind: int,
        flags: int,
        tolerated: int = 0,
    ) -> None:
        message["header"]["type"] = kind
        message["header"]["flags"] = NLM_F_REQUEST | NLM_F_ACK | flags
        message["header"]["sequence_number"] = len(self._requests)
        message.encode()
        self._requests.append(_Request(description, bytes(message.data), tolerated))

    def _exchange(self, requests: Sequence[_Request]) -> None:
        # The kernel handles the whole batch inside sendmsg; only the answers are waited for.
        self._socket.send(b"".join(_padded(request.data) for request in requests))
        first_sequence = _HEADER.unpack_from(requests[0].data)[3]
        failure: str | None = None
        answered = 0
        while answered < len(requests):
            data = self._socket.recv(1 << 16)
            offset = 0
            while offset < len(data):
                length, kind, _, sequence, _ = _HEADER.unpack_from(data, offset)
                if kind == NLMSG_ERROR:
                    answered += 1
                    (code,) = _ERROR.unpack_from(data, offset + _HEADER.size)
                    request = requests[sequence - first_sequence]
                    if code and -code != request.tolerated and failure is None:
                        name = errno.errorcode.get(-code, str(-code))
                        where = f"in namespace {self._namespace}"
                        failure = f"cannot {request.description} {where}: {name}"
                offset += length + 3 & ~3
        if failure is not None:
            raise KernelRefused(failure)


def _veth_attributes(end: VethEnd, mtu_bytes: int) -> dict[str, Any]:
    return {
        "index": end.index,
        "attrs": [
            ("IFLA_IFNAME", end.name),
            ("IFLA_MTU", mtu_bytes),
            ("IFLA_ADDRESS", end.hardware_address),
        ],
    }


def _padded(message: bytes) -> bytes:
    """The message, padded to netlink's alignment of four bytes."""
    return message + bytes(-len(message) % 4)
