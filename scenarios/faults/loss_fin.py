"""The FIN is lost: closing waits for it."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
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
    name="loss-fin",
    summary="the FIN of the side that closes first is lost",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server drop FIN 1",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        sends_again_what_is_lost,
        delivers_every_byte,
        acknowledges_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="The FIN is lost. Does the connection stay half open?",
        predict="the state of the client until the FIN is there",
        look="FIN-WAIT-1 between the two copies of the FIN",
        answer=(
            "A FIN takes a sequence number, like a byte. It is sent again until it is "
            "acknowledged, whatever the programs do meanwhile."
        ),
        claims=(
            sends_again_what_is_lost,
            closes_each_direction,
        ),
    ),
)
