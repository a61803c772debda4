"""Of which call's outcome a look at a unix socket's receive queue tells."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.system_call import SystemCall
    from lab.records import QueueSample


class QueueSeen(NamedTuple):
    """What was left to read in a unix socket, and when in the program's own story."""

    sample: QueueSample
    call: SystemCall
    """The one that had just returned: it read from the socket, or accepted it."""

    @property
    def socket(self) -> str:
        """The endpoint's id."""
        return self.call.made[0] if self.call.made else self.call.socket


def find_queues(
    samples: Iterable[QueueSample], calls: Iterable[SystemCall]
) -> tuple[QueueSeen, ...]:
    """The samples in order of time, each with the last call that its thread returned from.

    Those without one are left out: their calls were not recorded.
    """
    returned: defaultdict[int, list[tuple[int, SystemCall]]] = defaultdict(list)
    for call in calls:
        if call.exit_ns is not None:
            returned[call.tid].append((call.exit_ns, call))
    for of_thread in returned.values():
        of_thread.sort(key=_exit_ns)
    seen: list[QueueSeen] = []
    for sample in sorted(samples, key=lambda sample: sample.time_ns):
        of_thread = returned[sample.tid]
        at = bisect_right(of_thread, sample.time_ns, key=_exit_ns)
        if at:
            seen.append(QueueSeen(sample, of_thread[at - 1][1]))
    return tuple(seen)


def _exit_ns(returned: tuple[int, SystemCall]) -> int:
    return returned[0]
