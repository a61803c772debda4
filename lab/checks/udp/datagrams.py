"""The datagrams of a step beside the calls that sent and read them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of
from lab.frozen import frozen
from lab.model.claim import Verdict, broken

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

PrintedAddress = tuple[str, int]
"""Host and port, as a program prints them."""


@frozen
class Way:
    """What went from one host to another."""

    name: str
    sends: tuple[PrintedCall, ...]
    reads: tuple[PrintedCall, ...]
    datagrams: tuple[Crossing, ...]

    @property
    def is_printed(self) -> bool:
        """Whether both hosts' programs printed their part of it."""
        return bool(self.sends and self.reads)

    @property
    def evidence(self) -> list[EventId]:
        """The ids of all its events."""
        return [*(call.id for call in (*self.sends, *self.reads)), *crossing_ids(self.datagrams)]

    @property
    def is_whole(self) -> bool:
        """Whether what was sent, what arrived and what was read are cut alike.

        In any order: UDP does not promise to keep it.
        """
        sent, read = (sorted(call.data for call in calls) for calls in (self.sends, self.reads))
        return sent == sorted(arrived_payloads(self.datagrams)) == read


def both_ways(timeline: Timeline) -> list[Way]:
    """The ways between each two hosts of a step."""
    hosts = dict.fromkeys(point.host for point in timeline.recording.points)
    return [_way(timeline, near, far) for near, far in permutations(hosts, 2)]


def only_way(timeline: Timeline) -> Way:
    """The way of a step in which all is sent one way: the one with most in it."""
    return max(both_ways(timeline), key=lambda way: len(way.evidence))


def _way(timeline: Timeline, near: str, far: str) -> Way:
    between = [c for c in datagrams_of(timeline) if (c.sender, c.receiver) == (near, far)]
    return Way(
        f"{near} to {far}",
        sends_of(_calls_on(timeline, near)),
        reads_of(_calls_on(timeline, far)),
        tuple(between),
    )


def _calls_on(timeline: Timeline, host: str) -> list[PrintedCall]:
    runs = (run for run in timeline.programs if run.host == host)
    return [call for run in runs for call in timeline.calls[run.name]]


def datagrams_of(timeline: Timeline) -> list[Crossing]:
    """The crossings with UDP; of a fragmented datagram the one that makes it whole."""
    return [crossing for crossing in timeline.crossings if crossing.packet.udp is not None]


def arrived_payloads(datagrams: Iterable[Crossing]) -> list[bytes]:
    """What each of those brought that were not lost."""
    return [crossing.packet.payload for crossing in datagrams if not crossing.lost]


def ends_of(datagram: Crossing) -> tuple[PrintedAddress, PrintedAddress]:
    """Source and destination."""
    ip, udp = datagram.packet.ip, datagram.packet.udp
    assert ip is not None and udp is not None, "a datagram has both headers"
    return (str(ip.source), udp.source_port), (str(ip.destination), udp.destination_port)


def crossing_ids(crossings: Iterable[Crossing]) -> list[EventId]:
    """Crossings as event ids."""
    return [crossing.id for crossing in crossings]


def find_strangers(timeline: Timeline, known: Iterable[Crossing]) -> Verdict | None:
    """Broken where there is a frame that neither is known nor finds a neighbour; else None."""
    numbers = {crossing.number for crossing in known}
    strange = [
        crossing
        for crossing in timeline.crossings
        if crossing.number not in numbers and not crossing.packet.resolves_neighbour
    ]
    if not strange:
        return None
    return broken(f"{strange[0].id} is a frame with no part in it", crossing_ids(strange))
