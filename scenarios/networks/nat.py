"""A NAT before two clients that use one port: as whom a server knows them, and who reaches them."""

from lab.api import Lesson, Scenario, Step, demo, lan_behind_nat
from lab.checks.link import finds_the_neighbour_first, has_right_checksums
from lab.checks.networks.forwarding import counts_the_ttl_down
from lab.checks.networks.nat import (
    changes_one_end_alone,
    gives_each_its_own_port,
    keeps_the_unsolicited_out,
    shows_no_address_from_inside,
)

PORT, OTHER_PORT = 4242, 4343
CLIENTS_PORT = 4000

SAME_PORT = Step(
    "same-port",
    (
        demo("nat_stream_server", on="server", args=["{server}", PORT], ready=True),
        demo("nat_stream_client", on="h1", args=["{server}", PORT, CLIENTS_PORT]),
        demo("nat_stream_client", on="h2", args=["{server}", PORT, CLIENTS_PORT]),
    ),
)
UNSOLICITED = Step(
    "unsolicited",
    (
        demo(
            "nat_dgram_server",
            on="server",
            args=["{server}", PORT, OTHER_PORT],
            ready=True,
            name="answerer",
        ),
        demo(
            "nat_dgram_client",
            on="h1",
            args=["{server}", PORT, CLIENTS_PORT],
            name="asker",
        ),
    ),
)

SCENARIO = Scenario(
    name="nat",
    summary="two clients with one port behind a NAT; an unsolicited datagram from outside",
    topology=lan_behind_nat(2),
    steps=(SAME_PORT, UNSOLICITED),
    claims=(
        finds_the_neighbour_first,
        gives_each_its_own_port,
        changes_one_end_alone.in_each_of(SAME_PORT, UNSOLICITED),
        shows_no_address_from_inside.in_each_of(SAME_PORT, UNSOLICITED),
        keeps_the_unsolicited_out.on(UNSOLICITED),
        counts_the_ttl_down.in_each_of(SAME_PORT, UNSOLICITED),
        has_right_checksums.on(SAME_PORT, UNSOLICITED),
    ),
    lesson=Lesson(
        question=(
            "Two clients behind a NAT use the same port to the same server. How are they told "
            "apart, and who outside can reach them?"
        ),
        predict=(
            "which addresses and ports accept() returns at the server; whether h1 reads a datagram "
            "that comes to its NAT's address and port from another port of the server"
        ),
        look="the words on the NAT's arrows; what became of the datagram from port 4343",
        answer=(
            "The server knows both by the NAT's address, each by a port that the NAT has given it, "
            "and takes back. Only who has been written to is answered to: what comes from another "
            "port the NAT takes for its own, and refuses."
        ),
        claims=(gives_each_its_own_port, changes_one_end_alone, keeps_the_unsolicited_out),
    ),
)
