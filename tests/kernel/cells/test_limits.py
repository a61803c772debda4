"""Limits of a process, as getrlimit(2) has them then."""

from __future__ import annotations

import json
import os
import resource

from lab.kernel.cells.limits import limits_kept, set_limits
from lab.model.allowed import Limits
from lab.records import Enforcer, Limit, LimitKept

WANTED = Limits(cpu_s=1.5, memory_mib=100, processes=7, file_mib=3, open_files=50)
NAMES = ("CPU", "DATA", "NPROC", "FSIZE", "NOFILE", "CORE", "RTPRIO", "NICE")


def set_in_child(limits: Limits, lower: tuple[int, int] | None = None) -> dict[str, list[int]]:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        if lower is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, lower)
        set_limits(limits)
        found = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in NAMES}
        os.write(write_end, json.dumps(found).encode())
        os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as answer:
        told: dict[str, list[int]] = json.load(answer)
    return told


def test_each_limit_of_a_process_is_set() -> None:
    assert set_in_child(WANTED) == {
        "CPU": [2, 4],
        "DATA": [100 << 20] * 2,
        "NPROC": [7, 7],
        "FSIZE": [3 << 20] * 2,
        "NOFILE": [50, 50],
        "CORE": [0, 0],
        "RTPRIO": [0, 0],
        "NICE": [0, 0],
    }


def test_a_limit_that_is_lower_already_stays() -> None:
    assert set_in_child(WANTED, (20, 30))["NOFILE"] == [30, 30]


def test_every_limit_is_kept_by_somebody() -> None:
    kept = limits_kept()
    assert {each.limit for each in kept} == set(Limit)
    assert len(set(kept)) == len(kept)
    assert LimitKept(Limit.MEMORY, Enforcer.RLIMIT) in kept
    assert LimitKept(Limit.MEMORY, Enforcer.LAB) in kept
