"""One of twenty segments is lost: how the sender learns which."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    names_what_is_behind_a_gap,
    sends_again_what_is_lost,
    strikes_what_its_rules_name,
)
from lab.checks.tcp import (
    acknowledges_every_byte,
    closes_each_direction,
    delivers_every_byte,
)

PORT = 4242

SCENARIO = Scenario(
    name="loss-data",
    summary="one data segment of many is lost",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("bulk_reader", on="server", args=["{server}", PORT], ready=True),
                demo("bulk_sender", on="client", args=["{server}", PORT]),
            ),
            wire=(
                "client-server delay 5",
                "client>server drop data 3",
            ),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        sends_again_what_is_lost,
        names_what_is_behind_a_gap,
        delivers_every_byte,
        acknowledges_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="One segment of many is lost. How does the sender learn which?",
        predict="the ACK numbers after the loss",
        look="the ACKs that repeat a number, and the SACK blocks in them",
        answer=(
            "The receiver acknowledges what it has in order again and again, and names in SACK "
            "blocks what it has behind the gap. The sender fills the gap without waiting for "
            "its timer."
        ),
        claims=(
            sends_again_what_is_lost,
            names_what_is_behind_a_gap,
        ),
    ),
)
