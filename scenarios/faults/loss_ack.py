"""The handshake's last ACK is lost, and nobody misses it."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    opens_by_data,
    strikes_what_its_rules_name,
)
from lab.checks.tcp import (
    acknowledges_every_byte,
    closes_each_direction,
    delivers_every_byte,
)

PORT = 4242

SCENARIO = Scenario(
    name="loss-ack",
    summary="the handshake's last ACK is lost",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server drop ack 1",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        opens_by_data,
        delivers_every_byte,
        acknowledges_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="The last ACK of the handshake is lost. Does the connection open?",
        predict="the server's state when the first data comes",
        look="the states beside the lost ACK and the first data segment",
        answer=(
            "It does: every segment has an ACK, so that the first data makes up for the lost "
            "one. The client has been ESTABLISHED all the time."
        ),
        claims=(
            opens_by_data,
            delivers_every_byte,
        ),
    ),
)
