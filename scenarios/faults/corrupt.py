"""A byte is changed on the way."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    is_silent_about_a_wrong_checksum,
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
    name="corrupt",
    summary="a byte of a segment is changed on the way",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server corrupt -1 data 1",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        is_silent_about_a_wrong_checksum,
        sends_again_what_is_lost,
        delivers_every_byte,
        acknowledges_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="One byte of a segment is changed on the way. Who is told?",
        predict="what the server answers to the wrong checksum",
        look="what comes after the damaged segment",
        answer=(
            "Nobody. The checksum is wrong, so the segment is thrown away as if it had never "
            "come, and its sender sends it again."
        ),
        claims=(
            is_silent_about_a_wrong_checksum,
            sends_again_what_is_lost,
        ),
    ),
)
