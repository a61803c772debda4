"""Control groups: which there may be, and that none is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from outside import is_alive, wait_until
from step_programs import in_cell, run

from lab.kernel.cells import control_group
from lab.kernel.cells.control_group import (
    CONTROLLERS,
    ControlGroup,
    open_control_group,
    parents,
    sweep,
)
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.model.allowed import Limits
from lab.model.family import Family
from lab.model.program import Program, Step
from lab.model.topology import two_hosts
from lab.records import Enforcer, Limit, ProgramRun

MOUNTED = "30 25 0:26 / {} rw - cgroup2 cgroup2 rw\n"


def process(folder: Path, mountinfo: str, cgroup: str) -> Path:
    (folder / "mountinfo").write_text("1 1 0:1 / / rw - ext4 /dev/vda rw\n" + mountinfo)
    (folder / "cgroup").write_text(cgroup)
    return folder


@pytest.mark.parametrize(
    ("mountinfo", "cgroup", "expected"),
    [
        (MOUNTED.format("/sys/fs/cgroup"), "0::/a/b\n", ["/a/b", "/a", ""]),
        (MOUNTED.format("/sys/fs/cgroup"), "4:memory:/x\n0::/\n", [""]),
        (MOUNTED.format("/sys/fs/cgroup"), "0::/../other\n", None),
        (MOUNTED.format("/sys/fs/cgroup"), "4:memory:/x\n", None),
        ("", "0::/a\n", None),
        (MOUNTED.replace(" / {}", " /part {}").format("/sys/fs/cgroup"), "0::/a\n", None),
    ],
)
def test_groups_are_made_in_one_s_own_or_above(
    mountinfo: str, cgroup: str, expected: list[str] | None, tmp_path: Path
) -> None:
    found = list(parents(process(tmp_path, mountinfo, cgroup)))
    assert found == [Path(f"/sys/fs/cgroup{each}") for each in expected or ()]


def lived_in() -> tuple[str, float, list[int]]:
    """Run inside: a group, what a process in it took, and how it ended."""
    group = open_control_group(Limits(), wanted=())
    if group is None:
        return "", 0, []
    child = os.fork()
    if child == 0:
        group.enter()
        while group.cpu_s() < 0.05:
            pass
        os._exit(7)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    taken = group.cpu_s()
    path = str(group.path)
    was_there = os.path.isdir(path)  # noqa: PTH112
    group.remove()
    return path, taken, [status, was_there, os.path.isdir(path)]  # noqa: PTH112


@pytest.mark.kernel
def test_what_was_in_a_group_is_counted_and_the_group_is_gone(marker: str) -> None:
    with open_sandbox() as sandbox:
        path, taken, ends = sandbox.call(lived_in)
    if not path:
        assert os.geteuid() != 0 or not list(parents(Path("/proc/self")))
        pytest.skip("no control group of version 2 is to be had")
    assert taken >= 0.05
    assert ends == [7, True, False]
    assert not Path(path).exists()


def left_behind() -> str:
    group = open_control_group(Limits(), wanted=())
    return str(group.path) if group else ""


@pytest.mark.kernel
def test_what_a_killed_lab_has_left_is_removed_by_the_next(marker: str) -> None:
    with open_sandbox() as sandbox:
        path = sandbox.call(left_behind)
        if not path:
            pytest.skip("no control group of version 2 is to be had")
        # Its owner lives: another leaves it alone.
        with open_sandbox() as other:
            other.call(sweep, Path(path).parent)
        assert Path(path).exists()
        os.kill(sandbox.supervisor_pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(sandbox.supervisor_pid))
    assert Path(path).exists()
    with open_sandbox() as other:
        other.call(sweep, Path(path).parent)
    assert not Path(path).exists()


def run_with_any_group(program: Program) -> ProgramRun:
    """Run inside: in a cell whose group need not have the controllers."""
    control_group.CONTROLLERS = ()
    step = Step("only", (program,))
    (run,) = record(Plan("test", Family.IPV4, two_hosts(), (step,))).programs
    return run


@pytest.mark.kernel
def test_time_of_processes_that_nobody_waits_for_counts(marker: str, tmp_path: Path) -> None:
    burn = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for _ in range(60):\n if os.fork() == 0:\n"
        "  while time.process_time() < 0.04: pass\n  os._exit(0)\n time.sleep(0.06)\n"
    )
    program = in_cell(tmp_path, burn, limits=Limits(cpu_s=0.5))
    with open_sandbox() as sandbox:
        if not sandbox.call(left_behind):
            pytest.skip("no control group of version 2 is to be had")
    with open_sandbox() as sandbox:
        it = sandbox.call(run_with_any_group, program)
    assert it.cell is not None and it.cell.ended_by is Limit.CPU
    assert not [
        each for parent in parents(Path("/proc/self")) for each in parent.glob("wirelab-*-cell-*")
    ]


@pytest.mark.kernel
def test_a_cell_says_whether_it_has_a_group(marker: str, tmp_path: Path) -> None:
    """Where it has, the kernel keeps memory and processes of all together, and nothing is left."""
    with open_sandbox() as sandbox:
        (it,) = run(sandbox, in_cell(tmp_path, "print(open('/proc/self/cgroup').read())")).programs
    assert it.cell is not None and it.failure == ""
    kept = {each.limit for each in it.cell.kept if each.by is Enforcer.CGROUP}
    has_group = "wirelab-" in it.stdout
    assert kept == ({Limit.MEMORY, Limit.PROCESSES} if has_group else set())
    for parent in parents(Path("/proc/self")):
        assert not [each for each in parent.glob("wirelab-*") if each.name in it.stdout]


def test_its_limits_are_those_of_its_controllers(tmp_path: Path) -> None:
    """In a folder that has the files which a kernel with both controllers makes."""

    class Made(ControlGroup):
        def _limit(self, limits: Limits) -> None:
            for name in ("memory.max", "pids.max", "memory.oom.group", "cgroup.procs"):
                (self.path / name).touch()
            (self.path / "cgroup.type").write_text("domain\n")
            super()._limit(limits)

    group = Made(tmp_path / "group", Limits(memory_mib=64, disk_mib=8, processes=10))
    found = {each.name: each.read_text() for each in group.path.iterdir()}
    assert found == {
        "memory.max": str((64 + 8 + control_group.SPARE_MIB) << 20),
        "pids.max": "11",
        "memory.oom.group": "1",
        "memory.swap.max": "0",
        "cgroup.procs": "",
        "cgroup.type": "domain\n",
    }
    (group.path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert group.has_lacked_memory
    (group.path / "memory.events").write_text("low 0\noom 3\noom_kill 0\n")
    assert not group.has_lacked_memory
    assert set(CONTROLLERS) == {"memory", "pids"}
