"""A host with two links: the address that it speaks from, and the way that it and the answer go."""

from lab.api import Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import has_right_checksums
from lab.checks.networks.two_homed import (
    answers_by_its_own_way,
    goes_by_the_destination,
    has_the_address_of_its_way,
)

PORT = 4242

CHOSEN = Step(
    "chosen",
    (
        demo("two_homed_server", on="server", args=["{family}", PORT, 2], ready=True),
        demo("two_homed_client", on="home", args=[PORT, "{server_eth0}", "{server_eth1}"]),
    ),
)
BOUND = Step(
    "bound",
    (
        demo(
            "two_homed_server",
            on="server",
            args=["{family}", PORT, 1],
            name="again",
            ready=True,
        ),
        demo(
            "two_homed_client",
            on="home",
            args=[PORT, "from={home_eth0}", "{server_eth1}"],
            name="bound",
        ),
    ),
)

SCENARIO = Scenario(
    name="two-homed",
    summary="a host with two links: from which address it speaks, and which way it goes",
    topology=laid_out(
        [("home", "r1"), ("home", "r2"), ("r1", "server"), ("r2", "server")],
        routers=("r1", "r2"),
        # A machine may refuse what comes by another way than its answer would go (RFC 3704).
        sysctls={
            "net.ipv4.conf.all.rp_filter": 0,
            "net.ipv4.conf.default.rp_filter": 0,
            "net.ipv4.conf.all.arp_ignore": 0,
            "net.ipv4.conf.default.arp_ignore": 0,
        },
    ),
    steps=(CHOSEN, BOUND),
    claims=(
        has_the_address_of_its_way.on(CHOSEN),
        goes_by_the_destination.on(CHOSEN, BOUND),
        answers_by_its_own_way.on(BOUND),
        has_right_checksums.on(CHOSEN, BOUND),
    ),
    lesson=Lesson(
        question="A host has two links and two addresses. From which does it speak, and which way?",
        predict="by which router a datagram goes that has the address of the other link",
        look="sources and routers of the questions, then of the answer in the step bound",
        answer=(
            "The destination decides the way, and the way the address, unless the program has "
            "bound one: then the packet goes the same way with an address of the other link. The "
            "answer is a packet like any other, with a way and an address of its own."
        ),
        claims=(has_the_address_of_its_way, goes_by_the_destination, answers_by_its_own_way),
    ),
)
