"""Crossings from lines that read like the exchange they stand for.

    0.001 client > server SYN seq=100 win=1000 mss=1460 ws=7
    0.002 server > client SYN,ACK seq=900 ack=101 recv=0.003
    0.004 client > server ACK seq=101 ack=901 data=hello lost

`recv=` is the arrival where two points captured (else one point's time is both), `lost` says
that it did not arrive, `arrived` that it was not seen leaving, `bad` that its checksum is
wrong, `left` that it is so for being left to the network card, `cut=N` that the capture has N
payload bytes only, `blocks=6-22,30-40` a SACK option. The payload is data=TEXT, hex=BYTES or
len=N. Hosts are client, server and other, each with a port, or host:port. Sequence numbers are
taken modulo 2**32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, group_flows
from lab.analysis.packets.packet import (
    IPv4,
    IPv6,
    Layer,
    Packet,
    Payload,
    Tcp,
    TcpFlags,
    TcpOption,
    Udp,
)
from lab.analysis.tcp.conversation import TcpConversation, analyse_tcp
from lab.records import Direction, Frame, LinkType

HOSTS: dict[str, tuple[IPv4Address | IPv6Address, int]] = {
    "client": (IPv4Address("10.0.0.1"), 40000),
    "server": (IPv4Address("10.0.0.2"), 80),
    "other": (IPv4Address("10.0.0.3"), 5000),
    "client6": (IPv6Address("fd00::1"), 40000),
    "server6": (IPv6Address("fd00::2"), 80),
}
OPTIONS = {
    "mss": (2, "mss"),
    "ws": (3, "window_scale"),
    "sack": (4, "sack_permitted"),
    "ts": (8, "timestamps"),
}


def crossings(text: str) -> tuple[Crossing, ...]:
    """One crossing for each line that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(_crossing(number, line) for number, line in enumerate(lines, start=1))


def only_flow(text: str) -> Flow:
    (flow,) = group_flows(crossings(text))
    return flow


def converse(text: str) -> TcpConversation:
    """The analysis of a transcript that is one TCP flow."""
    return analyse_tcp(only_flow(text))


def tcp_ip(
    source: str,
    destination: str,
    protocol: str,
    fields: dict[str, str],
    data: bytes = b"",
    cut: int | None = None,
    checksum_ok: bool = True,
    is_left_to_card: bool = False,
) -> tuple[Layer, ...]:
    """An IP header, a TCP or UDP header and the payload."""
    (from_address, from_port), (to_address, to_port) = _end(source), _end(destination)
    ip: Layer
    if isinstance(from_address, IPv4Address) and isinstance(to_address, IPv4Address):
        number = 17 if protocol == "UDP" else 6
        ip = IPv4(
            14, from_address, to_address, 20, 0, 0, 0, 0, True, False, 0, 64, number, 0, True, ()
        )
    else:
        assert isinstance(from_address, IPv6Address) and isinstance(to_address, IPv6Address)
        ip = IPv6(14, from_address, to_address, 0, 0, 0, 6, 64)
    transport: Layer
    if protocol == "UDP":
        transport = Udp(34, from_port, to_port, 8 + len(data), 0, None, len(data))
    else:
        transport = Tcp(
            offset=34,
            source_port=from_port,
            destination_port=to_port,
            seq=int(fields.get("seq", "0")) % 2**32,
            ack=int(fields.get("ack", "0")) % 2**32,
            header_bytes=20,
            flags=_flags(protocol),
            window=int(fields.get("win", "1000")),
            checksum=0,
            checksum_ok=checksum_ok,
            urgent_pointer=0,
            options=_options(fields),
            payload_bytes=len(data),
            right_checksum=None if checksum_ok else 0xBEEF,
            is_left_to_card=is_left_to_card,
        )
    captured = data[:cut]
    return (ip, transport, Payload(54, captured)) if captured else (ip, transport)


def _crossing(number: int, line: str) -> Crossing:
    time, source, arrow, destination, protocol, *rest = line.split()
    assert arrow == ">", line
    words = {word for word in rest if "=" not in word}
    fields = dict(word.split("=", 1) for word in rest if "=" in word)
    assert words <= {"lost", "arrived", "bad", "left", "sack", "ts"}, line
    fields |= dict.fromkeys(words & {"sack", "ts"}, "")
    data = fields.get("data", "").encode() or bytes.fromhex(fields.get("hex", ""))
    data = data or bytes(int(fields.get("len", "0")))
    cut = int(fields["cut"]) if "cut" in fields else None
    good = not words & {"bad", "left"}
    layers = tcp_ip(source, destination, protocol, fields, data, cut, good, "left" in words)
    sent_ns = None if "arrived" in words else _ns(time)
    received_ns = None if "lost" in words else _ns(fields.get("recv", time))
    # Two frames are the same frame where all but their times and their fate is the same.
    fate = {"lost", "arrived", f"recv={fields.get('recv')}"}
    bytes_ = " ".join(word for word in line.split()[1:] if word not in fate).encode()
    frame = Frame(_ns(time), "client/eth0", Direction.OUT, bytes_, len(bytes_), LinkType.ETHERNET)
    return Crossing(number, Packet(frame, layers), source, destination, sent_ns, received_ns)


def _end(name: str) -> tuple[IPv4Address | IPv6Address, int]:
    host, _, port = name.partition(":")
    address, usual = HOSTS[host]
    return address, int(port) if port else usual


def _flags(words: str) -> TcpFlags:
    flags = TcpFlags(0)
    for word in words.split(","):
        flags |= TcpFlags[word] if word != "-" else TcpFlags(0)
    return flags


def _options(fields: dict[str, str]) -> tuple[TcpOption, ...]:
    values: dict[str, int | tuple[int, ...] | None] = {"sack": None, "ts": (1, 0)}
    options = [
        TcpOption(kind, name, values[word] if word in values else int(fields[word]))
        for word, (kind, name) in OPTIONS.items()
        if word in fields
    ]
    if blocks := fields.get("blocks"):
        edges = (int(edge) % 2**32 for edge in blocks.replace(",", "-").split("-"))
        options.append(TcpOption(5, "sack", tuple(edges)))
    return tuple(options)


def _ns(seconds: str) -> int:
    return round(float(seconds) * 1_000_000_000)


def ip_bytes(crossing: Crossing) -> bytes:
    """A crossing's TCP segment as an IPv4 packet, for tools that read captures."""
    packet = crossing.packet
    ip, tcp = packet.ip, packet.tcp
    assert isinstance(ip, IPv4) and tcp is not None
    segment = struct.pack(
        "!HHIIHHHH", tcp.source_port, tcp.destination_port, tcp.seq, tcp.ack,
        5 << 12 | tcp.flags, tcp.window, 0, 0,
    ) + packet.payload  # fmt: skip
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0)
    return head + ip.source.packed + ip.destination.packed + segment


def pcap_bytes(packets: Iterable[bytes]) -> bytes:
    """A classic pcap file of raw IP packets, a millisecond apart."""
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LinkType.RAW)
    for number, data in enumerate(packets):
        file += struct.pack("<IIII", 1, number * 1000, len(data), len(data)) + data
    return file
