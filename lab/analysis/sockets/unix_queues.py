"""Samples of unix sockets' receive queues, each with the call after which it was taken."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lab.model.event import EventId, EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.analysis.calls.system_call import SystemCall
    from lab.records import QueueSample, Syscall, Trace

_ACCEPTING = frozenset({"accept", "accept4"})


class QueueSeen(NamedTuple):
    """What was left to read in a unix socket, and when in its program's own story."""

    id: EventId
    sample: QueueSample
    call: SystemCall
    """The one that had just returned: it read from the socket, or accepted it."""

    @property
    def socket(self) -> str:
        """The endpoint's id; "" if unknown."""
        return self.call.made[0] if self.call.made else self.call.socket


def find_queues(trace: Trace, decoded: Sequence[SystemCall]) -> tuple[QueueSeen, ...]:
    """A trace's samples in order of time, each with the call that its thread returned from.

    `decoded` are the trace's calls. A sample whose call the trace does not have is left out.
    """
    returned: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, call in enumerate(trace.syscalls if trace.queues else ()):
        if call.exit_ns is not None:
            returned[call.tid].append((call.exit_ns, place))
    for exits in returned.values():
        exits.sort()
    seen: list[QueueSeen] = []
    for sample in sorted(trace.queues, key=lambda sample: sample.time_ns):
        exits = returned[sample.tid]
        at = bisect_right(exits, (sample.time_ns, len(decoded)))
        for _, place in exits[max(at - 1, 0) : at]:
            if _belongs_to(sample, trace.syscalls[place], decoded[place]):
                number = EventId(EventKind.QUEUE, len(seen) + 1)
                seen.append(QueueSeen(number, sample, decoded[place]))
    return tuple(seen)


def _belongs_to(sample: QueueSample, call: Syscall, decoded: SystemCall) -> bool:
    """Whether the call accepted the socket, or was on it."""
    return bool(decoded.made) if call.name in _ACCEPTING else call.socket == sample.socket
