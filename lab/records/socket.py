"""Sockets: their states and queues, as the kernel tells them."""

from __future__ import annotations

from typing import Literal

from lab.frozen import frozen
from lab.records.instrument import Obtained

Held = Literal["waiting", "served", "end", "close"]
"""When a socket was looked at: while programs ran and nothing had moved for a moment; when those
that do not serve had ended, and the others were to end; when all had ended, and no connection had
anything left to send; when it was being closed."""


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


@frozen
class TcpInfo:
    """How TCP was doing on a connection. Source: tcp(7), TCP_INFO; struct tcp_info."""

    rtt_us: int
    """The smoothed round trip time; 0 where none was measured."""
    rttvar_us: int
    """Its mean deviation."""
    rto_us: int | None
    """The retransmission timeout; None if unknown."""
    cwnd: int
    """The congestion window, in segments."""
    ssthresh: int | None
    """The slow start threshold, in segments; None where none has been set."""
    retransmissions: int
    """Segments sent again since the connection began."""
    lost: int
    """Segments taken for lost and not sent again yet."""
    unacked: int
    """Segments sent and not acknowledged."""
    reordering: int
    """How far segments may come out of order before one is taken for lost."""
    mss_bytes: int
    """The largest segment that is sent."""
    pmtu_bytes: int
    """The path's MTU."""
    bytes_acked: int
    """Those of its own that the peer has acknowledged."""
    bytes_received: int
    """Those of the peer that it has acknowledged."""


@frozen
class Holder:
    """A process that has a socket open. Hostile text."""

    pid: int
    """In the sandbox's pid namespace."""
    command: str
    """The name of its program's file, as the kernel has it, or what it calls itself."""


@frozen
class HeldSocket:
    """A socket as its kernel held it at one moment.

    Source: sock_diag(7), struct inet_diag_msg and unix_diag_msg; tcp(7), TCP_INFO.
    """

    time_ns: int
    moment: Held
    host: str
    """Whose namespace it belongs to; "" where the instrument does not know."""
    protocol: str
    """ "tcp", "udp" or "unix"."""
    state: str
    """By its name in include/net/tcp_states.h, without TCP_: "LISTEN". At a close the state that
    ended then."""
    local_address: str
    """Of a unix socket its name: its path, or "@" and an abstract name."""
    local_port: int
    remote_address: str
    remote_port: int
    socket: str
    """The kernel's own name for it: "inode 4026"; "" where no descriptor has it."""
    receive_queue: int | None
    """Bytes that came and were not read, of UDP the memory that they take; of a listening socket
    the connections that wait to be accepted. None if unknown."""
    send_queue: int | None
    """Bytes that were sent and are not acknowledged; of a listening socket the limit of its accept
    queue, which is full when more wait than that. None if unknown."""
    receive_buffer: int | None = None
    """How many bytes of memory what came may take; None if unknown."""
    drops: int = 0
    """Packets thrown away since it had no room for them."""
    expires_ms: int = 0
    """Of TIME-WAIT: how long it goes on."""
    info: TcpInfo | None = None
    """Of a TCP connection, where it is known."""
    holders: tuple[Holder, ...] = ()
    """The processes that had it open, where that was looked for: while programs ran."""
    step: str = ""
