"""What sockets a namespace still holds. Source: proc(5), /proc/net."""

from __future__ import annotations

from pathlib import Path

from lab.kernel.namespace import Namespace

# include/net/tcp_states.h: in none of these does a socket send of its own accord.
TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN = 6, 7, 10
SETTLED_STATES = frozenset({TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN})


def has_unsettled_tcp(namespace: Namespace) -> bool:
    """Whether a TCP connection of the namespace may still send something."""
    return bool(unsettled_tcp(namespace))


def unsettled_tcp(namespace: Namespace) -> list[str]:
    """TCP connections that may still send something, a line each.

    The sockets are counted before they are listed: a list walks the hash table of the whole
    machine, some milliseconds where there is much memory.
    """
    with namespace.entered():
        net = Path("/proc/thread-self/net")
        if not _tcp_in_use(net):
            return []
        found: list[str] = []
        for table in ("tcp", "tcp6"):
            for line in (net / table).read_text("ascii").splitlines()[1:]:
                _, local, remote, state = line.split()[:4]
                if int(state, 16) not in SETTLED_STATES:
                    found.append(f"{namespace.name}: {local} {remote} in state {state}")
        return found


def _tcp_in_use(net: Path) -> int:
    """TCP sockets of the entered namespace, those in TIME-WAIT left out."""
    total = 0
    for table in ("sockstat", "sockstat6"):
        for line in (net / table).read_text("ascii").splitlines():
            words = line.split()
            if words[0] in ("TCP:", "TCP6:"):
                total += int(words[words.index("inuse") + 1])
    return total
