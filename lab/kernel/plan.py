"""What a sandbox is asked to run."""

from __future__ import annotations

from dataclasses import dataclass

from lab.family import Family
from lab.program import Step
from lab.records import Recording
from lab.topology import Topology


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs, as plain values; programs with their words expanded."""

    scenario: str
    family: Family | None
    topology: Topology
    steps: tuple[Step, ...]
    captures_loopback: bool = False
    trace: str = "auto"
    """Which instrument traces the programs: see kernel/tracers.py."""


def record(plan: Plan) -> Recording:
    """Run the plan; for Sandbox.submit.

    The opener names this function without importing pyroute2 and all else that runs it.
    Raises as experiment.run_plan does.
    """
    from lab.kernel.experiment import run_plan

    return run_plan(plan)
