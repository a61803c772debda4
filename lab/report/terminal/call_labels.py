"""What stands before a call's name: its number, whose it is, and on which connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.timeline import Timeline
from lab.model.event import EventId
from lab.report.terminal.sides import Sides


@dataclass(frozen=True, slots=True)
class CallLabel:
    """A call's number, and whose it is where its side has several programs or threads."""

    number: int
    program: str = ""
    thread: int | None = None

    @property
    def owner(self) -> str:
        """ "client[7]", "client", "[7]" or ""."""
        return self.program + ("" if self.thread is None else f"[{self.thread}]")

    def __str__(self) -> str:
        """ "#4", "client[7]#4"."""
        return f"{self.owner}#{self.number}"


def call_labels(calls: Sequence[SystemCall], sides: Sides) -> dict[EventId, CallLabel]:
    """By the calls' ids."""
    labels: dict[EventId, CallLabel] = {}
    for on_right in (False, True):
        here = [call for call in calls if (call.id in sides.calls) is on_right]
        threads = {program: set[int]() for program in dict.fromkeys(call.program for call in here)}
        for call in here:
            threads[call.program].add(call.tid)
        for call in here:
            program = call.program if len(threads) > 1 else ""
            thread = call.tid if len(threads[call.program]) > 1 else None
            labels[call.id] = CallLabel(call.id.number, program, thread)
    return labels


class ConnectionTags:
    """Which connection a call acts upon, told by the client's port as beside frames: "49356: "."""

    def __init__(self, timeline: Timeline) -> None:
        """A step with one connection has no tags."""
        ports = {
            each.flow.id: each.flow.a.port
            for each in timeline.conversations
            if len(timeline.conversations) > 1
        }
        self._tag_of = {
            endpoint.id: f"{ports[endpoint.flow]}: "
            for endpoint in timeline.endpoints
            if endpoint.flow is not None and endpoint.flow in ports
        }

    def of(self, call: SystemCall, is_over: bool) -> str:
        """That of the call's socket, or of the one that it made, once it has; else ""."""
        made = call.made[0] if is_over and call.made else ""
        return self._tag_of.get(made) or self._tag_of.get(call.socket, "")
