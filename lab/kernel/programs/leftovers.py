"""Processes that the programs of a step leave running. Source: proc(5), /proc/pid/stat."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from lab.errors import InstrumentError

INIT = 1
END_DEADLINE_S = 5.0
MOST_LISTINGS = 20  # of /proc, while new processes keep appearing


class ProcessesLeftError(InstrumentError):
    """Processes of programs go on though they were sent SIGKILL."""


def orphans(
    running: Collection[int], own: Iterable[int], inits: Collection[int] = ()
) -> frozenset[int]:
    """Processes of this pid namespace that descend from no running program and none of `own`.

    `running` are the step's programs that run, `own` the lab's own processes. The kernel makes
    the init the parent of processes whose parent has ended; in a pid namespace of their own one of
    `inits`. If new processes keep appearing,
    the orphans of a recent listing.
    """
    takers = {INIT, *inits}
    roots = {*takers, *running, *own}
    found: frozenset[int] = frozenset()
    for parents, is_complete in islice(_listings(), MOST_LISTINGS):
        seen = frozenset(
            pid
            for pid in parents
            if pid not in takers and not _descends(pid, roots, parents, takers)
        )
        if is_complete:
            return seen
        found = seen or found
    return found


def end_all(own: Iterable[int], serve: Callable[[], None]) -> None:
    """Kill every process of this pid namespace but the init and the lab's `own`.

    `serve` is called while they end. Raises ProcessesLeftError if they do not.
    """
    spared = {INIT, *own}
    deadline_ns = time.monotonic_ns() + round(END_DEADLINE_S * 1e9)
    killed: set[int] = set()
    left: Collection[int] = ()
    # Again and again: one may fork while the others are being killed.
    for parents, is_complete in _listings():
        now = parents.keys() - spared
        if is_complete and not now:
            break
        left = now or left
        if time.monotonic_ns() > deadline_ns:
            raise ProcessesLeftError(
                f"processes of the step's programs go on {END_DEADLINE_S:g} s after SIGKILL, the "
                f"last with pids {', '.join(map(str, sorted(left)))}"
            )
        signal_each(now, signal.SIGKILL)
        killed |= now
        serve()
    # With their parents dead, the init has to wait for all of them.
    for pid in killed:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def signal_each(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes; those that have ended are passed over."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _listings() -> Iterator[tuple[dict[int, int], bool]]:
    """Listings of /proc: the parent of each living process, and whether those are all.

    /proc is no snapshot: a process that forks and ends while others are being read is gone, and
    its child was not listed yet. A listing is complete if no process has appeared meanwhile.
    Processes seen to have ended are not read again: zombies may be many.
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
    """A process's parent, or None if the process has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = stat.rpartition(b")")[2].split()[:2]
    return None if state in b"ZX" else int(parent)


def _descends(
    pid: int, roots: Collection[int], parents: dict[int, int], takers: Collection[int]
) -> bool:
    """Whether the process is, or descends from, one of `roots` other than the `takers`."""
    while pid in parents and pid not in roots:
        pid = parents[pid]
    return pid not in takers and pid in roots
