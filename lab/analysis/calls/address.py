"""What a struct sockaddr says (ip(7), ipv6(7), unix(7), packet(7), netlink(7)), in text.

An argument of a call is shown as strace would show it; where an endpoint is, as flows and states
have it, is a value.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from lab.analysis.calls.constants import DOMAINS, ETHERTYPES
from lab.model.address import EndpointAddress, SocketAddress, UnixName

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 1, 2, 10, 16, 17
_FAMILY_BYTES = 2


def family_of(data: bytes) -> int | None:
    """The address family; None where the bytes end before it."""
    return int.from_bytes(data[:_FAMILY_BYTES], "little") if len(data) >= _FAMILY_BYTES else None


def address_of(data: bytes) -> EndpointAddress | None:
    """Where an endpoint is.

    None where the address names no place: an unnamed unix socket, another family, bytes cut
    short. An IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2) is the IPv4 one that the
    wire shows.
    """
    family = family_of(data)
    if family == AF_INET and len(data) >= 8:
        return SocketAddress(IPv4Address(data[4:8]), _port(data))
    if family == AF_INET6 and len(data) >= 24:
        address = IPv6Address(data[8:24])
        return SocketAddress(address.ipv4_mapped or address, _port(data))
    if family == AF_UNIX and len(data) > _FAMILY_BYTES:
        return unix_name(data[_FAMILY_BYTES:])
    return None


def socket_address(host: str, port: int) -> SocketAddress | None:
    """The same of an address in text, as the kernel prints it; None if it is no IP address."""
    address = _ip_address(host)
    return None if address is None else SocketAddress(address, port)


@lru_cache(1 << 12)
def _ip_address(text: str) -> IPv4Address | IPv6Address | None:
    """Remembered, as a run has few addresses and each state of a socket two of them."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def unix_name(data: bytes) -> UnixName | None:
    """The name in sun_path's bytes; None of an unnamed one.

    Bytes that are no text are escaped, so that no name can garble a report.
    """
    is_abstract = data[:1] == b"\0"
    name = data[1:] if is_abstract else data.split(b"\0", 1)[0]
    text = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name.decode("utf-8", "backslashreplace")
    )
    return UnixName(text, is_abstract) if text or is_abstract else None


def address_text(data: bytes) -> str:
    """An address as an argument: 198.51.100.2:4242, [fe80::1%2]:53, "/run/x", "@name", unnamed.

    Whatever the bytes are they give some text; of an unknown family, the bytes in hex.
    """
    family = family_of(data)
    if family is None:
        return f"{{{_hex(data)}}}"
    rest = data[_FAMILY_BYTES:]
    if family == AF_INET and len(data) >= 8:
        return f"{'.'.join(map(str, data[4:8]))}:{_port(data)}"
    if family == AF_INET6 and len(data) >= 24:
        return f"[{_ipv6_text(data)}]:{_port(data)}"
    if family == AF_UNIX:
        return f'"{unix_name(rest) or ""}"' if rest else "unnamed"
    if family == AF_NETLINK and len(data) >= 12:
        number, groups = struct.unpack_from("<II", data, 4)
        return f"{{AF_NETLINK, pid {number}, groups {groups:#x}}}"
    if family == AF_PACKET and len(data) >= 12:
        return _link_layer_text(data)
    name = DOMAINS.get(family, f"AF_{family}")
    return f"{{{name}, {_hex(rest)}}}" if rest.strip(b"\0") else name


def _ipv6_text(data: bytes) -> str:
    address = IPv6Address(data[8:24])
    if address.ipv4_mapped is not None:
        return f"::ffff:{address.ipv4_mapped}"
    scope = int.from_bytes(data[24:28], "little")
    return f"{address}%{scope}" if scope else str(address)


def _link_layer_text(data: bytes) -> str:
    """A struct sockaddr_ll in text, packet(7)."""
    protocol, interface = struct.unpack_from(">H", data, 2)[0], struct.unpack_from("<i", data, 4)[0]
    kind = ETHERTYPES.get(protocol, hex(protocol))
    address = data[12 : 12 + data[11]].hex(":")
    return "{" + ", ".join(filter(None, ["AF_PACKET", kind, f"if{interface}", address])) + "}"


def _port(data: bytes) -> int:
    return int.from_bytes(data[2:4], "big")


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}" if data else ""
