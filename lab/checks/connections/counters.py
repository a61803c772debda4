"""Checks of what the hosts' kernels counted of a connection's end, beside what was seen of it.

A counter is a witness beside the frames. Where the two differ, one of them is wrong, and nobody
knows which: then nothing is decided.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Note
from lab.model.claim import Verdict, claim, first_of, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId


@claim(
    "The kernel of each host counts the RSTs that it sends.",
    source="RFC 4022, tcpOutRsts; proc(5), /proc/net/snmp",
    name="resets-counted",
)
def counts_its_resets(timeline: Timeline) -> Verdict:
    """TcpOutRsts of each host is the number of RSTs seen leaving it."""
    return _counts_segments(timeline, "TcpOutRsts", lambda s: s.flags & TcpFlags.RST)


@claim(
    "The kernel counts that a close threw bytes away.",
    source="Linux kernel, networking/snmp_counter.rst, TcpExtTCPAbortOnClose",
    name="unread-counted",
)
def counts_a_close_with_unread_bytes(timeline: Timeline) -> Verdict:
    """TcpExtTCPAbortOnClose of the host that sent the RST is 1, of the other 0."""
    return _counts_segments(timeline, "TcpExtTCPAbortOnClose", lambda s: s.flags & TcpFlags.RST)


@claim(
    "The kernel counts that SO_LINGER of 0 ended a connection.",
    source="Linux kernel, networking/snmp_counter.rst, TcpExtTCPAbortOnData",
    name="linger-counted",
)
def counts_a_close_without_lingering(timeline: Timeline) -> Verdict:
    """TcpExtTCPAbortOnData of the host that sent the RST is 1, of the other 0."""
    return _counts_segments(timeline, "TcpExtTCPAbortOnData", lambda s: s.flags & TcpFlags.RST)


@claim(
    "The kernel counts its probes of the closed window.",
    source="Linux kernel, net/ipv4/tcp_output.c, TcpExtTCPWinProbe",
    name="probes-counted",
)
def counts_its_probes(timeline: Timeline) -> Verdict:
    """TcpExtTCPWinProbe of each host is the number of zero-window probes seen leaving it."""
    return _counts_segments(
        timeline, "TcpExtTCPWinProbe", lambda s: Note.ZERO_WINDOW_PROBE in s.notes
    )


@claim(
    "The kernel of each host counts its keep-alives.",
    source="Linux kernel, networking/snmp_counter.rst, TcpExtTCPKeepAlive",
    name="keep-alives-counted",
)
def counts_its_keep_alives(timeline: Timeline) -> Verdict:
    """TcpExtTCPKeepAlive of each host is the number of keep-alives seen leaving it."""
    return _counts_segments(timeline, "TcpExtTCPKeepAlive", lambda s: Note.KEEP_ALIVE in s.notes)


@claim(
    "The kernel counts the connections that it gave up since nothing answered.",
    source="Linux kernel, networking/snmp_counter.rst, TcpExtTCPAbortOnTimeout",
    name="given-up-counted",
)
def counts_what_it_gave_up(timeline: Timeline) -> Verdict:
    """TcpExtTCPAbortOnTimeout of each host is how many calls printed there failed by ETIMEDOUT."""
    failed: dict[str, list[EventId]] = {}
    for run in timeline.programs:
        calls = (call for call in timeline.calls[run.name] if call.error == "ETIMEDOUT")
        failed.setdefault(run.host, []).extend(call.id for call in calls)
    return _compare(timeline, "TcpExtTCPAbortOnTimeout", failed)


def _counts_segments(
    timeline: Timeline, counter: str, is_one: Callable[[Segment], object]
) -> Verdict:
    """Whether a counter of each host is the number of such segments seen leaving it."""
    seen: defaultdict[str, list[EventId]] = defaultdict(list)
    for talk in timeline.conversations:
        for segment in talk.segments:
            crossing = timeline.crossing_of[segment.crossing]
            # What a wire made of another one, no host has sent.
            if not crossing.is_made:
                seen[crossing.sender] += [frame_id(segment.crossing)] if is_one(segment) else []
    return _compare(timeline, counter, seen)


def _compare(timeline: Timeline, counter: str, seen: Mapping[str, Sequence[EventId]]) -> Verdict:
    """Whether a counter of each host is as much as was seen of it."""
    evidence = [event for events in seen.values() for event in events]
    said = []
    for host, events in seen.items():
        counted = timeline.counters(host)[counter]
        if counted is None:
            return undecided(f"{counter} of {host} was not read", evidence)
        if counted != len(events):
            why = f"{counter} of {host} is {counted}, and {len(events)} were seen"
            return undecided(why, evidence)
        said.append(f"{host} {counted}")
    if not evidence:
        return undecided(f"there was nothing for {counter} to count")
    return holds(f"{counter} is {first_of(said)}, as seen", evidence)
