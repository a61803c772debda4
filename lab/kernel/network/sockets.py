"""The sockets of a namespace. Source: proc(5), /proc/net; sock_diag(7)."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from lab.kernel.network.namespace import Namespace
from lab.kernel.network.netlink import read_unix_sockets
from lab.records import SocketSeen

# include/net/tcp_states.h: in none of these does a socket send of its own accord.
TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN = 6, 7, 10
DRAINED_STATES = frozenset({TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN})

# unix sockets use three of TCP's states.
UNIX_STATES = {1: "ESTABLISHED", TCP_CLOSE: "CLOSE", TCP_LISTEN: "LISTEN"}


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


def has_undrained_tcp(namespace: Namespace) -> bool:
    """Whether a TCP connection of the namespace may still send something."""
    return bool(undrained_tcp(namespace))


def undrained_tcp(namespace: Namespace) -> list[str]:
    """The TCP connections of the namespace that may still send something, a line each.

    The sockets are counted before they are listed: listing them walks the hash table of the
    whole machine, which takes some milliseconds if that has much memory.
    """
    with namespace.entered():
        net = Path("/proc/thread-self/net")
        if not _tcp_in_use(net):
            return []
        found: list[str] = []
        for table in ("tcp", "tcp6"):
            for line in (net / table).read_text("ascii").splitlines()[1:]:
                _, local, remote, state = line.split()[:4]
                if int(state, 16) not in DRAINED_STATES:
                    found.append(f"{namespace.name}: {local} {remote} in state {state}")
        return found


def _tcp_in_use(net: Path) -> int:
    """How many TCP sockets the entered namespace has, without those in TIME-WAIT."""
    total = 0
    for table in ("sockstat", "sockstat6"):
        for line in (net / table).read_text("ascii").splitlines():
            words = line.split()
            if words[0] in ("TCP:", "TCP6:"):
                total += int(words[words.index("inuse") + 1])
    return total
