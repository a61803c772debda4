"""Checks of what the hosts' kernels counted of a connection's end, beside what was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Note
from lab.checks.counters import check_counted, check_segments
from lab.model.claim import Verdict, claim

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId


@claim(
    "The kernel of each host counts the RSTs that it sends.",
    source="RFC 4022, tcpOutRsts; proc(5), /proc/net/snmp",
    name="resets-counted",
)
def counts_its_resets(timeline: Timeline) -> Verdict:
    """TcpOutRsts of each host is the number of RSTs seen leaving it."""
    return check_segments(timeline, "TcpOutRsts", lambda s: s.flags & TcpFlags.RST)


@claim(
    "The kernel counts that a close threw bytes away.",
    source="Linux kernel, networking/snmp_counter.rst, TcpExtTCPAbortOnClose",
    name="unread-counted",
)
def counts_a_close_with_unread_bytes(timeline: Timeline) -> Verdict:
    """TcpExtTCPAbortOnClose of the host that sent the RST is 1, of the other 0."""
    return check_segments(timeline, "TcpExtTCPAbortOnClose", lambda s: s.flags & TcpFlags.RST)


@claim(
    "The kernel counts that SO_LINGER of 0 ended a connection.",
    source="Linux kernel, networking/snmp_counter.rst, TcpExtTCPAbortOnData",
    name="linger-counted",
)
def counts_a_close_without_lingering(timeline: Timeline) -> Verdict:
    """TcpExtTCPAbortOnData of the host that sent the RST is 1, of the other 0."""
    return check_segments(timeline, "TcpExtTCPAbortOnData", lambda s: s.flags & TcpFlags.RST)


@claim(
    "The kernel counts its probes of the closed window.",
    source="Linux kernel, net/ipv4/tcp_output.c, TcpExtTCPWinProbe",
    name="probes-counted",
)
def counts_its_probes(timeline: Timeline) -> Verdict:
    """TcpExtTCPWinProbe of each host is the number of zero-window probes seen leaving it."""
    return check_segments(
        timeline, "TcpExtTCPWinProbe", lambda s: Note.ZERO_WINDOW_PROBE in s.notes
    )


@claim(
    "The kernel of each host counts its keep-alives.",
    source="Linux kernel, networking/snmp_counter.rst, TcpExtTCPKeepAlive",
    name="keep-alives-counted",
)
def counts_its_keep_alives(timeline: Timeline) -> Verdict:
    """TcpExtTCPKeepAlive of each host is the number of keep-alives seen leaving it."""
    return check_segments(timeline, "TcpExtTCPKeepAlive", lambda s: Note.KEEP_ALIVE in s.notes)


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
    return check_counted(timeline, "TcpExtTCPAbortOnTimeout", failed)
