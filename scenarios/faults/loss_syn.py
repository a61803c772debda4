"""The first SYN is lost: who notices, and when."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    sends_again_what_is_lost,
    strikes_what_its_rules_name,
    waits_a_second_at_first,
)
from lab.checks.tcp import (
    closes_each_direction,
    delivers_every_byte,
    opens_with_three_segments,
)

PORT = 4242

SCENARIO = Scenario(
    name="loss-syn",
    summary="the first SYN is lost",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server drop SYN 1",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        sends_again_what_is_lost,
        waits_a_second_at_first,
        opens_with_three_segments,
        delivers_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="The SYN is lost. What does connect() do?",
        predict="how long connect() takes",
        look="the time between the two SYNs; connect() around both",
        answer=(
            "connect() waits. Nothing is known of the round trip yet, so the client sends the "
            "same SYN again after a second, and is connected then."
        ),
        claims=(
            sends_again_what_is_lost,
            waits_a_second_at_first,
        ),
    ),
)
