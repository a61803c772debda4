"""Processes that the programs of a step leave behind. Source: proc(5), /proc/pid/stat."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from lab.errors import InstrumentError

FIRST_PROCESS = 1
END_DEADLINE_S = 5.0
LOOKS = 20  # at /proc, while processes come


def orphans(running: Collection[int], own: Iterable[int]) -> frozenset[int]:
    """Processes of this pid namespace that no running program of the lab's answers for.

    That is: none of `running`, nor of the lab's `own`, is or has been handed down as an ancestor
    of theirs. The kernel hands children whose parent has ended to the first process. Where new
    processes come all the time, those that a moment ago were there.
    """
    answered = {FIRST_PROCESS, *running, *own}
    found: frozenset[int] = frozenset()
    for parents, is_whole in islice(_looks(), LOOKS):
        seen = frozenset(
            pid for pid in parents if pid != FIRST_PROCESS and not _is_below(pid, answered, parents)
        )
        if is_whole:
            return seen
        found = seen or found
    return found


def end_all(own: Iterable[int], serve: Callable[[], None]) -> None:
    """Kill every process of this pid namespace but the first and the lab's `own`.

    `serve` is called while they come to their end. Raises InstrumentError where they do not.
    """
    spared = {FIRST_PROCESS, *own}
    deadline_ns = time.monotonic_ns() + round(END_DEADLINE_S * 1e9)
    killed: set[int] = set()
    left: Collection[int] = ()
    # Again and again: one may fork while the others are being killed.
    for parents, is_whole in _looks():
        now = parents.keys() - spared
        if is_whole and not now:
            break
        left = now or left
        if time.monotonic_ns() > deadline_ns:
            raise InstrumentError(
                f"processes of the step's programs go on {END_DEADLINE_S:g} s after SIGKILL, the "
                f"last with pids {', '.join(map(str, sorted(left)))}"
            )
        signal_each(now, signal.SIGKILL)
        killed |= now
        serve()
    # With their parents dead, all are the first process's to collect.
    for pid in killed:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def signal_each(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, of which some may have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _looks() -> Iterator[tuple[dict[int, int], bool]]:
    """Looks at /proc: each process that has not ended with its parent; and if those are all.

    /proc is no snapshot: where a process hands on to a child and ends while others are being
    read, it is gone, and its child was not listed yet. So those are all where nobody new has
    come meanwhile. Those that were seen to have ended are not read again, so that looks are
    quick however many nobody has waited for.
    """
    listed = _pids()
    ended: set[str] = set()
    while True:
        parents = {pid: _parent(pid) for pid in listed - ended}
        ended.update(pid for pid, parent in parents.items() if parent is None)
        before, listed = listed, _pids()
        living = {int(pid): parent for pid, parent in parents.items() if parent is not None}
        yield living, listed <= before


def _pids() -> frozenset[str]:
    # os.listdir: a Path for each entry costs ten times as much.
    return frozenset(filter(str.isdigit, os.listdir("/proc")))  # noqa: PTH208


def _parent(pid: str) -> int | None:
    """A process's parent; None where the process has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = stat.rpartition(b")")[2].split()[:2]
    return None if state in b"ZX" else int(parent)


def _is_below(pid: int, answered: Collection[int], parents: dict[int, int]) -> bool:
    """Whether it, or the nearest of its ancestors that is one of those, is not the first."""
    while pid in parents and pid not in answered:
        pid = parents[pid]
    return pid != FIRST_PROCESS and pid in answered
