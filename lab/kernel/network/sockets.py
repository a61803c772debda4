"""The sockets of a namespace. Source: proc(5), /proc/net; sock_diag(7)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from lab.kernel.netlink.unix_diag import read_unix_sockets
from lab.kernel.network.inet_diag import InetSocket, read_inet_sockets
from lab.kernel.network.namespace import Namespace
from lab.kernel.system.tcp import STATES, TCP_CLOSE, TCP_LISTEN, TCP_TIME_WAIT
from lab.records import Held, HeldSocket, Holder, SocketSeen

# In none of these does a socket send of its own accord.
DRAINED_STATES = frozenset({TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN})

# unix sockets use three of TCP's states.
UNIX_STATES = {1: "ESTABLISHED", TCP_CLOSE: "CLOSE", TCP_LISTEN: "LISTEN"}

# Values of idiag_timer: inet_sk_diag_fill().
RESENDS, KEEPS_ALIVE, PROBES = 1, 2, 4

KEEPALIVE_MS = 60_000
"""A keepalive that is further away is none that a program waits for."""

MOST_HELD = 1000
"""As many sockets of a host are kept of one moment."""
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
_PEER_HAS_ENDED = frozenset(map(STATES.index, ("CLOSE_WAIT", "LAST_ACK", "CLOSING")))
"""A FIN that has not been read is counted as a byte in the queue: tcp_diag_get_info()."""


def unix_sockets_seen(namespace: Namespace, checkpoint: str, step: str) -> list[SocketSeen] | None:
    """The namespace's unix sockets now, or None if this kernel has no unix_diag.

    Raises KernelRefused.
    """
    with namespace.entered():
        time_ns = time.time_ns()
        found = read_unix_sockets()
    if found is None:
        return None
    return [
        SocketSeen(
            time_ns=time_ns,
            checkpoint=checkpoint,
            host=namespace.name,
            type=socket.SocketKind(seen.kind).name,
            state=UNIX_STATES.get(seen.state, str(seen.state)),
            name=seen.name if seen.is_path or not seen.name else f"@{seen.name}",
            inode=seen.inode,
            peer_inode=seen.peer_inode,
            receive_queue=seen.receive_queue,
            send_queue=seen.send_queue,
            step=step,
        )
        for seen in found
    ]


def held_sockets(
    namespace: Namespace, moment: Held, step: str, holders: Mapping[int, tuple[Holder, ...]]
) -> list[HeldSocket] | None:
    """The namespace's sockets at this moment that may say something, MOST_HELD of them at most.

    While programs wait those of TCP without TIME-WAIT, and of UDP and unix those that have
    something in a queue, or that several processes have open; at other moments all of TCP and UDP.
    `holders` are the processes by inode. None if this kernel has no inet_diag.

    Raises KernelRefused.
    """
    found: list[HeldSocket] = []
    with namespace.entered():
        time_ns = time.time_ns()
        for protocol, number in _PROTOCOLS.items():
            if not any(_in_use(protocol)):
                continue
            sockets = read_inet_sockets(number, everything=True)
            if sockets is None:
                return None
            found += (
                replace(
                    _held(each, protocol, time_ns, moment, namespace.name),
                    holders=holders.get(each.inode, ()),
                )
                for each in sockets
            )
        if moment == "waiting":
            found = [each for each in found if _says_something(each)]
            found += _held_unix(time_ns, namespace.name, holders)
    return [replace(each, step=step) for each in found[:MOST_HELD]]


def _held(seen: InetSocket, protocol: str, time_ns: int, moment: Held, host: str) -> HeldSocket:
    return HeldSocket(
        time_ns=time_ns,
        moment=moment,
        host=host,
        protocol=protocol,
        state=STATES[seen.state] if seen.state < len(STATES) else str(seen.state),
        local_address=seen.local,
        local_port=seen.local_port,
        remote_address=seen.remote,
        remote_port=seen.remote_port,
        socket=f"inode {seen.inode}" if seen.inode else "",
        receive_queue=max(seen.receive_queue - (seen.state in _PEER_HAS_ENDED), 0),
        send_queue=seen.send_queue,
        receive_buffer=seen.receive_buffer,
        drops=seen.drops,
        expires_ms=seen.expires_ms if seen.state == TCP_TIME_WAIT else 0,
        info=seen.info,
    )


def _held_unix(
    time_ns: int, host: str, holders: Mapping[int, tuple[Holder, ...]]
) -> Iterator[HeldSocket]:
    """The unix sockets in whose queues something waits."""
    for seen in read_unix_sockets() or ():
        if seen.receive_queue:
            yield HeldSocket(
                time_ns=time_ns,
                moment="waiting",
                host=host,
                protocol="unix",
                state=UNIX_STATES.get(seen.state, str(seen.state)),
                local_address=seen.name if seen.is_path or not seen.name else f"@{seen.name}",
                local_port=0,
                remote_address="",
                remote_port=0,
                socket=f"inode {seen.inode}" if seen.inode else "",
                receive_queue=seen.receive_queue,
                send_queue=seen.send_queue,
                holders=holders.get(seen.inode, ()),
            )


def _says_something(seen: HeldSocket) -> bool:
    if seen.protocol == "tcp":
        return seen.state != "TIME_WAIT"
    return bool(seen.receive_queue or seen.send_queue) or len(seen.holders) > 1


def has_tcp_in_flight(namespace: Namespace) -> bool:
    """Whether a TCP socket of the namespace will send something by itself, or has on its way.

    What is on its way, or lost and to be sent again, has its timer at the sender. So has what is
    held back by TCP_CORK, and goes after all when the timer for a closed window's first probe runs
    out; and a keepalive, after which a call may fail. Also True where this kernel does not say.
    Source: tcp(7); tcp_send_probe0(). Raises KernelRefused.
    """
    with namespace.entered():
        if not any(_in_use("tcp")):
            return False
        sockets = read_inet_sockets(socket.IPPROTO_TCP, everything=True)
    return sockets is None or any(map(_sends_by_itself, sockets))


def _sends_by_itself(seen: InetSocket) -> bool:
    if seen.timer == KEEPS_ALIVE:
        # Of a socket that nobody has any more it is the time that FIN-WAIT-2 lasts.
        return bool(seen.inode) and seen.expires_ms <= KEEPALIVE_MS
    return seen.timer == RESENDS or (seen.timer == PROBES and not seen.backoff)


def has_undrained_tcp(namespace: Namespace) -> bool:
    """Whether a TCP connection of the namespace may still send something."""
    return bool(undrained_tcp(namespace))


def undrained_tcp(namespace: Namespace) -> list[str]:
    """The TCP connections of the namespace that may still send something, a line each.

    The sockets are counted before they are listed: where hosts have no table of their own (Linux
    before 6.1) listing them walks that of the whole machine, which takes some milliseconds if that
    has much memory.
    """
    with namespace.entered():
        in_use, _ = _in_use("tcp")
        if not in_use:
            return []
        found: list[str] = []
        for table in ("tcp", "tcp6"):
            for line in Path("/proc/thread-self/net", table).read_text("ascii").splitlines()[1:]:
                _, local, remote, state = line.split()[:4]
                if int(state, 16) not in DRAINED_STATES:
                    found.append(f"{namespace.name}: {local} {remote} in state {state}")
        return found


def _in_use(protocol: str) -> tuple[int, int]:
    """How many TCP or UDP sockets the entered namespace has, and how many in TIME-WAIT besides."""
    total = waiting = 0
    for table in ("sockstat", "sockstat6"):
        for line in Path("/proc/thread-self/net", table).read_text("ascii").splitlines():
            name, *words = line.split()
            if name in (f"{protocol.upper()}:", f"{protocol.upper()}6:"):
                counts = dict(zip(words[::2], map(int, words[1::2]), strict=True))
                total += counts["inuse"]
                waiting += counts.get("tw", 0)
    return total, waiting
