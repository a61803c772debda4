"""What a sandbox is asked to run."""

from __future__ import annotations

from dataclasses import dataclass

from lab.model.family import Family
from lab.model.program import Step
from lab.model.topology import Topology


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
