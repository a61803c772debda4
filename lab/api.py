"""The front door: all that a scenario is made of. Its checks come from lab.checks."""

from lab.analysis.timeline import Timeline
from lab.model.claim import Claim, Outcome, Verdict, broken, claim, holds, skipped, undecided
from lab.model.family import Family
from lab.model.program import Program, Step, demo
from lab.model.scenario import Scenario
from lab.model.topology import Interface, Link, Topology, joined_pair, two_hosts

__all__ = [
    "Claim",
    "Family",
    "Interface",
    "Link",
    "Outcome",
    "Program",
    "Scenario",
    "Step",
    "Timeline",
    "Topology",
    "Verdict",
    "broken",
    "claim",
    "demo",
    "holds",
    "joined_pair",
    "skipped",
    "two_hosts",
    "undecided",
]
