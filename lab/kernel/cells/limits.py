"""The limits of a cell that the kernel keeps of each process by itself. Source: getrlimit(2)."""

from __future__ import annotations

import math
import resource
from collections.abc import Iterable

from lab.model.allowed import Limits
from lab.records import Enforcer, Limit, LimitKept

MIB = 1 << 20
CPU_GRACE_S = 2
"""From SIGXCPU, which a program may handle, to SIGKILL."""

RLIMITS = (Limit.CPU, Limit.MEMORY, Limit.PROCESSES, Limit.FILE, Limit.OPEN_FILES)
"""Those that set_limits sets."""


def set_limits(limits: Limits) -> None:
    """Set them for this process and all that it starts. It must be the cell's user already.

    Of memory: what can be written to and is shared with nobody (RLIMIT_DATA), not all that is
    reserved (RLIMIT_AS), since Java and Go reserve gigabytes that they never touch. Raises OSError.
    """
    cpu_s = math.ceil(limits.cpu_s)
    memory = limits.memory_mib * MIB
    wanted = {
        resource.RLIMIT_CPU: (cpu_s, cpu_s + CPU_GRACE_S),
        resource.RLIMIT_DATA: (memory, memory),
        resource.RLIMIT_NPROC: (limits.processes, limits.processes),
        resource.RLIMIT_FSIZE: (limits.file_mib * MIB, limits.file_mib * MIB),
        resource.RLIMIT_NOFILE: (limits.open_files, limits.open_files),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_MSGQUEUE: (0, 0),
        resource.RLIMIT_RTPRIO: (0, 0),
        resource.RLIMIT_NICE: (0, 0),
    }
    for which, (soft, hard) in wanted.items():
        _, most = resource.getrlimit(which)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(which, (soft, hard))


def limits_kept(by_group: Iterable[Limit] = ()) -> tuple[LimitKept, ...]:
    """Which limits are in force, and by whom; some by the cell's control group."""
    by_kernel = [LimitKept(limit, Enforcer.RLIMIT) for limit in RLIMITS]
    by_lab = (Limit.CPU, Limit.MEMORY, Limit.OUTPUT, Limit.WALL, Limit.FRAMES, Limit.CAPTURED)
    return (
        *(LimitKept(limit, Enforcer.CGROUP) for limit in by_group),
        *by_kernel,
        LimitKept(Limit.DISK, Enforcer.TMPFS),
        *(LimitKept(limit, Enforcer.LAB) for limit in by_lab),
    )
