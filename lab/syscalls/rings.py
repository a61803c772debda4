"""The operations of io_uring(7): which system call does the same, and its arguments in a request.

Source: io_uring_enter(2); include/uapi/linux/io_uring.h.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from lab.frozen import frozen

FIXED_FILE, LINK, HARD_LINK, BUFFER_SELECT = 1 << 0, 1 << 2, 1 << 3, 1 << 5
"""Flags of a request: IOSQE_FIXED_FILE, IOSQE_IO_LINK, IOSQE_IO_HARDLINK, IOSQE_BUFFER_SELECT."""

MORE, NOTIFICATION = 1 << 1, 1 << 3
"""Flags of a completion: IORING_CQE_F_MORE, IORING_CQE_F_NOTIF."""

RING_CALLS = frozenset({"io_uring_setup", "io_uring_enter", "io_uring_register"})

REGISTER_FILES, UNREGISTER_FILES = 2, 3
CHANGE_FILES = frozenset({6, 13, 14})
"""Opcodes of io_uring_register(2): IORING_REGISTER_FILES, IORING_UNREGISTER_FILES; IORING_
REGISTER_FILES_UPDATE, IORING_REGISTER_FILES2 and IORING_REGISTER_FILES_UPDATE2."""
REGISTERED_RING = 1 << 31
"""IORING_REGISTER_USE_REGISTERED_RING, among their bits."""

ANY_PLACE = 0xFFFFFFFF
"""A file_index that leaves the place to the kernel: IORING_FILE_INDEX_ALLOC."""


class Request(NamedTuple):
    """A struct io_uring_sqe, as far as operations on sockets and pipes use it."""

    opcode: int
    flags: int
    ioprio: int
    fd: int
    off: int
    """Or addr2."""
    addr: int
    len: int
    op_flags: int
    user_data: int
    buf_index: int
    personality: int
    file_index: int
    """Of operations that make or close a descriptor: a place among the ring's registered files,
    counted from 1; 0 for a descriptor of the process."""
    addr3: int

    @property
    def addr_len(self) -> int:
        """Of a send: how long the address at `off` is. It shares its place with file_index."""
        return self.file_index & 0xFFFF


REQUEST = struct.Struct("=BBHiQQIIQHHIQ8x")
REQUEST_BYTES = REQUEST.size


def parse_request(data: bytes) -> Request:
    """The request in the REQUEST_BYTES of a struct io_uring_sqe."""
    return Request(*REQUEST.unpack(data))


@frozen
class Operation:
    """One operation on a socket or a pipe."""

    name: str
    """As liburing calls it: "send", "accept"."""
    call: str
    """The system call that does the same, as the call table names it."""
    arguments: tuple[str, ...]
    """Each of that call's arguments, by the name of the Request's field; "" for 0."""


_VECTOR = ("fd", "addr", "len")
_MESSAGE = ("fd", "addr", "op_flags")
_SEND = ("fd", "addr", "len", "op_flags", "off", "addr_len")

OPERATIONS: dict[int, Operation] = {
    1: Operation("readv", "readv", _VECTOR),
    2: Operation("writev", "writev", _VECTOR),
    4: Operation("read_fixed", "read", _VECTOR),
    5: Operation("write_fixed", "write", _VECTOR),
    9: Operation("sendmsg", "sendmsg", _MESSAGE),
    10: Operation("recvmsg", "recvmsg", _MESSAGE),
    13: Operation("accept", "accept4", ("fd", "addr", "off", "op_flags")),
    16: Operation("connect", "connect", ("fd", "addr", "off")),
    19: Operation("close", "close", ("fd",)),
    22: Operation("read", "read", _VECTOR),
    23: Operation("write", "write", _VECTOR),
    26: Operation("send", "sendto", _SEND),
    27: Operation("recv", "recvfrom", ("fd", "addr", "len", "op_flags", "", "")),
    34: Operation("shutdown", "shutdown", ("fd", "len")),
    45: Operation("socket", "socket", ("fd", "off", "len")),
    47: Operation("send_zc", "sendto", _SEND),
    48: Operation("sendmsg_zc", "sendmsg", _MESSAGE),
    49: Operation("read_multishot", "read", _VECTOR),
    56: Operation("bind", "bind", ("fd", "addr", "off")),
    57: Operation("listen", "listen", ("fd", "len")),
}
"""By opcode (enum io_uring_op)."""

UNFOLLOWED: dict[int, str] = {
    20: "files_update",
    30: "splice",
    33: "tee",
    40: "msg_ring",
    46: "uring_cmd",
    54: "fixed_fd_install",
    58: "recv_zc",
    60: "readv_fixed",
    61: "writev_fixed",
    62: "pipe",
}
"""By opcode those that may move bytes or descriptors of sockets and pipes and are not followed."""

_LAST_KNOWN = 62


def unfollowed(opcode: int) -> str:
    """The name of an operation that may use sockets and is not followed; "" of any other."""
    if opcode > _LAST_KNOWN:
        return f"operation {opcode}"
    return UNFOLLOWED.get(opcode, "")
