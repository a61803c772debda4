"""What tracing adds to report.json: system calls, states, queues, drops, order and joins."""

from __future__ import annotations

from typing import Any

from lab.analysis.calls.system_call import Endpoint, SystemCall
from lab.analysis.correlate.correlation import Channel
from lab.analysis.sockets.unix_queues import QueueSeen
from lab.analysis.timeline import Timeline
from lab.records import DropNotice, SocketState

Document = dict[str, Any]


def trace_events(timeline: Timeline) -> list[Document]:
    """System calls, TCP states, unix sockets' queues and drops, each kind in order of time."""
    frame_of = {joined.drop: f"f{joined.crossing}" for joined in timeline.joins.dropped}
    return [
        *map(_system_call, timeline.system_calls),
        *(_state(number, state) for number, state in enumerate(timeline.states, 1)),
        *(_queue(number, queue) for number, queue in enumerate(timeline.queues, 1)),
        *(
            _drop(number, drop, frame_of.get(number))
            for number, drop in enumerate(timeline.drops, 1)
        ),
    ]


def _system_call(call: SystemCall) -> Document:
    return {
        "id": call.id,
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


def _state(number: int, state: SocketState) -> Document:
    return {
        "id": f"state {number}",
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


def _queue(number: int, queue: QueueSeen) -> Document:
    sample = queue.sample
    return {
        "id": f"queue {number}",
        "kind": "queue",
        "obtained": "sampled",
        "time_ns": sample.time_ns,
        "call": queue.call.id,
        "socket": queue.socket or None,
        "type": sample.type,
        "unread_bytes": sample.unread_bytes,
        "tid": sample.tid,
    }


def _drop(number: int, drop: DropNotice, frame: str | None) -> Document:
    return {
        "id": f"drop {number}",
        "kind": "drop",
        "obtained": "measured",
        "time_ns": drop.time_ns,
        "reason": drop.reason,
        "interface": drop.interface or None,
        "length": drop.length,
        "frame": frame,
    }


def order_of(timeline: Timeline) -> list[Document]:
    """The moments in their order, whose times the events have.

    A "concurrent" one may have come before the one above it.
    """
    return [
        {
            "event": moment.event,
            "moment": moment.kind.value,
            "host": moment.host,
            "concurrent": place in timeline.order.concurrent,
        }
        for place, moment in enumerate(timeline.order.moments)
    ]


def endpoint_document(endpoint: Endpoint) -> Document:
    """A socket or a pipe's end; its fields, with null for what is not known."""
    fields: Document = {name: getattr(endpoint, name) for name in endpoint.__slots__}
    return {name: None if value == "" else value for name, value in fields.items()}


def joins_document(timeline: Timeline) -> Document:
    """How calls and frames belong together, by the ids of events."""
    joins = timeline.joins
    return {
        "channels": list(map(_channel, joins.channels)),
        "connects": [{"call": call, "flow": flow} for call, flow in joins.connects],
        "accepts": [
            {
                "call": accepted.call,
                "flow": accepted.flow,
                "ack": f"f{accepted.ack}",
                "waited_ns": accepted.waited_ns,
                "was_waiting": accepted.was_waiting,
            }
            for accepted in joins.accepted
        ],
        "closes": [
            {
                "call": closed.call or None,
                "endpoint": closed.endpoint,
                "segment": f"f{closed.segment}",
            }
            for closed in joins.closed
        ],
        "remarks": [{"event": event, "remark": remark} for event, remark in joins.remarks],
    }


def _channel(channel: Channel) -> Document:
    return {
        "sender": channel.sender or None,
        "receiver": channel.receiver or None,
        "flow": channel.flow or None,
        "told": channel.told,
        "sent": channel.sent,
        "carried": channel.carried,
        "read": channel.read,
        "sends": channel.sends,
        "segments": channel.segments,
        "reads": channel.reads,
        "uncounted": channel.uncounted or None,
        "parts": [
            {
                "call": part.call,
                "start": part.start,
                "end": part.end,
                "segments": [f"f{number}" for number in part.segments],
                "reads": list(part.reads),
                "certain": part.certain,
            }
            for part in channel.parts
        ],
    }
