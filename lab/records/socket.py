"""Sockets: their states and queues, as the kernel tells them."""

from __future__ import annotations

from lab.frozen import frozen
from lab.records.instrument import Obtained


@frozen
class SocketSeen:
    """A unix socket as the kernel's sock_diag showed it while a program waited to be looked at.

    Source: sock_diag(7), struct unix_diag_msg.
    """

    time_ns: int
    checkpoint: str
    """The checkpoint the program waited at, by the name that the program gives it."""
    host: str
    """Whose namespace the socket belongs to."""
    type: str
    """ "SOCK_STREAM" and so on."""
    state: str
    """ "ESTABLISHED", "LISTEN" or "CLOSE"."""
    name: str
    """The path it is bound to, "@" and an abstract name, or "" where it is unnamed."""
    inode: int
    """What /proc/PID/fd and fstat(2) give for the program's descriptor."""
    peer_inode: int | None
    """None where it has no peer; 0 where the peer is not accepted yet."""
    receive_queue: int
    """Bytes waiting to be read; of a listening socket, connections waiting to be accepted."""
    send_queue: int
    """Buffer memory held by what was sent; of a listening socket, its backlog."""
    step: str = ""


@frozen
class SocketState:
    """A TCP socket's state, as the kernel has it."""

    time_ns: int
    obtained: Obtained
    socket: str
    """The kernel's own name for it: "inode 4026", "sk ffff8881..."."""
    old: str
    """The state before it, where that was measured; else ""."""
    new: str
    """By its name in include/net/tcp_states.h, without TCP_: "SYN_SENT"."""
    local_address: str
    local_port: int
    """0 where it had none yet."""
    remote_address: str
    remote_port: int
    tid: int
    """The thread that was running. Of a measured change often the peer's, or nobody's: the
    kernel works for others in soft interrupts."""
    step: str = ""


@frozen
class QueueSample:
    """What was left to read in a unix socket, when a call that reads or accepts had returned.

    It is that socket's own queue; what a send() added to its peer's is in a sample of the peer.
    A queue found empty that was empty before is not noted. Source: unix(7), SIOCINQ.
    """

    time_ns: int
    """While the thread still stood where its call had returned."""
    socket: str
    """The kernel's own name for it: "inode 4026"."""
    type: str
    """ "SOCK_STREAM" and so on."""
    unread_bytes: int
    """All of the queue; of a SOCK_DGRAM socket the next message alone, 0 where there is none."""
    tid: int
    """The thread whose call it was."""
    step: str = ""
