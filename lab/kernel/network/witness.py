"""A second opinion: interfaces and addresses as an ordinary program sees them.

netifaces uses the C library (getifaddrs(3)), not the rtnetlink requests that built them, so that
the two agree only if the namespace really is as requested.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Mapping
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

import netifaces

from lab.errors import InstrumentError
from lab.kernel.network.namespace import BRIDGE_NAME, Namespace
from lab.records import InterfaceSeen

SIOCGIFFLAGS, SIOCGIFMTU = 0x8913, 0x8921
IFF_UP = 0x1


def read_interfaces(namespace: Namespace) -> tuple[InterfaceSeen, ...]:
    """Every interface inside the namespace with its IP addresses, `lo` included.

    Interfaces that are down and have no address are left out: nothing can pass them. The kernel
    adds such devices (tunl0, sit0) to each new namespace if a tunnel's module is loaded.
    """
    with namespace.entered():
        seen = [(name, _addresses(name)) for name in sorted(netifaces.interfaces())]
        return tuple(
            InterfaceSeen(namespace.name, name, addresses, _mtu_bytes(name))
            for name, addresses in seen
            if addresses or _is_up(name)
        )


def check_interfaces(namespaces: Mapping[str, Namespace]) -> tuple[InterfaceSeen, ...]:
    """Every namespace's interfaces, after a check that they are as the topology says.

    Raises InstrumentError if they are not.
    """
    seen: list[InterfaceSeen] = []
    for namespace in namespaces.values():
        found = read_interfaces(namespace)
        if namespace.bridge_index is not None:
            # What passes it passes its ports, which are observed.
            found = tuple(entry for entry in found if entry.name != BRIDGE_NAME)
        asked = {
            interface.name: frozenset(interface.addresses) for interface in namespace.interfaces
        }
        got = {entry.name: frozenset(entry.addresses) for entry in found if entry.name != "lo"}
        if asked != got:
            raise InstrumentError(
                f"namespace {namespace.name} is not what was asked for: asked for "
                f"{_describe(asked)}; a program inside sees {_describe(got)}"
            )
        seen.extend(found)
    return tuple(seen)


def _addresses(name: str) -> tuple[IPv4Interface | IPv6Interface, ...]:
    by_family = netifaces.ifaddresses(name)
    found: list[IPv4Interface | IPv6Interface] = []
    for family in (netifaces.AF_INET, netifaces.AF_INET6):
        for entry in by_family.get(family, ()):
            address = entry["addr"].split("%", 1)[0]
            # An IPv6 netmask comes as "ffff:ffff:ffff:ffff::/64".
            _, _, prefix = entry["netmask"].partition("/")
            found.append(ip_interface(f"{address}/{prefix or entry['netmask']}"))
    return tuple(found)


def _is_up(name: str) -> bool:
    """Whether the interface is up. Source: netdevice(7), SIOCGIFFLAGS."""
    flags: int = struct.unpack_from("H", _asked(SIOCGIFFLAGS, name))[0]
    return bool(flags & IFF_UP)


def _mtu_bytes(name: str) -> int:
    """Source: netdevice(7), SIOCGIFMTU."""
    found: int = struct.unpack_from("i", _asked(SIOCGIFMTU, name))[0]
    return found


def _asked(request: int, name: str) -> bytes:
    """What a struct ifreq has behind the interface's name. Source: netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return fcntl.ioctl(any_socket, request, struct.pack("16s24x", name.encode()))[16:]


def _describe(interfaces: Mapping[str, frozenset[IPv4Interface | IPv6Interface]]) -> str:
    return (
        ", ".join(
            f"{name} with {' and '.join(sorted(map(str, addresses))) or 'no address'}"
            for name, addresses in sorted(interfaces.items())
        )
        or "no interface"
    )
