"""Which line of a program's source each of its calls was made for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter

from lab.records import LineUse, Syscall

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from typing import Protocol

    class _Call(Protocol):
        """A call, decoded or not."""

        @property
        def program(self) -> str: ...
        @property
        def tid(self) -> int: ...
        @property
        def entry_ns(self) -> int: ...


_ENTRY_NS = attrgetter("entry_ns")


def uses_of(calls: Sequence[_Call], uses: Iterable[LineUse]) -> tuple[LineUse | None, ...]:
    """For each call of one step the innermost use that its thread was in when it was made.

    None where there is none. `uses` are that step's. A use that has not returned goes on; a use
    within another one is expected to return first, as calls of functions do.
    """
    of_thread: defaultdict[tuple[str, int], list[LineUse]] = defaultdict(list)
    for use in uses:
        of_thread[use.program, use.tid].append(use)
    calls_of: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for place, call in enumerate(calls):
        if (call.program, call.tid) in of_thread:
            calls_of[call.program, call.tid].append(place)
    found: list[LineUse | None] = [None] * len(calls)
    for thread, places in calls_of.items():
        waiting = sorted(of_thread[thread], key=_ENTRY_NS, reverse=True)
        within: list[LineUse] = []
        for place in sorted(places, key=lambda place: calls[place].entry_ns):
            now_ns = calls[place].entry_ns
            while waiting and waiting[-1].entry_ns <= now_ns:
                within.append(waiting.pop())
            while within and within[-1].exit_ns is not None and within[-1].exit_ns < now_ns:
                within.pop()
            found[place] = within[-1] if within else None
    return tuple(found)


def used(calls: Sequence[Syscall], uses: Iterable[LineUse]) -> tuple[LineUse, ...]:
    """Those of the uses in which a call was made, each once, in the order of their entry.

    What `uses_of` says of the calls is the same before and after.
    """
    steps: defaultdict[str, list[Syscall]] = defaultdict(list)
    for call in calls:
        steps[call.step].append(call)
    noted: defaultdict[str, list[LineUse]] = defaultdict(list)
    for use in uses:
        noted[use.step].append(use)
    kept: dict[int, LineUse] = {}
    for step, each in noted.items():
        kept |= {id(use): use for use in uses_of(steps[step], each) if use is not None}
    return tuple(sorted(kept.values(), key=_ENTRY_NS))
