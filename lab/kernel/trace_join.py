"""What BPF read of each call's memory, given to the calls that tracefs told of.

Both tell of every call of a thread in the order of its entries, so that the k-th belongs to the
k-th. Where one of them has lost some the calls' numbers show it; then only those are given
theirs that alone were entered at the time that both tell.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from lab.kernel.trace_calls import Call, Entry, Thread
from lab.records import Memory

MemoryFields = tuple[int, str, bool, bytes, int]
"""The fields of a records.Memory, in their order."""
PeekFields = tuple[int, int, tuple[MemoryFields, ...]]
"""A call's number, when it was entered, and what its pointers pointed to."""

SAME_NS = 5_000
"""Both instruments run one after the other at a call's entry, a microsecond apart."""


def give_memory(threads: Iterable[Thread], peeked: Mapping[int, Sequence[PeekFields]]) -> None:
    """Set the memory of the threads' calls. `peeked` is by the trace's numbers of threads."""
    entries: dict[int, list[Entry]] = {}
    for thread in threads:
        # A number that is used again has the calls of both threads in their order.
        entries.setdefault(thread.tid, []).extend(thread.entries)
    for tid, entered in entries.items():
        peeks = peeked.get(tid, ())
        if [number for number, _, _ in entered] == [number for number, _, _ in peeks]:
            for (_, _, call), (_, _, memory) in zip(entered, peeks, strict=True):
                _give(call, memory)
        else:
            _give_by_time(entered, peeks)


def _give_by_time(entered: Sequence[Entry], peeks: Sequence[PeekFields]) -> None:
    times = [entry_ns for _, entry_ns, _ in entered]
    for number, entry_ns, memory in peeks:
        first = bisect_left(times, entry_ns - SAME_NS)
        last = bisect_right(times, entry_ns + SAME_NS)
        if last - first == 1 and entered[first][0] == number:
            _give(entered[first][2], memory)


def _give(call: Call | None, memory: tuple[MemoryFields, ...]) -> None:
    if call is not None and memory:
        call.memory = tuple(Memory(*fields) for fields in memory)
