"""What BPF read of each call's memory, given to the calls that tracefs told of.

Both tell of every call that has pointers, and a thread makes one after another, so that the k-th
belongs to the k-th. Only a call that has not returned may have nothing read yet. Where one of
them has lost some the calls' numbers show it; then only those are given theirs that alone were
entered, or returned, at the time that both tell.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from lab.kernel.trace.tracefs.calls import Call, Entry, Thread
from lab.records import Memory

MemoryFields = tuple[int, str, bool, bytes, int]
"""The fields of a records.Memory, in their order."""
PeekFields = tuple[int, int, bool, tuple[MemoryFields, ...]]
"""A call's number, when it was read, whether that was at its exit, and what its pointers pointed
to."""

SAME_NS = 5_000
"""Both instruments run one after the other at a call's entry and exit, a microsecond apart."""


def give_memory(threads: Iterable[Thread], peeked: Mapping[int, Sequence[PeekFields]]) -> None:
    """Set the memory of the threads' calls. `peeked` is by the trace's numbers of threads."""
    entries: dict[int, list[Entry]] = {}
    for thread in threads:
        # A number that is used again has the calls of both threads in their order.
        entries.setdefault(thread.tid, []).extend(thread.entries)
    for tid, entered in entries.items():
        peeks = peeked.get(tid, ())
        if _are_of(peeks, entered):
            for (_, _, call), peek in zip(entered, peeks, strict=False):
                _give(call, peek)
        else:
            _give_by_time(entered, peeks)


def _are_of(peeks: Sequence[PeekFields], entered: Sequence[Entry]) -> bool:
    """Whether they are of all of these calls, or of all but the last, which has not returned."""
    numbers = [peek[0] for peek in peeks]
    wanted = [number for number, _, _ in entered]
    if numbers == wanted or not entered:
        return True
    last = entered[-1][2]
    return last is not None and last.exit_ns is None and numbers == wanted[:-1]


def _give_by_time(entered: Sequence[Entry], peeks: Sequence[PeekFields]) -> None:
    # One that was made again has several entries, and others that a handler made between them.
    numbers = {call: number for number, _, call in entered if call is not None}
    returned = [(numbers[call], call.exit_ns, call) for call in numbers if call.exit_ns is not None]
    returned.sort(key=itemgetter(1))
    for at_exit, moments in ((False, entered), (True, returned)):
        times = [time_ns for _, time_ns, _ in moments]
        for peek in peeks:
            first = bisect_left(times, peek[1] - SAME_NS)
            last = bisect_right(times, peek[1] + SAME_NS)
            if peek[2] == at_exit and last - first == 1 and moments[first][0] == peek[0]:
                _give(moments[first][2], peek)


def _give(call: Call | None, peek: PeekFields) -> None:
    if call is not None and peek[3]:
        call.memory = tuple(Memory(*fields) for fields in peek[3])
