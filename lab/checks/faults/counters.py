"""Checks of what the hosts' kernels counted beside what was seen on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import Note
from lab.checks.counters import check_segments
from lab.model.claim import Verdict, claim

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline

RESENT = frozenset({Note.RETRANSMISSION, Note.FIRST_COPY_NOT_CAPTURED})
COUNTER = "TcpRetransSegs"


@claim(
    "The kernel of each host counts the segments that it sends again.",
    source="RFC 4022, tcpRetransSegs; proc(5), /proc/net/snmp",
    name="counted",
)
def counts_what_it_sends_again(timeline: Timeline) -> Verdict:
    """TcpRetransSegs of each host is the number of retransmissions seen leaving it."""
    return check_segments(timeline, COUNTER, lambda segment: segment.notes & RESENT)
