"""A request that goes through a relay: two connections, the same bytes."""

from lab.api import Scenario, Step, Timeline, Verdict, broken, claim, demo, holds, in_a_row
from lab.checks.ad_hoc import closes_each_or_resets_it, opens_each_with_three_segments
from lab.checks.ad_hoc_calls import moves_each_byte_of_streams
from lab.checks.link import has_right_checksums

PORT = 4242
RELAYED = Step(
    "relayed",
    (
        demo("server", on="server", args=["{server}", PORT], ready=True),
        demo("relay", on="relay", args=["{relay}", PORT, "{server}"], ready=True),
        demo("client", on="client", args=["{relay}", PORT]),
    ),
)


@claim("The relay passes on what it gets, both ways.", source="RFC 9293, 3.9.1")
def passes_on_what_it_gets(timeline: Timeline) -> Verdict:
    """Both connections carry the same bytes each way."""
    ways = [(c.client_to_server.data, c.server_to_client.data) for c in timeline.conversations]
    frames = [frame.id for c in timeline.conversations for frame in c.flow.crossings]
    same = len(ways) == 2 and ways[0] == ways[1]
    return (holds if same else broken)(f"{len(ways)} connections carry {ways}", frames)


SCENARIO = Scenario(
    name="relayed",
    summary="a request through a relay: two connections, the same bytes",
    topology=in_a_row("client", "relay", "server"),
    steps=(RELAYED,),
    claims=(
        opens_each_with_three_segments, passes_on_what_it_gets, closes_each_or_resets_it,
        moves_each_byte_of_streams, has_right_checksums,
    ),
)  # fmt: skip
