"""The SYN-ACK is lost: both sides have something to send again."""

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
    name="loss-syn-ack",
    summary="the first SYN-ACK is lost",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("server>client drop SYN-ACK 1",),
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
        question="The SYN-ACK is lost. Which side sends something again?",
        predict="who sends first after the loss",
        look="the frames after the lost one",
        answer=(
            "The client cannot tell whether its SYN or the answer was lost, and the server "
            "cannot tell whether its answer or the ACK was: after a second either sends again "
            "what it had sent."
        ),
        claims=(
            sends_again_what_is_lost,
            waits_a_second_at_first,
        ),
    ),
)
