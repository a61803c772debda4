"""Constructors of what tracing records, for tests: calls, tasks, states, addresses.

    call("client", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(10, 12))
    call("client", "connect", 3, address4("198.51.100.2", 4242), 16, at=(20, 60))
    call("client", "sendto", 3, b"Hello. ", 7, 0, 0, 0, result=7, at=(70, 75))

Times are in microseconds after START_NS.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from zlib import crc32

from lab.records import (
    KernelEvent,
    Memory,
    Obtained,
    QueueSample,
    RingUse,
    SocketState,
    Syscall,
    TaskEvent,
    TaskKind,
    Trace,
)
from lab.syscalls.table import CALLS, Layout

START_NS = 1_763_000_000_000_000_000
POINTER = 0x7FFD_0000_1000

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 1, 2, 10, 16, 17
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET = 1, 2, 3, 5
SOCK_NONBLOCK, SOCK_CLOEXEC = 0o4000, 0o2000000
SOL_SOCKET, SCM_RIGHTS = 1, 1
_PIDS = {"server": 100, "client": 200}

Given = int | bytes | None | Mapping[str, bytes]
"""An argument: a number; bytes that it points to; None for NULL; a struct msghdr's parts."""


def at_ns(microseconds: float) -> int:
    """A moment of these tests."""
    return START_NS + round(microseconds * 1000)


def pid_of(program: str) -> int:
    """The process of a program."""
    return _PIDS.get(program) or 300 + crc32(program.encode()) % 9000


def call(
    program: str,
    name: str,
    *arguments: Given,
    result: int | None = 0,
    at: tuple[float, float | None] = (0, 1),
    memory: tuple[Memory, ...] = (),
    socket: str = "",
    tid: int | None = None,
    pid: int | None = None,
    step: str = "",
    ring: RingUse | None = None,
) -> Syscall:
    """A system call. What its bytes are, in or out, lab/syscall_table.py says.

    A `result` or an exit of None is that of a call that did not return.
    """
    pid = pid or pid_of(program)
    entry, end = at
    end = None if result is None else end
    found = [each for i, given in enumerate(arguments) for each in _memory(name, i, given)]
    return Syscall(
        program=program,
        pid=pid,
        tid=tid or pid,
        name=name,
        arguments=tuple(_number(i, given) for i, given in enumerate(arguments)),
        memory=(*found, *memory),
        entry_ns=at_ns(entry),
        exit_ns=None if end is None else at_ns(end),
        result=None if end is None else result,
        socket=socket,
        step=step,
        ring=ring,
    )


def _number(place: int, given: Given) -> int:
    if given is None:
        return 0
    return given % 2**64 if isinstance(given, int) else POINTER + 0x100 * place


def _memory(name: str, place: int, given: Given) -> list[Memory]:
    if given is None or isinstance(given, int):
        return []
    (pointer,) = (each for each in CALLS[name].pointers if each.argument == place)
    if isinstance(given, bytes):
        given = {"data" if pointer.layout is Layout.MSGHDR else "": given}
    return [
        Memory(place, part, pointer.at_exit, data[:128], len(data)) for part, data in given.items()
    ]


def task(
    program: str,
    kind: TaskKind,
    at: float,
    *,
    pid: int | None = None,
    tid: int | None = None,
    parent_tid: int = 0,
    shares_files: bool = False,
    step: str = "",
) -> TaskEvent:
    """A "start", "exec" or "exit"."""
    pid = pid or pid_of(program)
    return TaskEvent(at_ns(at), program, kind, pid, tid or pid, parent_tid, shares_files, step)


def state(
    socket: str,
    new: str,
    local: tuple[str, int],
    remote: tuple[str, int],
    at: float,
    *,
    old: str = "",
    tid: int = 0,
    obtained: Obtained = Obtained.MEASURED,
    step: str = "",
) -> SocketState:
    """A TCP socket's state, or its change."""
    return SocketState(at_ns(at), obtained, socket, old, new, *local, *remote, tid, step)


def queue(
    socket: str, unread_bytes: int, at: float, *, program: str = "server", step: str = ""
) -> QueueSample:
    """A look at what is left to read in a unix stream socket, by its program's only thread."""
    return QueueSample(at_ns(at), socket, "SOCK_STREAM", unread_bytes, pid_of(program), step)


def kernel_event(name: str, at: float, tid: int, **fields: int | str) -> KernelEvent:
    """Another tracepoint: kernel_event("sock:sock_send_length", 12, 200, sk="sk 1", length=7)."""
    return KernelEvent(at_ns(at), name, tid, dict(fields))


def trace(
    *records: Syscall | TaskEvent | SocketState | KernelEvent | QueueSample, lost: int = 0
) -> Trace:
    """A trace of these records, each kind in order of time."""
    return Trace(
        tuple(sorted((r for r in records if isinstance(r, Syscall)), key=lambda r: r.entry_ns)),
        tuple(sorted((r for r in records if isinstance(r, TaskEvent)), key=lambda r: r.time_ns)),
        tuple(sorted((r for r in records if isinstance(r, SocketState)), key=lambda r: r.time_ns)),
        (),
        tuple(sorted((r for r in records if isinstance(r, KernelEvent)), key=lambda r: r.time_ns)),
        lost,
        tuple(sorted((r for r in records if isinstance(r, QueueSample)), key=lambda r: r.time_ns)),
    )


def address4(host: str, port: int) -> bytes:
    """struct sockaddr_in, ip(7)."""
    return struct.pack("<H", AF_INET) + struct.pack("!H4s8x", port, IPv4Address(host).packed)


def address6(host: str, port: int, scope: int = 0) -> bytes:
    """struct sockaddr_in6, ipv6(7)."""
    packed = IPv6Address(host).packed
    return struct.pack("<H", AF_INET6) + struct.pack("!HI16s", port, 0, packed) + _u32(scope)


def address_un(path: str) -> bytes:
    """struct sockaddr_un, unix(7): a path, "@" and an abstract name, or "" for an unnamed one."""
    name = path.encode()
    if path.startswith("@"):
        name = b"\0" + name[1:]
    elif name:
        name += b"\0"
    return struct.pack("<H", AF_UNIX) + name


def rights(*descriptors: int) -> bytes:
    """A control message SCM_RIGHTS on a 64-bit machine, cmsg(3)."""
    data = struct.pack(f"<{len(descriptors)}i", *descriptors)
    padding = b"\0" * (-len(data) % 8)
    return struct.pack("<Qii", 16 + len(data), SOL_SOCKET, SCM_RIGHTS) + data + padding


def two_numbers(first: int, second: int) -> bytes:
    """What pipe(2) and socketpair(2) write."""
    return struct.pack("<ii", first, second)


def pollfd(descriptor: int, events: int, returned: int = 0) -> bytes:
    """struct pollfd, poll(2)."""
    return struct.pack("<ihh", descriptor, events, returned)


def messages(*lengths: int) -> bytes:
    """The msg_len of the struct mmsghdr[] of a sendmmsg(2), as they are recorded."""
    return struct.pack(f"<{len(lengths)}I", *lengths)


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)
