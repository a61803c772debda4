"""Checks of what the hosts' kernels counted beside what was seen on the wire."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import Note
from lab.model.claim import Verdict, claim, first_of, holds, undecided

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

RESENT = frozenset({Note.RETRANSMISSION, Note.FIRST_COPY_NOT_CAPTURED})
COUNTER = "TcpRetransSegs"


@claim(
    "The kernel of each host counts the segments that it sends again.",
    source="RFC 4022, tcpRetransSegs; proc(5), /proc/net/snmp",
    name="counted",
)
def counts_what_it_sends_again(timeline: Timeline) -> Verdict:
    """TcpRetransSegs of each host is the number of retransmissions seen leaving it.

    Two witnesses of one thing: where they differ, one of the two is wrong, and nobody knows which.
    """
    resent: defaultdict[str, list[EventId]] = defaultdict(list)
    for talk in timeline.conversations:
        for segment in talk.segments:
            crossing = timeline.crossing_of[segment.crossing]
            if crossing.is_made:
                continue
            frames = resent[crossing.sender]
            if segment.notes & RESENT:
                frames.append(crossing.id)
    said: list[str] = []
    for host, of_host in resent.items():
        counted = timeline.counters(host)[COUNTER]
        if counted is None:
            return undecided(f"{COUNTER} of {host} was not read", of_host)
        if counted != len(of_host):
            return undecided(
                f"{host} was seen to send {len(of_host)} segments again; its kernel counted "
                f"{counted} ({COUNTER}): the capture or the counter is wrong",
                of_host,
            )
        said.append(f"{host} {counted}")
    evidence = [frame for of_host in resent.values() for frame in of_host]
    if not evidence:
        return undecided("no segment was sent again")
    return holds(f"{COUNTER} is {first_of(said)}, as seen", evidence)
