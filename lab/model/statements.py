"""The statements about sockets that the lab decides by experiment.

They come from a student's notes. If those fall short of the truth, `precisely` is what a run has
to establish. A scenario's claim names the statements that it decides.
"""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class Statement:
    """One statement of the notes."""

    id: str
    text: str
    """What the notes say."""
    precisely: str
    """What is true."""


STATEMENTS = (
    Statement(
        "S1",
        "A socket is an endpoint of a two-way channel.",
        "Both directions carry bytes on one descriptor; a pipe's descriptor is one-way (EBADF).",
    ),
    Statement(
        "S2",
        "It connects processes locally (unix) or over a network (internet).",
        "unix: no frame anywhere. internet: frames on the link, or on lo on one host.",
    ),
    Statement(
        "S3",
        "read and write work on a socket as on any descriptor.",
        "write and send without flags put the same frames on the wire; read returns as recv does.",
    ),
    Statement(
        "S4",
        "send, recv, sendto and recvfrom offer more options.",
        "Peek, wait for all, don't wait, more, out-of-band, an address a datagram, truncation.",
    ),
    Statement(
        "D1",
        "The domain selects the protocol family.",
        "AF_UNIX: nothing on the wire. AF_INET: EtherType 0x0800. AF_INET6: 0x86dd; reached by an "
        "IPv4 client (mapped address) it speaks IPv4.",
    ),
    Statement(
        "T1",
        "SOCK_STREAM is connection-based: a stream between a server and a client.",
        "connect and accept are needed, ENOTCONN before; message boundaries are not kept.",
    ),
    Statement(
        "T2",
        "SOCK_DGRAM is connectionless: datagrams.",
        "No handshake; each send is one datagram; boundaries are kept.",
    ),
    Statement(
        "T3",
        "SOCK_SEQPACKET is connection-based and each read returns a full message.",
        "Boundaries and order are kept; a read with a short buffer gets a part, the rest is lost.",
    ),
    Statement(
        "T4",
        "Stream, datagram and seqpacket exist for unix and internet alike.",
        "unix grants all three; internet grants SOCK_SEQPACKET only with SCTP.",
    ),
    Statement(
        "T5",
        "SOCK_RAW gives raw protocol access, only for internet sockets.",
        "AF_INET raw receives the IP header, AF_INET6 does not; CAP_NET_RAW is needed (EPERM); "
        "AF_UNIX makes it SOCK_DGRAM; AF_PACKET sees whole frames.",
    ),
    Statement(
        "U1",
        "unix sockets: two-way exchange inside one system.",
        "No frame on any device, lo included; a path is reached across network namespaces, an "
        "abstract name is not.",
    ),
    Statement(
        "U2",
        "A unix socket is bound to a path or unnamed.",
        "path: an inode with mode bits (EACCES), EADDRINUSE while it exists, survives close; "
        "abstract: gone with its socket; unnamed: socketpair, getsockname is empty.",
    ),
    Statement(
        "U3",
        "It is usually SOCK_STREAM; others are possible.",
        "SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET; datagrams are reliable and block when the "
        "queue is full.",
    ),
    Statement(
        "U4",
        "It is made of two buffers, one a direction.",
        "Filling one direction until EAGAIN leaves the other free.",
    ),
    Statement(
        "U5",
        "Unnamed, it is comparable to two ordinary pipes.",
        "The same exchange and fill test over two pipes; the capacities differ, and why.",
    ),
    Statement(
        "U6",
        "Bound to a path, it is comparable to a FIFO.",
        "A FIFO's open blocks until its peer comes; one FIFO mixes all writers, while each unix "
        "connection is its own.",
    ),
    Statement(
        "I1",
        "Internet sockets: two-way exchange over a network.",
        "The payload on the link, both ways, is what the programs sent and got.",
    ),
    Statement(
        "I2",
        "AF_INET or AF_INET6 by IP version.",
        "The version field and the EtherType of every frame of the flow.",
    ),
    Statement(
        "I3",
        "Connection-based: TCP.",
        "Three segments before the first payload byte, FIN or RST at the end, every byte "
        "acknowledged.",
    ),
    Statement(
        "I4",
        "Connectionless: UDP.",
        "The first frame carries data, nothing is acknowledged; nobody listening: ICMP port "
        "unreachable, ECONNREFUSED on a connected socket only.",
    ),
)  # fmt: skip
