"""The sockets of hosts as their kernels have them now, with their timers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator

from lab.kernel.network.inet_diag import InetSocket, read_inet_sockets
from lab.kernel.network.namespace import Namespace
from lab.kernel.system.tcp import STATES
from lab.records import SocketNow

TIMERS = ("", "retransmission", "keepalive", "TIME-WAIT", "zero window probe")
"""By idiag_timer. Source: sock_diag(7); net/ipv4/inet_diag.c, inet_sk_diag_fill()."""
SAME_NS = 60_000_000
"""Two readings of one timer differ by the kernel's ticks, and by how long a reading takes."""
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}


def sockets_now(namespaces: Iterable[Namespace]) -> tuple[SocketNow, ...]:
    """The TCP and UDP sockets of these hosts; none where the kernel has no inet_diag.

    Raises KernelRefused.
    """
    return tuple(each for namespace in namespaces for each in _of(namespace))


def differ(one: tuple[SocketNow, ...], other: tuple[SocketNow, ...]) -> bool:
    """Whether something has changed but the clock."""
    if len(one) != len(other):
        return True
    return any(
        a._replace(due_ns=0) != b._replace(due_ns=0) or abs(a.due_ns - b.due_ns) > SAME_NS
        for a, b in zip(one, other, strict=True)
    )


def _of(namespace: Namespace) -> Iterator[SocketNow]:
    with namespace.entered():
        for protocol, number in _PROTOCOLS.items():
            time_ns = time.time_ns()
            found = read_inet_sockets(number, everything=True) or ()
            for each in sorted(found, key=lambda each: (each.local_port, each.remote_port)):
                yield _now(each, namespace.name, protocol, time_ns)


def _now(seen: InetSocket, host: str, protocol: str, time_ns: int) -> SocketNow:
    timer = TIMERS[seen.timer] if seen.timer < len(TIMERS) else str(seen.timer)
    return SocketNow(
        host,
        protocol,
        STATES[seen.state] if seen.state < len(STATES) else str(seen.state),
        seen.local,
        seen.local_port,
        seen.remote,
        seen.remote_port,
        seen.receive_queue,
        seen.send_queue,
        timer,
        time_ns + seen.expires_ms * 1_000_000 if timer else 0,
        seen.resent,
        (seen.info.rto_us or 0) if seen.info is not None else 0,
        seen.inode,
    )
