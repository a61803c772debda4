"""The TCP and UDP sockets of a namespace, as the kernel holds them: queues, timers, TCP_INFO.

Messages are encoded and decoded by hand: this is asked while programs run, and pyroute2 would
have to be imported for it.

Source: sock_diag(7); include/uapi/linux/inet_diag.h, struct inet_diag_msg.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from lab.errors import KernelRefused
from lab.frozen import frozen
from lab.kernel.netlink.dumps import NLM_F_DUMP, NLM_F_REQUEST, NO_DIAG, dump
from lab.kernel.system.tcp import INFO_BYTES, STATES, TCP_LISTEN, parse_tcp_info
from lab.records import TcpInfo

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
FAMILIES = (socket.AF_INET, socket.AF_INET6)

ALL_STATES = (1 << len(STATES)) - 1

# Bits of idiag_ext, and the attributes that they ask for.
INET_DIAG_INFO, INET_DIAG_SKMEMINFO = 2, 7
_EVERYTHING = 1 << INET_DIAG_INFO - 1 | 1 << INET_DIAG_SKMEMINFO - 1

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_REQUEST = struct.Struct("=BBBxI48x")  # struct inet_diag_req_v2, its sockid of zeros
_SOCKET = struct.Struct("=BBBB2s2s16s16s12xIII4xI")  # struct inet_diag_msg
_BACKOFF_AT = 4  # tcpi_backoff of struct tcp_info
_ATTRIBUTE = struct.Struct("=HH")
_MEMORY = struct.Struct("=4xI24xI")  # SK_MEMINFO_RCVBUF and SK_MEMINFO_DROPS
_MAPPED = bytes(10) + b"\xff\xff"


@frozen
class InetSocket:
    """A TCP or UDP socket of the current namespace."""

    protocol: int
    state: int
    local: str
    local_port: int
    remote: str
    remote_port: int
    expires_ms: int
    """Until its timer runs out; 0 where none runs."""
    receive_queue: int
    send_queue: int
    inode: int
    """0 where no descriptor has it: in TIME-WAIT, and while it only finishes sending."""
    receive_buffer: int | None
    """None where the kernel does not say, as of a socket in TIME-WAIT."""
    drops: int
    info: TcpInfo | None
    timer: int
    """idiag_timer: 1 to resend, 2 keepalive, 3 TIME-WAIT, 4 a zero window's probe; 0 for none."""
    resent: int
    """How often that timer has run out in a row."""
    backoff: int
    """How often the time until then was doubled; 0 where TCP_INFO was not asked for."""


def read_inet_sockets(
    protocol: int, states: int = ALL_STATES, *, everything: bool = False
) -> list[InetSocket] | None:
    """The sockets of a protocol that the entered namespace has in one of these states (bits).

    None if this kernel has no inet_diag for it (CONFIG_INET_DIAG, CONFIG_INET_UDP_DIAG).
    `everything`: with memory and TCP_INFO. Raises KernelRefused.
    """
    found: list[InetSocket] = []
    for family in FAMILIES:
        request = _REQUEST.pack(family, protocol, _EVERYTHING if everything else 0, states)
        flags = NLM_F_REQUEST | NLM_F_DUMP
        header = _HEADER.pack(_HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, flags, 0, 0)
        try:
            found += (
                parse_inet_socket(message[_HEADER.size :], protocol)
                for message in dump(NETLINK_SOCK_DIAG, header + request)
            )
        except OSError as error:
            if error.errno in NO_DIAG:
                return None
            what = errno.errorcode.get(error.errno or 0, str(error.errno))
            raise KernelRefused(f"cannot list sockets by sock_diag: {what}") from error
    return found


def parse_inet_socket(message: bytes, protocol: int) -> InetSocket:
    """A struct inet_diag_msg with its attributes. Raises struct.error where it is cut short."""
    (
        family, state, timer, resent, local_port, remote_port, local, remote, expires_ms,
        receive_queue, send_queue, inode,
    ) = _SOCKET.unpack_from(message)  # fmt: skip
    attributes = dict(_attributes(message, _SOCKET.size))
    memory, info = attributes.get(INET_DIAG_SKMEMINFO), attributes.get(INET_DIAG_INFO)
    receive_buffer, drops = _MEMORY.unpack_from(memory) if memory else (None, 0)
    # Of a listening socket its numbers are those of its queue (tcp_get_info()).
    has_info = info is not None and len(info) >= INFO_BYTES and state != TCP_LISTEN
    return InetSocket(
        protocol=protocol,
        state=state,
        local=_address(family, local),
        local_port=int.from_bytes(local_port, "big"),
        remote=_address(family, remote),
        remote_port=int.from_bytes(remote_port, "big"),
        expires_ms=expires_ms if timer else 0,
        receive_queue=receive_queue,
        send_queue=send_queue,
        inode=inode,
        receive_buffer=receive_buffer,
        drops=drops,
        info=parse_tcp_info(info) if has_info and info is not None else None,
        timer=timer,
        resent=resent,
        backoff=info[_BACKOFF_AT] if has_info and info is not None else 0,
    )


def _attributes(message: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind, message[offset + _ATTRIBUTE.size : offset + length]
        offset += length + 3 & ~3


def _address(family: int, data: bytes) -> str:
    """An address as text; an IPv4-mapped IPv6 address as the IPv4 address."""
    if family == socket.AF_INET:
        return str(IPv4Address(data[:4]))
    return str(IPv4Address(data[12:])) if data[:12] == _MAPPED else str(IPv6Address(data))
