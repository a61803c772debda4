"""Segments overtake each other."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    puts_in_order,
    strikes_what_its_rules_name,
)
from lab.checks.tcp import (
    acknowledges_every_byte,
    closes_each_direction,
    delivers_every_byte,
)

PORT = 4242

SCENARIO = Scenario(
    name="reorder",
    summary="a segment is overtaken by the next",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server swap data 1",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        puts_in_order,
        delivers_every_byte,
        acknowledges_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="A segment is overtaken by the next. In which order are the bytes read?",
        predict="what the server reads first",
        look="the crossed arrows, and the reads after them",
        answer=(
            "In the order in which they were sent: their sequence numbers say where they "
            "belong. What came early waits."
        ),
        claims=(
            puts_in_order,
            delivers_every_byte,
        ),
    ),
)
