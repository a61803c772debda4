"""Packets that columns do not hold, dissected one by one, and what of them belongs in columns."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import dissector
from lab.analysis.flows.flow import carrier_of, mention_of, transport_endpoints
from lab.analysis.packets.fragments import datagram_of
from lab.analysis.packets.packet import IPv4
from lab.analysis.table.columns import (
    MOST_BLOCKS,
    NO_OPTION,
    OTHER,
    RIGHT,
    TCP,
    UDP,
    UNKNOWN,
    WRONG,
    SackColumns,
)
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import FlowEnds
    from lab.analysis.flows.flow import Mention
    from lab.analysis.packets.packet import IPAddress, Tcp
    from lab.analysis.table.addresses import AddressNumbers
    from lab.analysis.table.columns import PacketColumns
    from lab.records import Frame


@frozen
class OddPacket:
    """What one of them has to do with flows, beside its columns."""

    row: int
    mention: Mention | None = None
    """Of a packet without a whole transport header."""
    carrier: FlowEnds | None = None
    """The datagram around the tunnel that the packet is in."""
    datagram: Hashable | None = None
    """Which fragments it makes whole."""


class OddPackets:
    """Dissects the odd ones among frames, in their order."""

    def __init__(self, addresses: AddressNumbers) -> None:
        self._addresses = addresses
        self._see = dissector(tunnels=True)
        self.with_more: list[OddPacket] = []
        """Those so far of which there is more than their columns."""
        self.sacks: list[SackColumns] = []

    def take(self, row: int, frame: Frame, columns: PacketColumns, at: int) -> None:
        """Put what the frame, that of a row, has for columns at `at` in them."""
        packet = self._see(frame)
        crossing = Crossing(row + 1, packet, "", "", frame.time_ns, frame.time_ns)
        odd, sack = _take_odd(crossing, row, columns, at, self._addresses)
        if odd is not None:
            self.with_more.append(odd)
        if sack is not None:
            self.sacks.append(sack)


def _take_odd(
    crossing: Crossing, row: int, columns: PacketColumns, at: int, addresses: AddressNumbers
) -> tuple[OddPacket | None, SackColumns | None]:
    packet = crossing.packet
    ends = transport_endpoints(packet)
    carrier = carrier_of(packet)
    if ends is None:
        columns.kind[at] = OTHER
        mention = mention_of(crossing)
        is_of_some = mention is not None or carrier is not None
        return (OddPacket(row, mention, carrier) if is_of_some else None), None
    header = packet.tcp or packet.udp
    assert header is not None, "what has ports has a transport header"
    columns.kind[at] = UDP if packet.tcp is None else TCP
    for name, end in zip(("source", "destination"), ends, strict=True):
        version, number = _numbered(end.address, addresses)
        columns.version[at] = version
        getattr(columns, name)[at] = number
        getattr(columns, f"{name}_port")[at] = end.port
    columns.ttl[at] = packet.lifetime or 0
    ip = packet.ip
    columns.ip_checksum[at] = _judged(ip.checksum_ok) if isinstance(ip, IPv4) else UNKNOWN
    columns.checksum[at] = _judged(header.checksum_ok)
    columns.left_to_card[at] = header.is_left_to_card
    columns.payload[at] = header.payload_bytes
    columns.present[at] = len(packet.payload[: header.payload_bytes])
    sack = None if packet.tcp is None else _take_tcp(packet.tcp, row, columns, at)
    datagram = datagram_of(packet) if packet.reassembled else None
    if carrier is None and datagram is None:
        return None, sack
    return OddPacket(row, None, carrier, datagram), sack


def _numbered(address: IPAddress, addresses: AddressNumbers) -> tuple[int, int]:
    number = int(address)
    return address.version, number if address.version == 4 else addresses.number(number)


def _judged(is_right: bool | None) -> int:
    return UNKNOWN if is_right is None else RIGHT if is_right else WRONG


def _take_tcp(tcp: Tcp, row: int, columns: PacketColumns, at: int) -> SackColumns | None:
    columns.seq[at], columns.ack[at] = tcp.seq, tcp.ack
    columns.flags[at] = int(tcp.flags)
    columns.window[at], columns.urgent[at] = tcp.window, tcp.urgent_pointer
    columns.header_bytes[at] = tcp.header_bytes
    for name, option in (("window_shift", "window_scale"), ("mss", "mss")):
        found = tcp.option(option)
        is_there = found is not None and isinstance(found.value, int)
        getattr(columns, name)[at] = found.value if found and is_there else NO_OPTION
    sack = tcp.option("sack")
    if sack is None or not isinstance(sack.value, tuple):
        return None
    edges = np.zeros((1, 2 * MOST_BLOCKS), dtype=np.uint32)
    edges[0, : len(sack.value)] = sack.value
    return SackColumns(np.array([row]), np.array([len(sack.value) // 2]), edges)
