"""One datagram to everybody on a link: who gets it, who reads it, and where it ends."""

from lab.api import Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import has_right_checksums
from lab.checks.networks.groups import (
    asks_for_permission_first,
    is_not_forwarded_by_a_router,
    reaches_everybody_on_the_link,
)

PORT = 4242
SUBNETS_BROADCAST = "198.18.0.255"  # of the subnet that h1, h2 and the router are in

SCENARIO = Scenario(
    name="broadcast",
    summary="a datagram to everybody on a link, and to nobody beyond it",
    topology=laid_out(
        [("h1", "s1"), ("h2", "s1"), ("s1", "router"), ("router", "far")],
        switches=("s1",),
        routers=("router",),
    ),
    steps=(
        Step(
            "everybody",
            (
                demo("broadcast_receiver", on="h2", args=["{family}", PORT], ready=True),
                demo("broadcast_receiver", on="far", args=["{family}", PORT], ready=True),
                demo(
                    "broadcast_sender",
                    on="h1",
                    args=["eth0", SUBNETS_BROADCAST, "{h2}", "{far}", PORT],
                ),
            ),
        ),
    ),
    claims=(
        asks_for_permission_first,
        reaches_everybody_on_the_link,
        is_not_forwarded_by_a_router,
        has_right_checksums,
    ),
    lesson=Lesson(
        question="Who gets a datagram that is for everybody?",
        predict="what sendto() returns without SO_BROADCAST; which of h2, router and far get it",
        look="the copies that the switch makes; what the program on far reads",
        answer=(
            "Everybody on the link, whether a program there waits for it or not: the switch "
            "floods it. A router gets it as well, and keeps it."
        ),
        claims=(reaches_everybody_on_the_link, is_not_forwarded_by_a_router),
    ),
)
