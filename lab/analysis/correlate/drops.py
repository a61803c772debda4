"""Drop notices joined with the frames that they are about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.correlate.correlation import Dropped
from lab.model.event import EventId, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.flows.crossing import Crossing
    from lab.records import CapturePoint, DropNotice

_STAMPS_APART_NS = 1_000_000
"""More than a frame waits, stamped, in the receiving CPU's queue before it is taken up."""

_ETHERNET_BYTES = 14

_NO_REASONS = frozenset({"NOT_SPECIFIED", "QUEUE_PURGE"})

_AFTER_USE = frozenset(
    {"TCP_OLD_DATA", "TCP_ABORT_ON_DATA", "TCP_OFOMERGE", "TCP_FASTOPEN", "QUEUE_PURGE"}
)
"""Reasons with which TCP throws away a segment whose ACK it has taken, and whose bytes it had
(tcp_data_queue), does not want any more (tcp_rcv_state_process), or has acknowledged and keeps for
a reader, when there will be none (inet_csk_destroy_sock)."""

_NOT_TCPS = frozenset({"OTHERHOST"})
"""A frame for a hardware address that is not the host's (ip_rcv_core) was never its TCP's to take.
Who has a part in that connection has it by a packet socket, which gets the frame before."""

_COMPARED_BYTES = 40
"""Of what comes behind the network header: more than any transport header has without options."""

_FRAGMENT_HEADER, _FRAGMENT_HEADER_BYTES = 44, 8

_Kind = tuple[str, int]
"""The interface's name and the length from the network header on."""


def join_drops(
    notices: Iterable[DropNotice], crossings: Iterable[Crossing], points: Iterable[CapturePoint]
) -> tuple[Dropped, ...]:
    """The notices that are about a frame that was seen arriving, and which.

    A notice that has the packet's first bytes is about the last frame with these that had arrived
    at its host and interface before the drop. One without them has the time of arrival: it is
    about the frame of its length that arrived at an interface of that name before the drop, and
    whose stamp is nearest to that time, within 1 ms. A capture's stamp is made when a frame is
    queued for its receiver, or where that is not done (of TCP's segments, seen in 6.18) when the
    capture gets it; the notice's time of arrival in between. No two notices are about one frame.
    A notice of a TCP segment without bytes that gives no reason is left out.
    """
    notices = tuple(notices)
    if not notices:
        return ()
    by_number = {crossing.number: crossing for crossing in crossings}
    points = tuple(points)
    by_time = [notice for notice in notices if not notice.packet]
    # Of a run with many frames nearly none is dropped: those are looked at that may be.
    arrivals = _arrivals(by_number.values(), points) if by_time else {}
    contents = _Contents(by_number.values(), points, [each for each in notices if each.packet])
    joined: list[Dropped] = []
    for notice in notices:
        number = contents.take(notice) if notice.packet else _take(arrivals, notice)
        if number is not None and not _is_used_up(notice, by_number[number]):
            drop = EventId(EventKind.DROP, len(joined) + 1)
            joined.append(Dropped(drop, notice, by_number[number].id))
    return tuple(joined)


def find_untaken(drops: Iterable[Dropped]) -> frozenset[int]:
    """The numbers of the frames that were thrown away before TCP took anything of them."""
    taken = _AFTER_USE | _NOT_TCPS
    return frozenset(
        dropped.frame.number for dropped in drops if dropped.notice.reason not in taken
    )


class _Content(NamedTuple):
    """What distinguishes a packet, whatever the receiving kernel has changed in it.

    That puts fragments together: then the first one has the whole datagram's length, and no
    Fragment header.
    """

    host: str
    interface: str
    addresses: bytes
    transport: bytes


class _Contents:
    """Frames by what is in them, of those that any of the notices may be about."""

    def __init__(
        self,
        crossings: Iterable[Crossing],
        points: Iterable[CapturePoint],
        notices: Sequence[DropNotice],
    ) -> None:
        interfaces = {(point.host, point.link): point.interface for point in points}
        links = {point.name: point.link for point in points}
        wanted = {_content(each.host, each.interface, each.packet) for each in notices}
        hosts = {each.host for each in wanted}
        self._found: defaultdict[_Content, list[tuple[int, int, bytes]]] = defaultdict(list)
        for crossing in crossings if wanted else ():
            host, received_ns = crossing.last_seen or ("", 0)
            if host not in hosts:
                continue
            name = interfaces.get((host, links.get(crossing.arrived_point, "")))
            if name is None:
                continue
            packet = _from_network_header(crossing)
            content = _content(host, name, packet)
            if content in wanted:
                self._found[content].append((received_ns, crossing.number, packet))
        for arrivals in self._found.values():
            arrivals.sort()

    def take(self, notice: DropNotice) -> int | None:
        """The number of the frame that a notice is about, at most once; None if it is of none."""
        arrivals = self._found.get(_content(notice.host, notice.interface, notice.packet), [])
        end = bisect_right(arrivals, notice.time_ns, key=itemgetter(0))
        # The very bytes first: of a retransmission only the IP header's identification differs.
        # From the last on: there may be many thousands, and it is nearly always that one.
        same = (
            place
            for place in range(end - 1, -1, -1)
            if _are_same(arrivals[place][2], notice.packet)
        )
        return arrivals.pop(next(same, end - 1))[1] if end else None


def _from_network_header(crossing: Crossing) -> bytes:
    """A frame as it arrived, without what its link has put before."""
    last = crossing.hops[-1] if crossing.hops else crossing
    if last.head is not None:
        return last.data[_ETHERNET_BYTES:]
    frame, ip = crossing.arrived.frame, crossing.arrived.ip
    return frame.data[ip.offset if ip is not None else _ETHERNET_BYTES :]


def _are_same(one: bytes, other: bytes) -> bool:
    """As far as both are known; padding of a short frame is behind what is compared."""
    known = min(len(one), len(other))
    return one[:known] == other[:known]


def _content(host: str, interface: str, packet: bytes) -> _Content:
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        addresses, start = packet[12:20], (packet[0] & 0xF) * 4
        end = min(int.from_bytes(packet[2:4], "big"), start + _COMPARED_BYTES)
    elif version == 6:
        fragment = packet[6] == _FRAGMENT_HEADER if len(packet) > 6 else False
        addresses, start = packet[8:40], 40 + fragment * _FRAGMENT_HEADER_BYTES
        end = min(40 + int.from_bytes(packet[4:6], "big"), start + _COMPARED_BYTES)
    else:
        addresses, start, end = b"", 0, 28  # ARP
    return _Content(host, interface, addresses, packet[start:end])


def _arrivals(
    crossings: Iterable[Crossing], points: Iterable[CapturePoint]
) -> dict[_Kind, list[tuple[int, int]]]:
    """Time and number of each frame that arrived, by the fields that a drop notice has too."""
    interfaces = {(point.host, point.link): point.interface for point in points}
    links = {point.name: point.link for point in points}
    found: defaultdict[_Kind, list[tuple[int, int]]] = defaultdict(list)
    for crossing in crossings:
        frame = crossing.arrived.frame
        host, received_ns = crossing.last_seen or ("", 0)
        name = interfaces.get((host, links.get(frame.point, "")))
        if name is not None:
            ip = crossing.arrived.ip
            length = frame.wire_bytes - (ip.offset if ip is not None else _ETHERNET_BYTES)
            found[name, length].append((received_ns, crossing.number))
    for arrivals in found.values():
        arrivals.sort()
    return found


def _take(arrivals: dict[_Kind, list[tuple[int, int]]], notice: DropNotice) -> int | None:
    if notice.arrived_ns is None:
        return None
    here = arrivals.get((notice.interface, notice.length), [])
    near = bisect_left(here, (notice.arrived_ns, 0))
    # The nearest of those before it, and of those behind it, if it came before the drop.
    places = [place for place in (near - 1, near) if 0 <= place < len(here)]
    apart = {
        abs(here[place][0] - notice.arrived_ns): place
        for place in places
        if here[place][0] <= notice.time_ns
    }
    nearest_ns = min(apart, default=_STAMPS_APART_NS + 1)
    return here.pop(apart[nearest_ns])[1] if nearest_ns <= _STAMPS_APART_NS else None


def _is_used_up(notice: DropNotice, crossing: Crossing) -> bool:
    """Whether the kernel has only thrown away what it had taken in.

    Linux frees an ACK, SYN or RST that it has processed by the same function as one that it
    drops, and then gives no reason (tcp_rcv_state_process, seen in 6.18); a FIN it keeps in the
    queue that goes with its socket.
    """
    tcp = crossing.packet.tcp
    return notice.reason in _NO_REASONS and tcp is not None and not tcp.payload_bytes
