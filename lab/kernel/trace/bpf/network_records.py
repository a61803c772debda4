"""The records of the network programs, parsed: bytes in, values out."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from socket import ntohs
from typing import NamedTuple

DROP, STATE = range(2)

HEADER = struct.Struct("=QQII")
"""Time (CLOCK_TAI), the address of the packet or socket, its namespace's inode, DROP or STATE."""

DROP_HEADER = struct.Struct("=QQIIIIIiHH4x")
"""The header; the reason, the index of the interface where the packet came in (0: nowhere), its
length from where the kernel was in it, how far that is behind its network header, its protocol
as on the wire, and how many bytes of it follow."""

PACKET_BYTES = 128
"""So many of a packet's first bytes are copied, from its network header on."""


class StateOfRun(NamedTuple):
    """A socket of the run's namespaces changed its state."""

    time_ns: int
    """CLOCK_TAI, right before or after the tracepoint's own event."""
    address: int


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
) -> tuple[list[StateOfRun], list[DropOfRun]]:
    """What the programs recorded, each in the order of the records."""
    states: list[StateOfRun] = []
    drops: list[DropOfRun] = []
    for record in records:
        time_ns, address, namespace, kind = HEADER.unpack_from(record)
        if kind == STATE:
            states.append(StateOfRun(time_ns, address))
            continue
        *_, reason, interface, left, passed, protocol, taken = DROP_HEADER.unpack_from(record)
        packet = record[DROP_HEADER.size : DROP_HEADER.size + taken]
        drop = DropOfRun(
            time_ns, namespace, reason, interface, left + passed, ntohs(protocol), packet
        )
        drops.append(drop)
    return states, drops
