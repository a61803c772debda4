"""Programs in a few lines of Python, in cells too, run as one step of two hosts."""

from __future__ import annotations

import sys
from pathlib import Path

from outside import marked, wait_until, wait_until_gone

from lab.kernel.confinement import Confined
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.model.allowed import Cell, Limits
from lab.model.family import Family
from lab.model.program import Program, Step
from lab.model.topology import two_hosts
from lab.records import ProgramRun, Recording

READY = "import os; os.write(int(os.environ['READY_FD']), b'up\\n')\n"


HANG = "import select; select.select([], [], [])\n"


def python(
    code: str,
    name: str = "it",
    *,
    host: str = "client",
    ready: bool = False,
    deadline_s: float = 10,
) -> Program:
    argv = (sys.executable, "-IS", "-c", code)
    return Program(name, host, argv, signals_ready=ready, deadline_s=deadline_s)


def run(sandbox: Sandbox, *programs: Program, confined: Confined | None = None) -> Recording:
    plan = Plan("test", Family.IPV4, two_hosts(), (Step("only", programs),), confined=confined)
    return sandbox.call(record, plan)


def failure(marker: str, *programs: Program) -> str:
    """What is said of the programs of a run that failed, a line each; nothing of them is left."""
    with open_sandbox() as sandbox:
        recording = run(sandbox, *programs)
        wait_until(lambda: len(marked(marker)) == 2)  # the supervisor and init
    wait_until_gone(marker)
    failures = [f"program {it.name} {it.failure}" for it in recording.programs if it.failure]
    assert [it.name for it in recording.programs] == [program.name for program in programs]
    assert all(line.isprintable() for line in failures)
    assert {canary.bracket for canary in recording.canaries} == {"opening", "closing"}
    return "\n".join(failures)


def in_cell(
    folder: Path,
    code: str,
    name: str = "it",
    *,
    host: str = "client",
    serves: bool = False,
    ready: bool = False,
    limits: Limits | None = None,
) -> Program:
    """A few lines of Python in a cell that has a copy of the folder."""
    program = Program(
        name,
        host,
        ("{python}", "-IS", "-c", code.replace("{", "{{").replace("}", "}}")),
        signals_ready=ready,
        serves=serves,
        cell=Cell(str(folder), limits or Limits()),
    )
    return program.expanded({"python": sys.executable})


def run_in_cells(*programs: Program) -> tuple[ProgramRun, ...]:
    """What became of the programs of a step, in a sandbox of its own."""
    with open_sandbox() as sandbox:
        return run(sandbox, *programs).programs


def run_code(folder: Path, code: str, limits: Limits | None = None) -> ProgramRun:
    (found,) = run_in_cells(in_cell(folder, code, limits=limits))
    return found
