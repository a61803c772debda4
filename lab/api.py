"""The names a scenario is made of; the checks there are come from lab.analysis.*_claims."""

from lab.analysis.judging import in_every_step
from lab.analysis.timeline import Timeline
from lab.model.claim import Claim, Outcome, Verdict, broken, holds, skipped, undecided
from lab.model.family import Family
from lab.model.program import Program, Step
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
    "holds",
    "in_every_step",
    "joined_pair",
    "skipped",
    "two_hosts",
    "undecided",
]
