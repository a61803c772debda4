"""Assigns the pointer arguments that BPF read to the calls that tracefs recorded.

Both record every call that has pointers, and a thread makes one after another, so that its k-th
read belongs to its k-th call. Only a call that has not returned may lack its read. If either has
lost some, the calls' numbers differ; then a read is assigned only if exactly one call was
entered, or returned, at its time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from lab.kernel.trace.tracefs.calls import Entry, FollowedCall, Thread
from lab.records import Memory

MemoryFields = tuple[int, str, bool, bytes, int]
"""The fields of a records.Memory, in their order."""
PointerFields = tuple[int, int, bool, tuple[MemoryFields, ...]]
"""The fields of a lab.kernel.trace.bpf.records.PointerArguments, in their order."""

SAME_NS = 5_000
"""Both run one after the other at a call's entry and exit, about a microsecond apart."""


def assign_memory(
    threads: Iterable[Thread], read_by_tid: Mapping[int, Sequence[PointerFields]]
) -> None:
    """Set the memory of the threads' calls. `read_by_tid` has their tids in the trace."""
    entries: dict[int, list[Entry]] = {}
    for thread in threads:
        # Threads that had the same tid one after another: their calls in order.
        entries.setdefault(thread.tid, []).extend(thread.entries)
    for tid, entered in entries.items():
        reads = read_by_tid.get(tid, ())
        if _are_of(reads, entered):
            for (_, _, call), read in zip(entered, reads, strict=False):
                _give(call, read)
        else:
            _give_by_time(entered, reads)


def _are_of(reads: Sequence[PointerFields], entered: Sequence[Entry]) -> bool:
    """Whether there is a read for each call, or for all but a last one that has not returned."""
    numbers = [read[0] for read in reads]
    wanted = [number for number, _, _ in entered]
    if numbers == wanted or not entered:
        return True
    last = entered[-1][2]
    return last is not None and last.exit_ns is None and numbers == wanted[:-1]


def _give_by_time(entered: Sequence[Entry], reads: Sequence[PointerFields]) -> None:
    # A restarted call has several entries, and a signal handler's calls may lie between them.
    numbers = {call: number for number, _, call in entered if call is not None}
    returned = [(numbers[call], call.exit_ns, call) for call in numbers if call.exit_ns is not None]
    returned.sort(key=itemgetter(1))
    for at_exit, calls in ((False, entered), (True, returned)):
        times = [time_ns for _, time_ns, _ in calls]
        for read in reads:
            first = bisect_left(times, read[1] - SAME_NS)
            last = bisect_right(times, read[1] + SAME_NS)
            if read[2] == at_exit and last - first == 1 and calls[first][0] == read[0]:
                _give(calls[first][2], read)


def _give(call: FollowedCall | None, read: PointerFields) -> None:
    if call is not None and read[3]:
        call.memory = tuple(Memory(*fields) for fields in read[3])
