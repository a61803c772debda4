"""Programs in a few lines of Python, run as one step of two hosts."""

from __future__ import annotations

import sys

from outside import marked, wait_until, wait_until_gone

from lab.kernel.confinement import Confined
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.model.family import Family
from lab.model.program import Program, Step
from lab.model.topology import two_hosts
from lab.records import Recording

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
    """What is told of the programs of a run that failed, a line each; nothing of them is left."""
    with open_sandbox() as sandbox:
        recording = run(sandbox, *programs)
        wait_until(lambda: len(marked(marker)) == 2)  # the supervisor and init
    wait_until_gone(marker)
    failures = [f"program {it.name} {it.failure}" for it in recording.programs if it.failure]
    assert [it.name for it in recording.programs] == [program.name for program in programs]
    assert all(line.isprintable() for line in failures)
    assert {canary.bracket for canary in recording.canaries} == {"opening", "closing"}
    return "\n".join(failures)
