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
    question: str
    """What it answers."""
    text: str
    """What the notes say."""
    precisely: str
    """What is true."""


STATEMENTS = (
    Statement(
        "S1",
        "What is a socket, and how does it differ from one end of a pipe?",
        "A socket is an endpoint of a two-way channel.",
        "Both directions carry bytes on one descriptor; a pipe's descriptor is one-way (EBADF).",
    ),
    Statement(
        "S2",
        "Which sockets join processes on one system, which over a network, and "
        "how is that seen on the link?",
        "It connects processes locally (unix) or over a network (internet).",
        "unix: no frame anywhere. internet: frames on the link, or on lo on one host.",
    ),
    Statement(
        "S3",
        "Do read(2) and write(2) do on a socket what recv(2) and send(2) do?",
        "read and write work on a socket as on any descriptor.",
        "write and send without flags put the same frames on the wire; read returns as recv does.",
    ),
    Statement(
        "S4",
        "What do send(2), recv(2), sendto(2) and recvfrom(2) offer that "
        "write(2) and read(2) do not?",
        "send, recv, sendto and recvfrom offer more options.",
        "Peek, wait for all, don't wait, more, out-of-band, an address a datagram, truncation.",
    ),
    Statement(
        "D1",
        "What does the first argument of socket(2) select, and what is seen of it on the link?",
        "The domain selects the protocol family.",
        "AF_UNIX: nothing on the wire. AF_INET: EtherType 0x0800. AF_INET6: 0x86dd; reached by an "
        "IPv4 client (mapped address) it speaks IPv4.",
    ),
    Statement(
        "T1",
        "What does it mean that SOCK_STREAM is connection-based, and what "
        "becomes of message boundaries?",
        "SOCK_STREAM is connection-based: a stream between a server and a client.",
        "connect and accept are needed, ENOTCONN before; message boundaries are not kept.",
    ),
    Statement(
        "T2",
        "What does it mean that SOCK_DGRAM is connectionless?",
        "SOCK_DGRAM is connectionless: datagrams.",
        "No handshake; each send is one datagram; boundaries are kept.",
    ),
    Statement(
        "T3",
        "What does a read on a SOCK_SEQPACKET socket return, and what of a "
        "message that is longer?",
        "SOCK_SEQPACKET is connection-based and each read returns a full message.",
        "Boundaries and order are kept; a read with a short buffer gets a part, the rest is lost.",
    ),
    Statement(
        "T4",
        "Which of stream, datagram and seqpacket are there for unix and for internet sockets?",
        "Stream, datagram and seqpacket exist for unix and internet alike.",
        "unix grants all three; internet grants SOCK_SEQPACKET only with SCTP.",
    ),
    Statement(
        "T5",
        "What does SOCK_RAW give, who may have one, and in which families?",
        "SOCK_RAW gives raw protocol access, only for internet sockets.",
        "AF_INET raw receives the IP header, AF_INET6 does not; CAP_NET_RAW is needed (EPERM); "
        "AF_UNIX makes it SOCK_DGRAM; AF_PACKET sees whole frames.",
    ),
    Statement(
        "U1",
        "Which frames does an exchange over a unix socket put on which device?",
        "unix sockets: two-way exchange inside one system.",
        "No frame on any device, lo included; a path is reached across network namespaces, an "
        "abstract name is not.",
    ),
    Statement(
        "U2",
        "What names may a unix socket have, and what becomes of each when it is closed?",
        "A unix socket is bound to a path or unnamed.",
        "path: an inode with mode bits (EACCES), EADDRINUSE while it exists, survives close; "
        "abstract: gone with its socket; unnamed: socketpair, getsockname is empty.",
    ),
    Statement(
        "U3",
        "Which types may a unix socket have, and are its datagrams lost when "
        "the receiver is slow?",
        "It is usually SOCK_STREAM; others are possible.",
        "SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET; datagrams are reliable and block when the "
        "queue is full.",
    ),
    Statement(
        "U4",
        "A unix connection is full in one direction: what of the other?",
        "It is made of two buffers, one a direction.",
        "Filling one direction until EAGAIN leaves the other free.",
    ),
    Statement(
        "U5",
        "How do a pair of unnamed unix sockets and two pipes compare?",
        "Unnamed, it is comparable to two ordinary pipes.",
        "The same exchange and fill test over two pipes; the capacities differ, and why.",
    ),
    Statement(
        "U6",
        "How do a unix socket bound to a path and a FIFO compare?",
        "Bound to a path, it is comparable to a FIFO.",
        "A FIFO's open blocks until its peer comes; one FIFO mixes all writers, while each unix "
        "connection is its own.",
    ),
    Statement(
        "I1",
        "What is on the link of what two programs say to each other over internet sockets?",
        "Internet sockets: two-way exchange over a network.",
        "The payload on the link, both ways, is what the programs sent and got.",
    ),
    Statement(
        "I2",
        "AF_INET or AF_INET6: where in a frame is that seen?",
        "AF_INET or AF_INET6 by IP version.",
        "The version field and the EtherType of every frame of the flow.",
    ),
    Statement(
        "I3",
        "Which segments does TCP send before the first byte of data, and which after the last?",
        "Connection-based: TCP.",
        "Three segments before the first payload byte, FIN or RST at the end, every byte "
        "acknowledged.",
    ),
    Statement(
        "I4",
        "What does UDP send before the first byte of data, and what comes back "
        "when nobody listens?",
        "Connectionless: UDP.",
        "The first frame carries data, nothing is acknowledged; nobody listening: ICMP port "
        "unreachable, ECONNREFUSED on a connected socket only.",
    ),
)  # fmt: skip
