"""One datagram to a group: two hosts that joined it, and one that did not."""

from lab.api import Lesson, Program, Scenario, Step, demo, star
from lab.checks.link import has_right_checksums
from lab.checks.networks.groups import (
    goes_to_the_groups_hardware_address,
    is_flooded_without_snooping,
    is_read_by_members_alone,
    reports_the_membership,
)

PORT = 4242


def receiver(host: str, *own: str) -> Program:
    """A program with a socket for the port, which joins if its own address is given."""
    return demo(
        "multicast_receiver",
        on=host,
        args=["{family}", PORT, "eth0", *own],
        ready=True,
    )


SCENARIO = Scenario(
    name="multicast",
    summary="a datagram to a group: two members, and one host that did not join",
    # The reports as RFC 9776 has them, whatever the machine has as its default.
    topology=star(4).with_sysctls({"net.ipv4.conf.all.force_igmp_version": 3}),
    steps=(
        Step(
            "group",
            (
                receiver("h2", "{h2}"),
                receiver("h3", "{h3}"),
                receiver("h4"),
                demo(
                    "multicast_sender",
                    on="h1",
                    args=["{family}", PORT, "eth0", "{h1}", "{h2}", "{h3}", "{h4}"],
                ),
            ),
        ),
    ),
    claims=(
        reports_the_membership,
        goes_to_the_groups_hardware_address,
        is_flooded_without_snooping,
        is_read_by_members_alone,
        has_right_checksums,
    ),
    lesson=Lesson(
        question="Who gets a datagram to a group, and who reads it?",
        predict="what h2 and h3 send when they join; whether h4, which did not, gets the datagram",
        look="the reports before it; the copies that the switch makes; what h4 reads",
        answer=(
            "Who joins says so by a report, which is for routers and for switches that listen to "
            "them. This switch does not: it floods the frame as any that is for several. On h4 it "
            "ends in the kernel, as nobody there has joined."
        ),
        claims=(reports_the_membership, is_flooded_without_snooping, is_read_by_members_alone),
    ),
)
