"""A router between a client and a server: what changes on the way, and what does not."""

from lab.api import Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import finds_the_neighbour_first, has_right_checksums
from lab.checks.networks.forwarding import changes_hardware_addresses_only, counts_the_ttl_down

PORT = 4242

SCENARIO = Scenario(
    name="routing",
    summary="datagrams over a router: hardware addresses change, IP addresses stay",
    topology=laid_out(
        [("client", "router"), ("router", "server")],
        routers=("router",),
    ),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_dgram_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_dgram_client", on="client", args=["{server}", PORT]),
            ),
        ),
    ),
    claims=(
        finds_the_neighbour_first,
        changes_hardware_addresses_only,
        counts_the_ttl_down,
        has_right_checksums,
    ),
    lesson=Lesson(
        question="What does a router change of a packet, and what do the two ends see of it?",
        predict="whose hardware address the client asks for; the TTL on each link",
        look="who is asked for in the first frame; the words on each link's arrow",
        answer=(
            "The client asks for its router, not for the server. The router puts the packet into "
            "a frame of the next link and counts the TTL down; the two ends see none of that."
        ),
        claims=(finds_the_neighbour_first, changes_hardware_addresses_only, counts_the_ttl_down),
    ),
)
