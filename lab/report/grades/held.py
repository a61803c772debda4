"""How programs were held while they were graded: which limits were in force, and who kept them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lab.records import Keeper, Limit

if TYPE_CHECKING:
    from lab.grade.mark import Grade
    from lab.grade.sheet import Sheet
    from lab.records import CellRun

HEAD = ("limit", "at most", "kept by")
ALWAYS = (
    "The programs ran in a root and in mount, pid, IPC, UTS and network namespaces of their own, "
    "without any capability, with no_new_privs, behind a filter of system calls (seccomp)."
)
"""What a cell has wherever there is one: where it cannot be had nothing is graded."""

_SHOWN = {
    Limit.CPU: ("cpu", " s"),
    Limit.MEMORY: ("memory", " MiB"),
    Limit.PROCESSES: ("processes", ""),
    Limit.FILE: ("file", " MiB"),
    Limit.DISK: ("disk", " MiB"),
    Limit.OPEN_FILES: ("open files", ""),
    Limit.OUTPUT: ("output", " KiB"),
    Limit.WALL: ("time", " s"),
    Limit.FRAMES: ("frames", ""),
    Limit.CAPTURED: ("captured", " MiB"),
}
"""What each is called, and the unit behind its value."""

_KEEPERS = {
    Keeper.CGROUP: "a control group (cgroup v2), of all its processes together",
    Keeper.RLIMIT: "rlimit, of each process",
    Keeper.TMPFS: "tmpfs, by its size",
    Keeper.LAB: "the lab, of all together",
}
_OF_THE_USER = "rlimit, of their user"


def held_rows(sheet: Sheet, held: CellRun) -> list[tuple[str, str, str]]:
    """A row for each limit, below HEAD: its value, and who kept it."""
    found = []
    for limit, most, keepers in _limits(sheet, held):
        name, unit = _SHOWN[limit]
        found.append((name, f"{most:,g}{unit}", "; ".join(_keeper(limit, by) for by in keepers)))
    return found


def held_notes(grades: Sequence[Grade], held: CellRun) -> list[str]:
    """What held programs besides limits, and as whom they ran in their first trial."""
    alike = [each for each in grades if each.held and each.held.kept == held.kept]
    uids = sorted({each.held.uid for each in alike if each.held})
    whose = f"as uid {uids[0]}" if len(uids) == 1 else f"each as a uid of its own: {uids[0]} …"
    return [ALWAYS, f"They ran {whose} in their first trial."]


def ways_held(grades: Sequence[Grade]) -> list[CellRun]:
    """How programs were held: one of each set of limits that were in force."""
    first = {each.held.kept: each.held for each in reversed(grades) if each.held}
    return [*first.values()][::-1]


def held_values(sheet: Sheet, held: CellRun) -> dict[str, Any]:
    """The same as values for programs to read."""
    limits = {
        limit.value: {"most": most, "kept_by": [by.value for by in keepers]}
        for limit, most, keepers in _limits(sheet, held)
    }
    return {"uid": held.uid, "limits": limits}


def _limits(sheet: Sheet, held: CellRun) -> Iterator[tuple[Limit, float, list[Keeper]]]:
    """Each limit, how much it is, and who kept it."""
    assert sheet.submission is not None, "a sheet for programs"
    for limit in Limit:
        keepers = [each.by for each in held.kept if each.limit is limit]
        yield limit, getattr(sheet.submission.limits, limit.value), keepers


def _keeper(limit: Limit, by: Keeper) -> str:
    if limit is Limit.PROCESSES and by is Keeper.RLIMIT:
        return _OF_THE_USER
    return _KEEPERS[by]
