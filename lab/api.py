"""The names a scenario may use: what it is made of, and the checks that exist."""

from lab.analysis.claims import Claim, Outcome, Verdict, broken, holds, skipped, undecided
from lab.analysis.comparison import (
    carries_the_same_messages,
    costs_frames_to_connect,
    keeps_boundaries_in_datagrams_only,
    stays_silent,
)
from lab.analysis.link_claims import finds_the_neighbour_first, has_right_checksums
from lab.analysis.tcp_claims import (
    acknowledges_every_byte,
    closes_each_direction,
    delivers_every_byte,
    keeps_no_message_boundaries,
    opens_with_three_segments,
    sends_no_payload_before_it_is_open,
    speaks_its_family,
    uses_the_options_both_offered,
)
from lab.analysis.timeline import Timeline
from lab.program import Program, Step
from lab.records import Family
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
    "acknowledges_every_byte",
    "broken",
    "carries_the_same_messages",
    "closes_each_direction",
    "costs_frames_to_connect",
    "delivers_every_byte",
    "finds_the_neighbour_first",
    "has_right_checksums",
    "holds",
    "joined_pair",
    "keeps_boundaries_in_datagrams_only",
    "keeps_no_message_boundaries",
    "opens_with_three_segments",
    "sends_no_payload_before_it_is_open",
    "skipped",
    "speaks_its_family",
    "stays_silent",
    "two_hosts",
    "undecided",
    "uses_the_options_both_offered",
]
