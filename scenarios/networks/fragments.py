"""A datagram that is too large for a link on its way: who fragments it, and who may not."""

from lab.api import Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import has_right_checksums
from lab.checks.networks.sizes import (
    fragments_at_the_source,
    fragments_where_it_is_too_large,
    names_the_mtu,
    reads_it_whole,
    refuses_what_may_not_be_cut,
)

PORT = 4242


def step(name: str, how: str, host: str) -> Step:
    """The same datagrams, with fragmenting allowed or not, to a host of which nothing is known."""
    reader = f"{name}-reader"
    return Step(
        name,
        (
            demo(
                "fragments_receiver",
                on=host,
                args=[f"{{{host}}}", PORT],
                name=reader,
                ready=True,
            ),
            demo("fragments_sender", on="client", args=[f"{{{host}}}", PORT, how], name=name),
        ),
    )


ALLOWED, FORBIDDEN = step("allowed", "dont", "server"), step("forbidden", "do", "other")

SCENARIO = Scenario(
    name="fragments",
    summary="a datagram larger than a link on its way: cut by a router, or by nobody",
    topology=laid_out(
        [("client", "r1"), ("r1", "r2"), ("r2", "server"), ("r2", "other")],
        routers=("r1", "r2"),
        mtus={("r1", "r2"): 1280},  # the least that IPv6 asks of a link (RFC 8200, 5)
    ),
    steps=(ALLOWED, FORBIDDEN),
    claims=(
        fragments_where_it_is_too_large.on(ALLOWED),
        fragments_at_the_source.on(ALLOWED),
        reads_it_whole.on(ALLOWED),
        names_the_mtu.on(FORBIDDEN),
        refuses_what_may_not_be_cut.on(FORBIDDEN),
        has_right_checksums.on(ALLOWED, FORBIDDEN),
    ),
    lesson=Lesson(
        question="A datagram does not fit on a link further on. Who cuts it?",
        predict="what r1 does with 1,400 bytes over IPv4, and over IPv6; and where DF is set",
        look="the frames between r1 and r2; the ICMP messages of r1",
        answer=(
            "Over IPv4 the router, unless the sender has forbidden it: then it throws the datagram "
            "away and names the MTU. Over IPv6 it always does that, and only the sender cuts, once "
            "it has been told."
        ),
        claims=(reads_it_whole, names_the_mtu, refuses_what_may_not_be_cut),
    ),
)
