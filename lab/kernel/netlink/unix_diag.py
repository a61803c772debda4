"""The unix sockets of a network namespace. Source: sock_diag(7), struct unix_diag_msg.

Messages are encoded and decoded by hand: it is asked before the first program starts and while
programs run, and pyroute2's module for it takes 25 ms to import, most of it an event loop's.
"""

from __future__ import annotations

import errno
import socket
import struct

from lab.errors import KernelRefused
from lab.frozen import frozen
from lab.kernel.netlink.dumps import HEADER, NLM_F_DUMP, NLM_F_REQUEST, NO_DIAG, attributes, dump

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
ALL_STATES = 0xFFFFFFFF
UDIAG_SHOW_NAME, UDIAG_SHOW_VFS, UDIAG_SHOW_PEER, UDIAG_SHOW_RQLEN = 0x01, 0x02, 0x04, 0x10
UNIX_DIAG_NAME, UNIX_DIAG_VFS, UNIX_DIAG_PEER, UNIX_DIAG_RQLEN = 0, 1, 2, 4
_MINOR_BITS = 20  # of the kernel's own dev_t

# struct unix_diag_req: family, protocol, states, inode, what to show, cookie
_REQUEST = struct.Struct("=BBxxIIIQ")
_SOCKET = struct.Struct("=xBBxIQ")  # struct unix_diag_msg: type, state, inode, cookie
_TWO = struct.Struct("=II")  # struct unix_diag_vfs: inode, device; struct unix_diag_rqlen
_INODE = struct.Struct("=I")


@frozen
class UnixSocket:
    """A unix socket of the current namespace. Source: sock_diag(7), struct unix_diag_msg."""

    kind: int
    state: int
    inode: int
    name: str
    is_path: bool
    peer_inode: int | None
    receive_queue: int
    send_queue: int
    device: tuple[int, int] | None
    """Major and minor number of its file's device; None where it has no file."""
    file_inode: int
    """The lowest 32 bits of the file's inode number; 0 where it has none."""


def read_unix_sockets() -> list[UnixSocket] | None:
    """The unix sockets of the calling thread's namespace.

    None if this kernel has no unix_diag (CONFIG_UNIX_DIAG). Raises KernelRefused.
    """
    shown = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN
    request = _REQUEST.pack(socket.AF_UNIX, 0, ALL_STATES, 0, shown, 0)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    header = HEADER.pack(HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, flags, 0, 0)
    try:
        return [*map(parse_unix_socket, dump(NETLINK_SOCK_DIAG, header + request))]
    except OSError as error:
        if error.errno in NO_DIAG:
            return None
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        raise KernelRefused(f"cannot list unix sockets by sock_diag: {name}") from error


def parse_unix_socket(message: bytes) -> UnixSocket:
    """A message with its header, a struct unix_diag_msg, and attributes.

    Raises struct.error where it is cut short.
    """
    kind, state, inode, _ = _SOCKET.unpack_from(message, HEADER.size)
    found = dict(attributes(message, _SOCKET.size))
    file, peer = found.get(UNIX_DIAG_VFS), found.get(UNIX_DIAG_PEER)
    file_inode, device = _TWO.unpack_from(file) if file else (0, 0)
    receive_queue, send_queue = _TWO.unpack_from(found[UNIX_DIAG_RQLEN])
    return UnixSocket(
        kind=kind,
        state=state,
        inode=inode,
        name=_name(found.get(UNIX_DIAG_NAME, b"")),
        is_path=file is not None,
        peer_inode=_INODE.unpack_from(peer)[0] if peer else None,
        receive_queue=receive_queue,
        send_queue=send_queue,
        device=(device >> _MINOR_BITS, device & (1 << _MINOR_BITS) - 1) if file else None,
        file_inode=file_inode,
    )


def _name(data: bytes) -> str:
    """A path, or an abstract name without the byte of 0 that it begins with."""
    return data.strip(b"\0").decode("utf-8", "backslashreplace")
