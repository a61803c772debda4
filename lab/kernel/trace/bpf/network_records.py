"""The records of the network programs, parsed: bytes in, values out."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from socket import ntohs
from typing import NamedTuple

DROP, STATE, RESET = range(3)

HEADER = struct.Struct("=QQII")
"""Time (CLOCK_TAI), the address of the packet or socket, its namespace's inode, and which it is."""

CLOSED = struct.Struct("=QQII17I4x2Q")
"""The header of a STATE; the state before, and of the socket, in the order of ClosedOfRun, what it
had when it was closed. It is longer than a header alone."""

DROP_HEADER = struct.Struct("=QQIIIIIiHH4x")
"""The header; the reason, the index of the interface where the packet came in (0: nowhere), its
length from where the kernel was in it, how far that is behind its network header, its protocol
as on the wire, and how many bytes of it follow."""

PACKET_BYTES = 128
"""So many of a packet's first bytes are copied, from its network header on."""


class StateOfRun(NamedTuple):
    """A socket of the run's namespaces changed its state, or an RST was sent in one of them."""

    time_ns: int
    """CLOCK_TAI, right before or after the tracepoint's own event."""
    address: int
    """The socket's; of an RST that no socket sends, that of the packet which it answers."""


class ClosedOfRun(NamedTuple):
    """A TCP socket of the run's namespaces was closed: what struct tcp_sock had then."""

    time_ns: int
    address: int
    namespace: int
    """Its inode."""
    old_state: int
    received: int
    """RCV.NXT (RFC 9293, 3.3.1)."""
    read: int
    """The sequence number of what the program reads next."""
    written: int
    """The sequence number behind what the program has sent."""
    acknowledged: int
    """SND.UNA."""
    waiting: int
    """Connections in its accept queue."""
    limit: int
    """Of its accept queue."""
    rtt: int
    """In eighths of a microsecond."""
    deviation: int
    """In quarters of a microsecond."""
    cwnd: int
    ssthresh: int
    retransmissions: int
    lost: int
    unacked: int
    reordering: int
    mss_bytes: int
    pmtu_bytes: int
    bytes_acked: int
    bytes_received: int


class DropOfRun(NamedTuple):
    """The kernel dropped a packet in one of the run's namespaces."""

    time_ns: int
    """CLOCK_TAI."""
    namespace: int
    """Its inode."""
    reason: int
    """In enum skb_drop_reason, as this kernel has it."""
    interface: int
    """The index of the interface where it came in; 0 if it came in nowhere."""
    length: int
    """In bytes, from its network header on."""
    protocol: int
    """An Ethernet type."""
    packet: bytes
    """From its network header on, PACKET_BYTES at most."""


def parse_network_records(
    records: Iterable[bytes],
) -> tuple[list[StateOfRun], list[DropOfRun], list[ClosedOfRun]]:
    """What the programs recorded, each in the order of the records."""
    states: list[StateOfRun] = []
    drops: list[DropOfRun] = []
    closed: list[ClosedOfRun] = []
    for record in records:
        time_ns, address, namespace, kind = HEADER.unpack_from(record)
        if kind != DROP:
            states.append(StateOfRun(time_ns, address))
            if len(record) >= CLOSED.size:
                closed.append(
                    ClosedOfRun(time_ns, address, namespace, *CLOSED.unpack_from(record)[4:])
                )
            continue
        *_, reason, interface, left, passed, protocol, taken = DROP_HEADER.unpack_from(record)
        packet = record[DROP_HEADER.size : DROP_HEADER.size + taken]
        drop = DropOfRun(
            time_ns, namespace, reason, interface, left + passed, ntohs(protocol), packet
        )
        drops.append(drop)
    return states, drops, closed
