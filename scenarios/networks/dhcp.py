"""A host without an address asks everybody for one, gets it, and uses it."""

from lab.api import Family, Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import has_right_checksums
from lab.checks.networks.dhcp import (
    asks_everybody_from_nowhere,
    gets_what_was_offered,
    is_known_by_its_hardware_address,
    speaks_from_its_new_address,
    takes_four_messages,
)

PORT = 4242
GIVEN = "198.51.100.100"

LEASE = Step(
    "lease",
    (
        demo(
            "dhcp_server",
            on="server",
            args=["eth0", "{server}", GIVEN],
            ready=True,
            capabilities=("CAP_NET_BIND_SERVICE",),
        ),
        demo(
            "dhcp_client",
            on="client",
            args=["eth0"],
            capabilities=("CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"),
        ),
    ),
)
USE = Step(
    "use",
    (
        demo(
            "two_homed_server",
            on="server",
            args=["{family}", PORT, 1],
            name="answers",
            ready=True,
        ),
        demo("two_homed_client", on="client", args=[PORT, "{server}"], name="asks"),
    ),
)

SCENARIO = Scenario(
    name="dhcp",
    summary="a host without an address asks everybody for one, and uses it",
    families=(Family.IPV4,),  # IPv6 has other ways: RFC 4862, RFC 8415
    topology=laid_out(
        [("client", "server")],
        without_address=("client",),
        # A host that has no address could not tell by which way its answer to anybody would go,
        # and where it asks for that (RFC 3704) would take nothing from anybody.
        sysctls={
            "client:net.ipv4.conf.all.rp_filter": 0,
            "client:net.ipv4.conf.default.rp_filter": 0,
        },
    ),
    steps=(LEASE, USE),
    claims=(
        asks_everybody_from_nowhere.on(LEASE),
        takes_four_messages.on(LEASE),
        is_known_by_its_hardware_address.on(LEASE),
        gets_what_was_offered.on(LEASE),
        speaks_from_its_new_address.on(LEASE, USE),
        has_right_checksums.on(LEASE, USE),
    ),
    lesson=Lesson(
        question=(
            "A host has no address. From which does it ask for one, and how does the answer find "
            "it?"
        ),
        predict="the source and the destination of each message, and how many there are",
        look="below each message its addresses; in the second step the address that it speaks from",
        answer=(
            "From 0.0.0.0, to everybody on its link: DISCOVER. A server offers an address (OFFER), "
            "the client requests it and says of which server (REQUEST), for there may be several, "
            "and the server agrees (ACK). Answers go to everybody as well: the client knows its "
            "own by its number and its hardware address. Only then it speaks from the address."
        ),
        claims=(
            asks_everybody_from_nowhere,
            takes_four_messages,
            is_known_by_its_hardware_address,
            gets_what_was_offered,
            speaks_from_its_new_address,
        ),
    ),
)
