"""The events of a step, and which of them is the cause of which."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.correlate.kernel_channels import is_kernel_stream
from lab.analysis.order.connection_causes import link_connections, link_states
from lab.analysis.order.graph import EventGraph
from lab.analysis.sockets.socket_calls import ends_stream
from lab.records import Obtained

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel, Joins
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.order.events import Order
    from lab.records import QueueSample, SocketState

SLACK_NS = 1_000
"""Tracepoints and captures have one clock, and stamp within a fraction of a microsecond of what
they tell of."""

PTRACE_SLACK_NS = 20_000
"""A tracer takes its times while the program stands still: so long before a call begins to work
and after it has done."""


def order_events(evidence: Evidence, joins: Joins, slack_ns: int = SLACK_NS) -> Order:
    """All events of a step in the order in which they can have happened.

    Causes come before effects: a thread's calls one after another; a frame's departure before
    its arrival; a call's entry before what it did; what a call waited for before its exit. Only
    what follows from what was seen is a cause: an effect found before it is a violation.
    """
    graph = EventGraph(evidence)
    _link_threads(graph, evidence)
    for frame in evidence.crossings:
        graph.link(graph.departures.get(frame), graph.arrivals.get(frame))
    link_connections(graph, evidence, joins)
    link_states(graph, evidence, joins)
    for channel in joins.channels:
        _link_bytes(graph, channel)
    _link_kernel_streams(graph, evidence)
    for dropped in evidence.drops:
        graph.link(graph.arrivals.get(dropped.frame), graph.drops.get(dropped.id))
    return graph.sort(slack_ns)


def _link_threads(graph: EventGraph, evidence: Evidence) -> None:
    """A thread's entries and exits, one after the other."""
    latest: dict[tuple[str, int], SystemCall] = {}
    for call in evidence.system_calls:
        graph.link(graph.entries[call.id], graph.exits.get(call.id))
        before = latest.get((call.program, call.tid))
        if before is not None and _is_within(call, before):
            graph.link(graph.entries[before.id], graph.entries[call.id])
            graph.link(graph.exits[call.id], graph.exits[before.id])
            continue
        if before is not None:
            end = graph.exits.get(before.id, graph.entries[before.id])
            graph.link(end, graph.entries[call.id])
        latest[call.program, call.tid] = call
    _link_samples(graph, evidence)


def _is_within(call: SystemCall, outer: SystemCall) -> bool:
    """Whether a call was made by a signal's handler, while the thread's own one was restarted.

    Source: signal(7), "Interruption of system calls and library functions by signal handlers".
    """
    if call.exit_ns is None or outer.exit_ns is None:
        return False
    return outer.entry_ns < call.entry_ns and call.exit_ns < outer.exit_ns


def _link_samples(graph: EventGraph, evidence: Evidence) -> None:
    """Samples between a thread's events: it stood still while its socket was asked."""
    sampled: list[tuple[SocketState | QueueSample, int]] = [
        (seen.state, place)
        for seen, place in zip(evidence.states, graph.states, strict=True)
        if seen.state.obtained is Obtained.SAMPLED
    ]
    queues = zip(evidence.queues, graph.queues, strict=True)
    sampled += [(seen.sample, place) for seen, place in queues]
    if not sampled:
        return
    threads: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for call in evidence.system_calls:
        for places in (graph.entries, graph.exits):
            if call.id in places:
                place = places[call.id]
                threads[call.tid].append((graph.time_ns(place), place))
    for events in threads.values():
        events.sort()
    for sample, place in sampled:
        events = threads[sample.tid]
        at = bisect_right(events, (sample.time_ns, place))
        graph.link(events[at - 1][1] if at else None, place)
        graph.link(place, events[at][1] if at < len(events) else None)


def _link_bytes(graph: EventGraph, channel: Channel) -> None:
    """What was sent, after the call that sent it; a read's return, after what it returned."""
    has_wire = channel.carried is not None
    certain = {part.call for part in channel.read_parts if part.certain}
    for part in channel.parts:
        if not part.certain:
            continue
        entry = graph.entries.get(part.call)
        for segment in part.segments:
            graph.link(entry, graph.departures.get(segment))
        for reader in () if has_wire else part.reads:
            graph.link(entry, graph.exits.get(reader) if reader in certain else None)
    for read in channel.read_parts:
        if read.segment is not None:
            graph.link(graph.arrivals.get(read.segment), graph.exits.get(read.call))


def _link_kernel_streams(graph: EventGraph, evidence: Evidence) -> None:
    """Unix sockets and pipes: the end of a stream after what ended it, accept after connect."""
    for endpoint in evidence.endpoints.values():
        if not endpoint.peer or not is_kernel_stream(endpoint):
            continue
        ender = evidence.calls.ends_sending(endpoint.peer)
        for read in evidence.calls.reads(endpoint.id) if ender is not None else ():
            stopped = evidence.calls.stopped_reading(endpoint.id, read.exit_ns or 0)
            if ender is not None and ends_stream(read) and not stopped:
                graph.link(graph.entries[ender.id], graph.exits.get(read.id))
        if endpoint.listener and endpoint.protocol == "unix":
            connect = next(
                (c for c in evidence.calls.on(endpoint.peer) if c.name == "connect"), None
            )
            if connect is not None and not connect.error:
                graph.link(graph.entries[connect.id], graph.exits.get(endpoint.made_by))
