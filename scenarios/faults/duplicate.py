"""A segment comes twice."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    answers_a_copy,
    strikes_what_its_rules_name,
)
from lab.checks.tcp import (
    acknowledges_every_byte,
    closes_each_direction,
    delivers_every_byte,
)

PORT = 4242

SCENARIO = Scenario(
    name="duplicate",
    summary="the network makes a copy of a segment",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server duplicate data 1",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        answers_a_copy,
        delivers_every_byte,
        acknowledges_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="A segment comes twice. Does the program read it twice?",
        predict="what the server answers to the copy",
        look="the ACK behind the copy, and its SACK option",
        answer=(
            "It is read once. The copy is thrown away, but answered: with an ACK. Where the "
            "server has D-SACK on, as Linux has by default, that tells what came twice."
        ),
        claims=(
            answers_a_copy,
            delivers_every_byte,
        ),
    ),
)
