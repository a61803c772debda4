"""The records of the network programs, parsed: bytes in, values out.

Fields have the names and values of the tracepoints' own format files.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv6Address, ip_address
from socket import ntohs
from typing import NamedTuple

from lab.frozen import frozen

DROP, STATE, RETRANSMITTED, SYNACK_RETRANSMITTED, RESET_SENT, RESET_RECEIVED = range(6)

HEADER = struct.Struct("=QQIII")
"""Time (CLOCK_TAI), the address of the packet or socket, its namespace's inode, which it is, and
the running thread's tid in the initial pid namespace."""

SOCKET = struct.Struct("=QQIIIHHiiHH4s4s4x16s16s")
"""The header; of the socket its family and protocol; two numbers; its local and remote port, as
on the wire (of a request the local one as the machine has it), and address, those of IPv4 and those
of IPv6. The numbers of a STATE are the states before and after it; of the others the state, and
what the tracepoint gives beside the socket."""

(
    TIME, ADDRESS, NAMESPACE, KIND, TID, FAMILY, PROTOCOL, FIRST, SECOND, LOCAL_PORT, REMOTE_PORT,
    LOCAL, REMOTE, LOCAL_6, REMOTE_6,
) = (0, 8, 16, 20, 24, 28, 30, 32, 36, 40, 42, 44, 48, 56, 72)  # fmt: skip
"""Where each is."""

CLOSED = struct.Struct("=16I2Q")
"""Behind the SOCKET of a STATE, in the order of ClosedOfRun: what it had when it was closed. A
record is longer than a SOCKET alone if it has it."""

ABSENT = -(1 << 31)
"""The second number of a tracepoint that gives none."""

OTHER = struct.Struct("=Q")
"""Behind the SOCKET of the others: the address of the packet or request."""

ANSWERED_BYTES = 40
"""Behind the OTHER of a RESET_SENT whose family is 0: so many of the packet that it answers, from
its network header on. The ports are that packet's."""
ANSWERED = SOCKET.size + OTHER.size
"""Where they are."""

DROP_HEADER = struct.Struct("=QQIIIIIIiHH")
"""The header; the reason, the index of the interface where the packet came in (0: nowhere), its
length from where the kernel was in it, how far that is behind its network header, its protocol
as on the wire, and how many bytes of it follow."""

PACKET_BYTES = 128
"""So many of a packet's first bytes are copied, from its network header on."""

_FAMILIES: dict[int, str] = {socket.AF_INET: "AF_INET", socket.AF_INET6: "AF_INET6"}
_PROTOCOLS = {6: "IPPROTO_TCP", 132: "IPPROTO_SCTP", 262: "IPPROTO_MPTCP"}


@frozen
class SocketEnds:
    """A socket's family and protocol, and its local and remote address and port."""

    family: int
    protocol: int
    local: str
    local_port: int
    remote: str
    remote_port: int
    local_4: str
    remote_4: str
    """Those of IPv4 of a socket of IPv6."""


class ClosedOfRun(NamedTuple):
    """What struct tcp_sock had when a TCP socket was closed."""

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


class StateOfRun(NamedTuple):
    """A socket of the run's namespaces changed its state."""

    time_ns: int
    """CLOCK_TAI."""
    address: int
    namespace: int
    """Its inode."""
    tid: int
    """The running thread's, in the initial pid namespace."""
    old: int
    new: int
    ends: SocketEnds
    closed: ClosedOfRun | None
    """None unless a TCP socket was closed."""


class EventOfRun(NamedTuple):
    """Another tracepoint of a socket of the run's namespaces."""

    time_ns: int
    """CLOCK_TAI."""
    name: str
    """ "tcp:tcp_send_reset"."""
    tid: int
    """The running thread's, in the initial pid namespace."""
    fields: dict[str, int | str]


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


@dataclass(slots=True)
class Sight:
    """What BPF saw in the run's network namespaces, each in the order of the records."""

    states: list[StateOfRun] = field(default_factory=list)
    drops: list[DropOfRun] = field(default_factory=list)
    events: list[EventOfRun] = field(default_factory=list)


def parse_network_records(records: Iterable[bytes], ahead_ns: int = 0) -> Sight:
    """What the programs recorded, with times that are so much less than CLOCK_TAI."""
    sight = Sight()
    for record in records:
        time_ns, address, namespace, kind, tid = HEADER.unpack_from(record)
        time_ns -= ahead_ns
        if kind == DROP:
            sight.drops.append(_drop(record, time_ns, namespace))
        elif kind == STATE:
            ends, old, new = _ends(record)
            closed = None
            if len(record) >= SOCKET.size + CLOSED.size:
                closed = ClosedOfRun._make(CLOSED.unpack_from(record, SOCKET.size))
            sight.states.append(
                StateOfRun(time_ns, address, namespace, tid, old, new, ends, closed)
            )
        else:
            name, fields = _event(record, kind, address)
            sight.events.append(EventOfRun(time_ns, name, tid, fields))
    return sight


def socket_name(address: int) -> str:
    """A struct sock's address, as all records have it: "sk ffff8881..."."""
    return f"sk {address:016x}"


def family_name(family: int) -> int | str:
    """ "AF_INET"; the number of a family that the tracepoints have no name for."""
    return _FAMILIES.get(family, family)


def protocol_name(protocol: int) -> int | str:
    """ "IPPROTO_TCP"; the number of a protocol that the tracepoints have no name for."""
    return _PROTOCOLS.get(protocol, protocol)


def end_fields(ends: SocketEnds) -> dict[str, int | str]:
    """The fields that tracepoints have of a socket's ends."""
    return {
        "sport": ends.local_port,
        "dport": ends.remote_port,
        "family": family_name(ends.family),
        "saddr": ends.local_4,
        "daddr": ends.remote_4,
        "saddr_v6": ends.local,
        "daddr_v6": ends.remote,
    }


def _drop(record: bytes, time_ns: int, namespace: int) -> DropOfRun:
    *_, reason, interface, left, passed, protocol, taken = DROP_HEADER.unpack_from(record)
    packet = record[DROP_HEADER.size : DROP_HEADER.size + taken]
    return DropOfRun(time_ns, namespace, reason, interface, left + passed, ntohs(protocol), packet)


def _ends(record: bytes) -> tuple[SocketEnds, int, int]:
    """The socket's ends and the two numbers of a SOCKET."""
    (
        _, _, _, kind, _, family, protocol, first, second, local_port, remote_port,
        local_4, remote_4, local_6, remote_6,
    ) = SOCKET.unpack_from(record)  # fmt: skip
    is_6 = family == socket.AF_INET6
    near, far = _ip(local_4), _ip(remote_4)
    ends = SocketEnds(
        family=family,
        protocol=protocol,
        local=_ip(local_6) if is_6 else near,
        # A request has it in the byte order of the machine: struct inet_request_sock, ir_num.
        local_port=local_port if kind == SYNACK_RETRANSMITTED else ntohs(local_port),
        remote=_ip(remote_6) if is_6 else far,
        remote_port=ntohs(remote_port),
        local_4=near,
        remote_4=far,
    )
    return ends, first, second


def _event(record: bytes, kind: int, address: int) -> tuple[str, dict[str, int | str]]:
    """The name and the fields of another tracepoint's record."""
    sock = socket_name(address)
    ends, state, number = _ends(record)
    if kind == RESET_RECEIVED:
        return "tcp:tcp_receive_reset", {"skaddr": sock, **end_fields(ends)}
    (other,) = OTHER.unpack_from(record, SOCKET.size)
    if kind == SYNACK_RETRANSMITTED:
        fields = {"skaddr": sock, "req": f"0x{other:x}", **end_fields(ends)}
        return "tcp:tcp_retransmit_synack", fields
    of_packet: dict[str, int | str] = {"skbaddr": f"0x{other:x}", "skaddr": sock, "state": state}
    if kind == RETRANSMITTED:
        error = {} if number == ABSENT else {"err": number}
        return "tcp:tcp_retransmit_skb", {**of_packet, **end_fields(ends), **error}
    (local, local_port), (remote, remote_port) = (
        _answer_ends(record)
        if not ends.family
        else ((ends.local, ends.local_port), (ends.remote, ends.remote_port))
    )
    reason = {} if number == ABSENT else {"reason": number}
    return "tcp:tcp_send_reset", {
        **of_packet,
        **reason,
        "saddr": f"{local} {local_port}",
        "daddr": f"{remote} {remote_port}",
    }


def _answer_ends(record: bytes) -> tuple[tuple[str, int], tuple[str, int]]:
    """Source and destination of what answers a packet: that packet's, turned."""
    from_port, to_port = struct.unpack_from("!HH", record, LOCAL_PORT)
    packet = record[ANSWERED : ANSWERED + ANSWERED_BYTES]
    is_6 = packet[0] >> 4 == 6
    source, destination = (packet[8:24], packet[24:40]) if is_6 else (packet[12:16], packet[16:20])
    return (_ip(destination), to_port), (_ip(source), from_port)


@cache
def _ip(data: bytes) -> str:
    """An address as text; an IPv4-mapped IPv6 address as the IPv4 address."""
    address = ip_address(data)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
