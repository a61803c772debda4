"""Calls placed in the stream of bytes that they wrote or read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.sockets.socket_calls import is_urgent, moves_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.calls.system_call import SystemCall


class Placed(NamedTuple):
    """A call and its bytes' place, counted from the stream's first byte."""

    call: SystemCall
    start: int
    end: int
    group_start: int
    """Its bytes begin here or later: where the calls began that ran at the same time."""
    certain: bool

    @property
    def reached(self) -> int:
        """How far the stream had at least come with this call."""
        return self.group_start + self.end - self.start


def place(calls: Sequence[SystemCall]) -> list[Placed]:
    """Calls on one stream, placed by what they moved, in the order in which they did.

    Which of several calls that ran at the same time moved its bytes first is unknown. After a
    call whose bytes are unknown (out of band, several messages, never returned) so are all
    places.
    """
    placed: list[Placed] = []
    at = 0
    for group in _groups(calls):
        start = at
        for call in group:
            if is_urgent(call) or moves_unknown(call) or call.result is None:
                return placed
            if call.moved:
                placed.append(Placed(call, at, at + call.moved, start, len(group) == 1))
                at += call.moved
    return placed


def _groups(calls: Iterable[SystemCall]) -> Iterable[list[SystemCall]]:
    """The calls in order, those together that ran at the same time."""
    group: list[SystemCall] = []
    until_ns = -1
    for call in calls:
        if group and call.entry_ns >= until_ns:
            yield group
            group = []
        group.append(call)
        until_ns = max(until_ns, _end_ns(call))
    if group:
        yield group


def _end_ns(call: SystemCall) -> int:
    return call.entry_ns + (1 << 62) if call.exit_ns is None else call.exit_ns
