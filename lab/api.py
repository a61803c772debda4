"""The names a scenario is made of; the checks there are come from lab.analysis.*_claims."""

from lab.analysis.claims import (
    Claim,
    Outcome,
    Verdict,
    broken,
    holds,
    in_every_step,
    skipped,
    undecided,
)
from lab.analysis.timeline import Timeline
from lab.family import Family
from lab.program import Program, Step
from lab.scenario import Scenario
from lab.topology import Interface, Link, Topology, joined_pair, two_hosts

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
    "holds",
    "in_every_step",
    "joined_pair",
    "skipped",
    "two_hosts",
    "undecided",
]
