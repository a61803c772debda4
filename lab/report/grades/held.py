"""How programs were held while they were graded: which limits were in force, and who kept them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lab.frozen import frozen
from lab.grade.submission import BUILD
from lab.records import Enforcer, Limit, LimitKept

if TYPE_CHECKING:
    from lab.grade.mark import Grade
    from lab.grade.sheet import Sheet
    from lab.model.allowed import Limits
    from lab.records import CellRun

OF_BUILDS = tuple(each for each in Limit if each not in (Limit.FRAMES, Limit.CAPTURED))
"""A build has no network whose frames would be captured."""

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

_TOGETHER = {Enforcer.CGROUP: "cgroup v2", Enforcer.LAB: "the lab"}
"""Who keeps a limit of all processes together."""
_EACH = {Enforcer.RLIMIT: "rlimit, each process", Enforcer.TMPFS: "tmpfs, by its size"}
_OF_THE_USER = "rlimit, of their user"


@frozen
class WayHeld:
    """One way in which programs were held, or what built them was."""

    title: str
    limits: Limits
    kept: tuple[LimitKept, ...]
    shown: tuple[Limit, ...]
    uids: tuple[int, ...]

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """A row for each limit, below HEAD: its value, and who kept it."""
        found = []
        for limit in self.shown:
            name, unit = _SHOWN[limit]
            most = getattr(self.limits, limit.value)
            found.append((name, f"{most:,g}{unit}", _kept_by(limit, self.kept)))
        return found

    @property
    def notes(self) -> list[str]:
        """What held them besides limits, and as whom they ran."""
        one = f"as uid {self.uids[0]}"
        whose = one if len(self.uids) == 1 else f"each as a uid of its own: {self.uids[0]} …"
        if self.shown == OF_BUILDS:
            return [f"What built them ran {whose}, held likewise and without a link."]
        return [ALWAYS, f"They ran {whose} in their first trial."]


def ways_held(sheet: Sheet, grades: Sequence[Grade]) -> list[WayHeld]:
    """How programs were held, and what built them: each set of limits that were in force once."""
    if sheet.submission is None:
        return []
    runs = [each.held for each in grades if each.held]
    builds = [each.built.held for each in grades if each.built and each.built.held]
    return [
        *_ways("How programs were held", sheet.submission.limits, runs, tuple(Limit)),
        *_ways("How they were built", BUILD, builds, OF_BUILDS),
    ]


def _ways(
    title: str, limits: Limits, runs: Sequence[CellRun], shown: tuple[Limit, ...]
) -> Iterator[WayHeld]:
    for kept in dict.fromkeys(each.kept for each in runs):
        uids = sorted({each.uid for each in runs if each.kept == kept})
        yield WayHeld(title, limits, kept, shown, tuple(uids))


def held_values(sheet: Sheet, grade: Grade) -> dict[str, Any]:
    """The same of one grade, as values for programs to read: "held", and "built" of its build."""
    names = ("held", "built")
    one = (grade.held, grade.built.held if grade.built else None)
    found: dict[str, Any] = {}
    for name, run in zip(names, one, strict=True):
        if run is None or sheet.submission is None:
            continue
        limits = sheet.submission.limits if name == "held" else BUILD
        found[name] = {
            "uid": run.uid,
            "limits": {
                limit.value: {
                    "most": getattr(limits, limit.value),
                    "kept_by": [each.by.value for each in run.kept if each.limit is limit],
                }
                for limit in (Limit if name == "held" else OF_BUILDS)
            },
        }
    return found


def _kept_by(limit: Limit, kept: Sequence[LimitKept]) -> str:
    """Who kept that limit: "cgroup v2 and the lab, together; rlimit, each process"."""
    enforcers = {each.by for each in kept if each.limit is limit}
    together = " and ".join(name for by, name in _TOGETHER.items() if by in enforcers)
    said = [f"{together}, together"] if together else []
    for by, name in _EACH.items():
        if by in enforcers:
            is_of_user = limit is Limit.PROCESSES and by is Enforcer.RLIMIT
            said.append(_OF_THE_USER if is_of_user else name)
    return "; ".join(said)
