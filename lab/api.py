"""The names a scenario may use: what it is made of, and the checks that exist."""

from lab.analysis.claims import Claim, Outcome, Verdict, broken, holds, skipped, undecided
from lab.analysis.comparison import (
    carries_the_same_messages,
    costs_frames_to_connect,
    keeps_boundaries_in_datagrams_only,
    stays_silent,
)
from lab.analysis.fragment_claims import cuts_into_fragments, reads_fragments_as_one
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
from lab.analysis.udp_claims import (
    begins_with_data,
    delivers_the_empty_datagram,
    keeps_message_boundaries,
    loses_what_the_buffer_does_not_hold,
    sends_nothing_but_data,
    speaks_its_family_in_datagrams,
    tells_where_it_came_from,
)
from lab.analysis.unreachable_claims import (
    answers_port_unreachable,
    tells_only_the_connected_socket,
)
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
    "answers_port_unreachable",
    "begins_with_data",
    "broken",
    "carries_the_same_messages",
    "closes_each_direction",
    "costs_frames_to_connect",
    "cuts_into_fragments",
    "delivers_every_byte",
    "delivers_the_empty_datagram",
    "finds_the_neighbour_first",
    "has_right_checksums",
    "holds",
    "joined_pair",
    "keeps_boundaries_in_datagrams_only",
    "keeps_message_boundaries",
    "keeps_no_message_boundaries",
    "loses_what_the_buffer_does_not_hold",
    "opens_with_three_segments",
    "reads_fragments_as_one",
    "sends_no_payload_before_it_is_open",
    "sends_nothing_but_data",
    "skipped",
    "speaks_its_family",
    "speaks_its_family_in_datagrams",
    "stays_silent",
    "tells_only_the_connected_socket",
    "tells_where_it_came_from",
    "two_hosts",
    "undecided",
    "uses_the_options_both_offered",
]
