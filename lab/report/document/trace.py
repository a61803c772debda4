"""What tracing adds to report.json: system calls, states, queues, drops, order and correlation."""

from __future__ import annotations

from typing import Any

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.correlation import Channel, Dropped
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.states import StateSeen
from lab.analysis.sockets.unix_queues import QueueSeen
from lab.analysis.timeline import Timeline

Document = dict[str, Any]


def trace_events(timeline: Timeline) -> list[Document]:
    """System calls, TCP states, unix sockets' queues and drops, each kind in order of time."""
    return [
        *map(_system_call, timeline.system_calls),
        *map(_state, timeline.states),
        *map(_queue, timeline.queues),
        *map(_drop, timeline.drops),
    ]


def _system_call(call: SystemCall) -> Document:
    return {
        "id": str(call.id),
        "kind": "system call",
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
        # As in Python's source: printable ASCII as it is, every other byte by its number.
        "data": repr(call.data)[2:-1],
    }


def _state(seen: StateSeen) -> Document:
    state = seen.state
    return {
        "id": str(seen.id),
        "kind": "state",
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
        "id": str(queue.id),
        "kind": "queue",
        "obtained": "sampled",
        "time_ns": sample.time_ns,
        "call": str(queue.call.id),
        "socket": queue.socket or None,
        "type": sample.type,
        "unread_bytes": sample.unread_bytes,
        "tid": sample.tid,
    }


def _drop(drop: Dropped) -> Document:
    notice = drop.notice
    return {
        "id": str(drop.id),
        "kind": "drop",
        "obtained": "measured",
        "time_ns": notice.time_ns,
        "reason": notice.reason,
        "interface": notice.interface or None,
        "length": notice.length,
        "frame": str(drop.frame),
    }


def order_of(timeline: Timeline) -> list[Document]:
    """What happened in its order, whose times the events have.

    A "concurrent" one may have come before the one above it.
    """
    return [
        {
            "event": str(event.id),
            "moment": event.part.value,
            "host": event.host,
            "concurrent": place in timeline.order.concurrent,
        }
        for place, event in enumerate(timeline.order.events)
    ]


def endpoint_document(endpoint: Endpoint) -> Document:
    """A socket or a pipe's end; its fields, with null for what is not known."""
    fields: Document = {name: getattr(endpoint, name) for name in endpoint.__slots__}
    for name in ("local", "remote", "made_by", "flow"):
        fields[name] = _text(fields[name])
    return {name: None if value == "" else value for name, value in fields.items()}


def joins_document(timeline: Timeline) -> Document:
    """How calls and frames belong together, by the ids of events."""
    correlation = timeline.correlation
    return {
        "channels": list(map(_channel, correlation.channels)),
        "connects": [{"call": str(call), "flow": str(flow)} for call, flow in correlation.connects],
        "accepts": [
            {
                "call": str(accepted.call),
                "flow": str(accepted.flow),
                "ack": str(accepted.ack),
                "waited_ns": accepted.waited_ns,
                "was_waiting": accepted.was_waiting,
            }
            for accepted in correlation.accepted
        ],
        "closes": [
            {
                "call": _text(closed.call),
                "endpoint": closed.endpoint,
                "segment": str(closed.segment),
            }
            for closed in correlation.closed
        ],
        "remarks": [
            {"event": str(event), "remark": remark} for event, remark in correlation.remarks
        ],
    }


def _channel(channel: Channel) -> Document:
    return {
        "sender": channel.sender or None,
        "receiver": channel.receiver or None,
        "flow": _text(channel.flow),
        "told": channel.counts,
        "sent": channel.sent,
        "carried": channel.carried,
        "read": channel.read,
        "sends": channel.sends,
        "segments": channel.segments,
        "reads": channel.reads,
        "uncounted": _text(channel.uncounted),
        "parts": [
            {
                "call": str(part.call),
                "start": part.start,
                "end": part.end,
                "segments": list(map(str, part.segments)),
                "reads": list(map(str, part.reads)),
                "certain": part.certain,
            }
            for part in channel.parts
        ],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
