"""Drop notices joined with the frames that they are about."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.correlate.correlation import Dropped
from lab.model.event import EventId, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.flows.crossing import Crossing
    from lab.records import CapturePoint, DropNotice

_STAMPS_APART_NS = 1_000_000
"""More than a frame waits, stamped, in the receiving CPU's queue before it is taken up."""

_ETHERNET_BYTES = 14

_NO_REASONS = frozenset({"NOT_SPECIFIED", "QUEUE_PURGE"})

_Kind = tuple[str, int]
"""The interface's name and the length from the network header on."""


def join_drops(
    notices: Iterable[DropNotice], crossings: Iterable[Crossing], points: Iterable[CapturePoint]
) -> tuple[Dropped, ...]:
    """The notices that are about a frame that was seen arriving, and which.

    That is, of the frames of the notice's length that arrived at an interface of that name before
    the drop, the one whose stamp is nearest to the notice's time of arrival, within 1 ms, and
    that no other notice is about. A capture's stamp is made when a frame is queued for its
    receiver, or where that is not done (of TCP's segments, seen in 6.18) when the capture gets
    it; the notice's time of arrival in between. A notice of a TCP segment without bytes that
    gives no reason is left out.
    """
    by_number = {crossing.number: crossing for crossing in crossings}
    arrivals = _arrivals(by_number.values(), points)
    joined: list[Dropped] = []
    for notice in notices:
        number = _take(arrivals, notice)
        if number is not None and not _is_used_up(notice, by_number[number]):
            drop = EventId(EventKind.DROP, len(joined) + 1)
            joined.append(Dropped(drop, notice, by_number[number].id))
    return tuple(joined)


def _arrivals(
    crossings: Iterable[Crossing], points: Iterable[CapturePoint]
) -> dict[_Kind, list[tuple[int, int]]]:
    """Time and number of each frame that arrived, by the fields that a drop notice has too."""
    interfaces = {(point.host, point.link): point.interface for point in points}
    links = {point.name: point.link for point in points}
    found: defaultdict[_Kind, list[tuple[int, int]]] = defaultdict(list)
    for crossing in crossings:
        frame = crossing.packet.frame
        name = interfaces.get((crossing.receiver, links.get(frame.point, "")))
        if crossing.received_ns is not None and name is not None:
            ip = crossing.packet.ip
            length = frame.wire_bytes - (ip.offset if ip is not None else _ETHERNET_BYTES)
            found[name, length].append((crossing.received_ns, crossing.number))
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
