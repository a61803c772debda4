"""Rows of system calls, and what stands before a call's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from lab.analysis.calls.call_text import brings_more, entered, returned
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.flows.flow import FlowId
from lab.analysis.sockets.endpoint import Endpoint
from lab.ladder.model import CallLabel, CallRow, Part
from lab.model.event import EventId

EXPECTED_ERRORS = frozenset({("getpeername", "ENOTCONN"), ("shutdown", "ENOTCONN")})
"""By call and error: Python asks every socket that it gives up for its peer, and who shuts down
what the peer has closed is no worse for it."""


def call_labels(
    calls: Sequence[SystemCall], lane_of: Callable[[SystemCall], int]
) -> dict[EventId, CallLabel]:
    """By the calls' ids."""
    labels: dict[EventId, CallLabel] = {}
    lanes: dict[int, list[SystemCall]] = {}
    for call in calls:
        lanes.setdefault(lane_of(call), []).append(call)
    for here in lanes.values():
        threads = {program: set[int]() for program in dict.fromkeys(call.program for call in here)}
        for call in here:
            threads[call.program].add(call.tid)
        for call in here:
            program = call.program if len(threads) > 1 else ""
            thread = call.tid if len(threads[call.program]) > 1 else None
            labels[call.id] = CallLabel(call.id.number, program, thread)
    return labels


class CallRows:
    """Makes the rows of one step's calls."""

    def __init__(
        self,
        labels: Mapping[EventId, CallLabel],
        lane_of: Callable[[SystemCall], int],
        endpoints: Sequence[Endpoint] = (),
        connections: Mapping[FlowId, str] = MappingProxyType({}),
    ) -> None:
        """`connections` are the ports that distinguish connections, by flow."""
        self._labels = labels
        self._lane_of = lane_of
        self._connection_of = {
            endpoint.id: connections[endpoint.flow]
            for endpoint in endpoints
            if endpoint.flow is not None and endpoint.flow in connections
        }

    def row(self, call: SystemCall, part: Part, time_ns: int, is_concurrent: bool) -> CallRow:
        """A call, or one end of it."""
        is_over = part is not Part.START
        match part:
            case Part.START:
                text = entered(call)
            case Part.END:
                text = returned(call)
            case Part.WHOLE:
                text = call.text
        has_ended = is_over and call.exit_ns is not None
        return CallRow(
            event=call.id,
            lane=self._lane_of(call),
            part=part,
            time_ns=time_ns,
            is_concurrent=is_concurrent,
            label=self._labels[call.id],
            name=call.title,
            connection=self._connection(call, is_over),
            text=text,
            result=call.returned if is_over else "",
            brings_more=is_over and brings_more(call),
            duration_ns=(call.exit_ns or 0) - call.entry_ns if has_ended else None,
            error=call.error if is_over else "",
            is_expected_error=is_over and (call.name, call.error) in EXPECTED_ERRORS,
        )

    def unfinished(self, call: SystemCall) -> CallRow:
        """The last row of a call that had not returned."""
        return CallRow(
            event=call.id,
            lane=self._lane_of(call),
            part=Part.END,
            time_ns=None,
            is_concurrent=False,
            label=self._labels[call.id],
            name=call.title,
            connection="",
            text=f"{call.title} {_not_over(call)} when its program ended",
            result="",
            brings_more=False,
            duration_ns=None,
            error="",
        )

    def _connection(self, call: SystemCall, is_over: bool) -> str:
        """That of the call's socket, or of the one that it made, once it has; else ""."""
        made = call.made[0] if is_over and call.made else ""
        return self._connection_of.get(made) or self._connection_of.get(call.socket, "")


def _not_over(call: SystemCall) -> str:
    is_operation = call.ring is not None and call.ring.operation
    return "was not seen completed" if is_operation else "had not returned"
