"""What tracing adds to report.json: calls, states, queues, drops, order and correlation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.causes.find import find_causes
from lab.analysis.correlate.correlation import Channel, Dropped
from lab.analysis.flows.strikes import Struck
from lab.analysis.order.events import EventPart
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.states import StateSeen
from lab.analysis.sockets.unix_queues import QueueSeen
from lab.analysis.timeline import Timeline
from lab.records import HeldSocket
from lab.report.document.ids import (
    Document,
    event_reference,
    event_references,
    known_event,
)


def trace_events(timeline: Timeline) -> Iterator[Document]:
    """Calls, TCP states, unix sockets' queues, drops and strikes, each kind in order of time."""
    yield from map(_system_call, timeline.system_calls)
    yield from map(_state, timeline.states)
    yield from map(_queue, timeline.queues)
    yield from map(_drop, timeline.drops)
    yield from map(_strike, timeline.struck)


def _system_call(call: SystemCall) -> Document:
    return {
        "id": event_reference(call.id),
        "obtained": "measured",
        "program": call.program,
        "host": call.host,
        "pid": call.pid,
        "tid": call.tid,
        "name": call.name,
        "arguments": {argument.name: argument.text for argument in call.arguments},
        "entry_ns": call.entry_ns,
        "exit_ns": call.exit_ns,
        "result": call.result,
        "error": call.error or None,
        "moved": call.moved,
        "descriptor": call.descriptor,
        "socket": call.socket or None,
        "made": list(call.made),
        "ring": (call.ring.operation or None) if call.ring is not None else None,
        # As in Python's source: printable ASCII as it is, every other byte by its number.
        "data": repr(call.data)[2:-1],
    }


def _state(seen: StateSeen) -> Document:
    state = seen.state
    return {
        "id": event_reference(seen.id),
        "obtained": state.obtained.value,
        "time_ns": state.time_ns,
        "socket": state.socket,
        "old": state.old or None,
        "new": state.new,
        "local": [state.local_address, state.local_port],
        "remote": [state.remote_address, state.remote_port],
        "tid": state.tid,
    }


def _queue(queue: QueueSeen) -> Document:
    sample = queue.sample
    return {
        "id": event_reference(queue.id),
        "obtained": "sampled",
        "time_ns": sample.time_ns,
        "call": event_reference(queue.call.id),
        "socket": queue.socket or None,
        "type": sample.type,
        "unread_bytes": sample.unread_bytes,
        "tid": sample.tid,
    }


def _drop(drop: Dropped) -> Document:
    notice = drop.notice
    return {
        "id": event_reference(drop.id),
        "obtained": "measured",
        "time_ns": notice.time_ns,
        "reason": notice.reason,
        "interface": notice.interface or None,
        "length": notice.length,
        "frame": event_reference(drop.frame),
    }


def _strike(struck: Struck) -> Document:
    return {
        "id": event_reference(struck.id),
        "obtained": "measured",
        "time_ns": struck.strike.time_ns,
        "rule": struck.rule.text,
        "link": struck.rule.link,
        "action": struck.rule.action,
        "what": struck.text,
        "frame": known_event(struck.frame),
        "made": event_references(struck.made),
        "delay_ns": struck.strike.delay_ns,
    }


def order_of(timeline: Timeline) -> Iterator[Document]:
    """What happened in its order, whose times the events have.

    A "concurrent" one may have come before the one above it.
    """
    names = {part: part.value for part in EventPart}
    concurrent = timeline.order.concurrent
    for place, event in enumerate(timeline.order.events):
        yield {
            "event": event_reference(event.id),
            "part": names[event.part],
            "host": event.host,
            "concurrent": place in concurrent,
        }


def endpoint_document(endpoint: Endpoint) -> Document:
    """A socket or a pipe's end; its fields, with null for what is unknown."""
    found: Document = {each.name: getattr(endpoint, each.name) for each in fields(endpoint)}
    for name in ("local", "remote", "flow"):
        found[name] = _text(found[name])
    found["made_by"] = known_event(endpoint.made_by)
    return {name: None if value == "" else value for name, value in found.items()}


def held_document(held: HeldSocket) -> Document:
    """A socket as its kernel held it; null for what is unknown."""
    found: Document = {each.name: getattr(held, each.name) for each in fields(held)}
    for end in ("local", "remote"):
        found[end] = [found.pop(f"{end}_address"), found.pop(f"{end}_port")]
    info = held.info
    if info is not None:
        found["info"] = {each.name: getattr(info, each.name) for each in fields(info)}
    found["holders"] = [{"pid": each.pid, "command": each.command} for each in held.holders]
    for name in ("host", "socket"):
        found[name] = found[name] or None
    return found


def correlation_document(timeline: Timeline) -> Document:
    """How calls and frames belong together."""
    correlation = timeline.correlation
    return {
        "channels": list(map(_channel, correlation.channels)),
        "connects": [
            {"call": event_reference(call), "flow": str(flow)}
            for call, flow in correlation.connects
        ],
        "accepts": [
            {
                "call": event_reference(accepted.call),
                "flow": str(accepted.flow),
                "ack": event_reference(accepted.ack),
                "waited_ns": accepted.waited_ns,
                "was_waiting": accepted.was_waiting,
            }
            for accepted in correlation.accepted
        ],
        "closes": [
            {
                "call": known_event(closed.call),
                "endpoint": closed.endpoint,
                "segment": event_reference(closed.segment),
            }
            for closed in correlation.closed
        ],
        "refusals": [
            {"call": event_reference(refusal.call), "frame": event_reference(refusal.frame)}
            for refusal in correlation.refusals
        ],
        "remarks": [
            {"event": event_reference(event), "remark": remark}
            for event, remark in correlation.remarks
        ],
    }


def cause_documents(timeline: Timeline) -> Iterator[Document]:
    """Why what surprised went so, the most surprising first."""
    for cause in find_causes(timeline):
        yield {
            "name": cause.name,
            "text": cause.text,
            "about": cause.about,
            "times": cause.times,
            "certain": cause.is_certain,
            "decided_by": cause.decided_by or None,
            "source": cause.source,
            "evidence": event_references(cause.evidence),
            "counters": [
                {"host": each.host, "name": each.name, "change": each.change}
                for each in cause.counters
            ],
        }


def _channel(channel: Channel) -> Document:
    return {
        "sender": channel.sender or None,
        "receiver": channel.receiver or None,
        "flow": _text(channel.flow),
        "summary": channel.counts,
        "sent": channel.sent,
        "carried": channel.carried,
        "read": channel.read,
        "sends": channel.sends,
        "segments": channel.segments,
        "reads": channel.reads,
        "uncounted": known_event(channel.uncounted),
        "parts": [
            {
                "call": event_reference(part.call),
                "start": part.start,
                "end": part.end,
                "segments": event_references(part.segments),
                "reads": event_references(part.reads),
                "certain": part.certain,
            }
            for part in channel.parts
        ],
        "read_parts": [
            {
                "call": event_reference(part.call),
                "start": part.start,
                "end": part.end,
                "segment": known_event(part.segment),
                "certain": part.certain,
            }
            for part in channel.read_parts
        ],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
