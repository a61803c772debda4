"""Fragmented IPv4 and IPv6 datagrams made whole, in bounded memory.

What is done with overlapping fragments: over IPv4 the bytes that arrived first stay (RFC
791 leaves it open; Linux discards the datagram since 4.19). Over IPv6 the datagram is
discarded with all its fragments, those still to come too (RFC 5722; RFC 8200, 4.5);
a fragment whose bytes are all there already, and the same, is a duplicate and ignored.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable
from typing import NamedTuple

from lab.analysis.packets.fragments import REASSEMBLY_TIMEOUT_NS, way_of
from lab.analysis.packets.internet import ROUTING, dissect_ip_payload
from lab.analysis.packets.packet import Extension, Fragment, IPv4, IPv6, Packet, Payload, Tunnel
from lab.analysis.packets.walk import Enter, Walk

PENDING_LIMIT = 128
"""Datagrams waiting for fragments; of more, the longest waiting is given up.

One takes up to 64 KiB, and as much again for an adversary's 4,096 separate pieces.
"""


class _Piece(NamedTuple):
    """A fragment's place in its datagram."""

    key: Hashable
    version: int
    start: int
    data: bytes
    more: bool
    protocol: int
    """What the first fragment says begins at byte 0."""

    @property
    def end(self) -> int:
        return self.start + len(self.data)


class Reassembler:
    """Fragments seen so far at every capture point.

    Each capture point has its own: a datagram that crosses several links is reassembled
    on each of them.
    """

    def __init__(self, limit: int = PENDING_LIMIT, enter: Enter | None = None) -> None:
        self._limit = limit
        self._enter = enter
        """What enters tunnels in whole datagrams; None if they are not entered."""
        self._pending: dict[Hashable, _Pending] = {}

    def add(self, packet: Packet) -> Packet:
        """The packet, with the whole datagram's layers if it is its last missing piece.

        Packets come in order of time. A fragment that is malformed, or that the capture
        cut, takes no part.
        """
        piece = _piece_of(packet)
        if piece is None:
            return packet
        pending = self._pending_for(piece, packet.frame.time_ns)
        if pending.discarded:
            return packet
        if not pending.accept(piece):
            if piece.version == 4:
                # An identification of 16 bits comes round soon: forget this one.
                del self._pending[piece.key]
            return packet
        if not pending.complete:
            return packet
        del self._pending[piece.key]
        return _with_datagram(packet, bytes(pending.data), pending.protocol, self._enter)

    def _pending_for(self, piece: _Piece, time_ns: int) -> _Pending:
        """The datagram a piece belongs to, which may begin with it."""
        # A dict keeps the order of insertion, so that the first has waited longest.
        while self._pending:
            oldest = next(iter(self._pending))
            if time_ns - self._pending[oldest].started_ns <= REASSEMBLY_TIMEOUT_NS:
                break
            del self._pending[oldest]
        pending = self._pending.get(piece.key)
        if pending is None:
            if len(self._pending) >= self._limit:
                del self._pending[next(iter(self._pending))]
            pending = self._pending[piece.key] = _Pending(time_ns)
        return pending


class _Pending:
    """One datagram's bytes so far: `starts` and `ends` are the runs that are there."""

    __slots__ = ("data", "discarded", "ends", "protocol", "started_ns", "starts", "total")

    def __init__(self, started_ns: int) -> None:
        self.started_ns = started_ns
        self.data = bytearray()
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.total: int | None = None
        self.protocol = 0
        self.discarded = False

    @property
    def complete(self) -> bool:
        """Whether every byte from the first to the last is there."""
        return self.starts == [0] and self.ends == [self.total]

    def accept(self, piece: _Piece) -> bool:
        """Add a piece; False discards the datagram, whose fragments contradict each other."""
        missing = self._missing(piece.start, piece.end)
        overlaps = missing != [(piece.start, piece.end)]
        same = not missing and self.data[piece.start : piece.end] == piece.data
        if not self._total_agrees(piece) or (piece.version == 6 and overlaps and not same):
            self.discarded = True
            self.data.clear()
            return False
        if not piece.more:
            self.total = piece.end
        if piece.start == 0 and (missing and missing[0][0] == 0):
            self.protocol = piece.protocol
        if piece.end > len(self.data):
            self.data.extend(bytes(piece.end - len(self.data)))
        for start, end in missing:
            self.data[start:end] = piece.data[start - piece.start : end - piece.start]
        self._join(piece.start, piece.end)
        return True

    def _total_agrees(self, piece: _Piece) -> bool:
        """Whether the datagram's end is one and the same, and nothing lies past it."""
        total = piece.end if not piece.more else self.total
        if total is None:
            return True
        furthest = max(piece.end, self.ends[-1] if self.ends else 0)
        return furthest <= total and self.total in (None, total)

    def _missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of a range that no fragment has brought yet."""
        missing = []
        index = bisect_right(self.ends, start)
        while index < len(self.starts) and self.starts[index] < end:
            if self.starts[index] > start:
                missing.append((start, self.starts[index]))
            start = self.ends[index]
            index += 1
        if start < end:
            missing.append((start, end))
        return missing

    def _join(self, start: int, end: int) -> None:
        """Count a range as there, with the runs it touches."""
        low, high = bisect_left(self.ends, start), bisect_right(self.starts, end)
        if low < high:
            start, end = min(start, self.starts[low]), max(end, self.ends[high - 1])
        self.starts[low:high] = [start]
        self.ends[low:high] = [end]


def _piece_of(packet: Packet) -> _Piece | None:
    """The fragment a packet carries, if it carries one whole."""
    ip = packet.ip
    if ip is None or packet.malformed or not isinstance(packet.layers[-1], Payload):
        return None
    place = (packet.frame.point, *way_of(packet), ip.source, ip.destination)
    data = packet.payload
    if isinstance(ip, IPv4):
        fragmented = ip.more_fragments or ip.fragment_offset
        if not fragmented or len(data) != ip.total_bytes - ip.header_bytes:
            return None
        key = (*place, ip.identification, ip.protocol)
        return _Piece(key, 4, ip.fragment_offset, data, ip.more_fragments, ip.protocol)
    header = packet.layers[-2]
    if not isinstance(header, Fragment):
        return None
    whole = header.more_fragments or header.fragment_offset
    if not whole or header.offset + 8 + len(data) != ip.offset + 40 + ip.payload_bytes:
        return None
    return _Piece(
        (*place, header.identification),
        6,
        header.fragment_offset,
        data,
        header.more_fragments,
        header.next_header,
    )


def _with_datagram(packet: Packet, datagram: bytes, protocol: int, enter: Enter | None) -> Packet:
    """The last fragment's own headers, then the layers of the whole datagram."""
    ip = packet.ip
    assert ip is not None, "a fragment has an IP header"
    tunnels = sum(isinstance(layer, Tunnel) for layer in packet.layers)
    walk = Walk(datagram, enter=enter, tunnels=tunnels)
    walk.ip = ip
    version = 4 if isinstance(ip, IPv4) else 6
    dissect_ip_payload(walk, protocol, 0, len(datagram), _addresses(packet, ip), version)
    before = packet.layers[:-1]
    inner = len(before) + walk.inner if walk.inner else packet.inner
    return Packet(packet.frame, before + tuple(walk.layers), True, inner)


def _addresses(packet: Packet, ip: IPv4 | IPv6) -> bytes | None:
    """The pseudo-header's addresses; None where a routing header may have changed them."""
    if isinstance(ip, IPv4):
        return ip.source.packed + ip.final.packed
    extensions = (layer for layer in packet.own if isinstance(layer, Extension))
    if any(extension.header == ROUTING for extension in extensions):
        return None
    return ip.source.packed + ip.destination.packed
