"""The events of a step, and which of them causes which."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.correlate.kernel_channels import is_kernel_stream
from lab.analysis.order.connection_causes import connection_edges, state_edges
from lab.analysis.order.places import place_events
from lab.analysis.order.topological import sort_events
from lab.analysis.sockets.socket_calls import ends_stream
from lab.records import Obtained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel, Correlation
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.order.events import Order
    from lab.analysis.order.places import EventPlaces, PossibleEdge
    from lab.records import QueueSample, SocketState


def order_events(evidence: Evidence, correlation: Correlation, slack_ns: int) -> Order:
    """All events of a step in the order in which they can have happened.

    Causes come before effects: a thread's calls one after another; a frame's departure before
    its arrival; a call's entry before what it did; what a call waited for before its exit. Only
    what follows from what was seen is a cause: an effect found before it is a violation.
    """
    places = place_events(evidence)
    edges = (
        (cause, effect)
        for cause, effect in _possible_edges(places, evidence, correlation)
        if cause is not None and effect is not None
    )
    return sort_events(places.events, edges, slack_ns)


def _possible_edges(
    places: EventPlaces, evidence: Evidence, correlation: Correlation
) -> Iterator[PossibleEdge]:
    yield from _thread_edges(places, evidence)
    yield from _sample_edges(places, evidence)
    for frame in evidence.crossings:
        yield places.departures.get(frame), places.arrivals.get(frame)
    yield from connection_edges(places, evidence, correlation)
    yield from state_edges(places, evidence, correlation)
    for channel in correlation.channels:
        yield from _byte_edges(places, channel)
    yield from _kernel_stream_edges(places, evidence)
    for refusal in correlation.refusals:
        yield places.arrivals.get(refusal.frame), places.exits.get(refusal.call)
    for dropped in evidence.drops:
        yield places.arrivals.get(dropped.frame), places.drops.get(dropped.id)
    yield from _strike_edges(places, evidence)


def _strike_edges(places: EventPlaces, evidence: Evidence) -> Iterator[PossibleEdge]:
    """A strike between its frame's departure and the arrivals of what it let go on."""
    for struck in evidence.struck:
        strike = places.strikes[struck.id]
        yield places.departure_of(struck.frame), strike
        yield strike, places.arrival_of(struck.frame)
        for frame in struck.made:
            yield strike, places.arrivals.get(frame)


def _thread_edges(places: EventPlaces, evidence: Evidence) -> Iterator[PossibleEdge]:
    """A thread's entries and exits, one after the other."""
    latest: dict[tuple[str, int], SystemCall] = {}
    for call in evidence.system_calls:
        yield places.entries[call.id], places.exits.get(call.id)
        if call.ring is not None and call.ring.operation:
            continue  # others are at work at the same time
        before = latest.get((call.program, call.tid))
        if before is not None and _is_within(call, before):
            yield places.entries[before.id], places.entries[call.id]
            yield places.exits[call.id], places.exits[before.id]
            continue
        if before is not None:
            end = places.exits.get(before.id, places.entries[before.id])
            yield end, places.entries[call.id]
        latest[call.program, call.tid] = call


def _is_within(call: SystemCall, outer: SystemCall) -> bool:
    """Whether a call was made by a signal's handler, while the thread's own one was restarted.

    Source: signal(7), "Interruption of system calls and library functions by signal handlers".
    """
    if call.exit_ns is None or outer.exit_ns is None:
        return False
    return outer.entry_ns < call.entry_ns and call.exit_ns < outer.exit_ns


def _sample_edges(places: EventPlaces, evidence: Evidence) -> Iterator[PossibleEdge]:
    """Samples between a thread's events: it stood still while its socket was asked."""
    sampled: list[tuple[SocketState | QueueSample, int]] = [
        (seen.state, places.states[seen.id])
        for seen in evidence.states
        if seen.state.obtained is Obtained.SAMPLED
    ]
    sampled += [(seen.sample, places.queues[seen.id]) for seen in evidence.queues]
    if not sampled:
        return
    threads: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for call in evidence.system_calls:
        threads[call.tid].append((call.entry_ns, places.entries[call.id]))
        if call.exit_ns is not None:
            threads[call.tid].append((call.exit_ns, places.exits[call.id]))
    for events in threads.values():
        events.sort()
    for sample, place in sampled:
        events = threads[sample.tid]
        at = bisect_right(events, (sample.time_ns, place))
        yield events[at - 1][1] if at else None, place
        yield place, events[at][1] if at < len(events) else None


def _byte_edges(places: EventPlaces, channel: Channel) -> Iterator[PossibleEdge]:
    """What was sent, after the call that sent it; a read's return, after what it returned."""
    has_wire = channel.carried is not None
    certain = {part.call for part in channel.read_parts if part.certain}
    for part in channel.parts:
        if not part.certain:
            continue
        entry = places.entries.get(part.call)
        for segment in part.segments:
            yield entry, places.departures.get(segment)
        for reader in () if has_wire else part.reads:
            yield entry, places.exits.get(reader) if reader in certain else None
    for read in channel.read_parts:
        if read.segment is not None:
            yield places.arrivals.get(read.segment), places.exits.get(read.call)


def _kernel_stream_edges(places: EventPlaces, evidence: Evidence) -> Iterator[PossibleEdge]:
    """Unix sockets and pipes: the end of a stream after what ended it, accept after connect."""
    for endpoint in evidence.endpoints.values():
        if not endpoint.peer or not is_kernel_stream(endpoint):
            continue
        ender = evidence.calls.ends_sending(endpoint.peer)
        for read in evidence.calls.reads(endpoint.id) if ender is not None else ():
            stopped = evidence.calls.stopped_reading(endpoint.id, read.exit_ns or 0)
            if ender is not None and ends_stream(read) and not stopped:
                yield places.entries[ender.id], places.exits.get(read.id)
        if endpoint.listener and endpoint.protocol == "unix":
            connect = next(
                (c for c in evidence.calls.on(endpoint.peer) if c.name == "connect"), None
            )
            if connect is not None and not connect.error:
                yield places.entries[connect.id], places.exits.get(endpoint.made_by)
