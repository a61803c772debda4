"""One direction is closed, and the other goes on."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.half_close import (
    goes_on_in_the_other_direction,
    resets_what_comes_after_close,
    sends_no_more,
)
from lab.checks.tcp import closes_each_direction, delivers_every_byte

PORT = 4242

SHUTDOWN = Step(
    "shutdown",
    (
        demo("half_close_server", on="server", args=["{server}", PORT, 3], ready=True),
        demo("half_close_client", on="client", args=["{server}", PORT, "shutdown"]),
    ),
)
CLOSE = Step(
    "close",
    (
        demo(
            "half_close_server",
            on="server",
            args=["{server}", PORT, 1],
            name="answers-nobody",
            ready=True,
        ),
        demo("half_close_client", on="client", args=["{server}", PORT, "close"], name="closes"),
    ),
)

SCENARIO = Scenario(
    name="half-close",
    summary="shutdown() closes one direction, and the answer comes all the same",
    topology=two_hosts(),
    steps=(SHUTDOWN, CLOSE),
    claims=(
        goes_on_in_the_other_direction.on(SHUTDOWN),
        sends_no_more.on(SHUTDOWN),
        delivers_every_byte.on(SHUTDOWN),
        closes_each_direction.on(SHUTDOWN),
        resets_what_comes_after_close.on(CLOSE),
        traces_what_is_printed.in_each_of(SHUTDOWN, CLOSE),
    ),
    lesson=Lesson(
        question="The client has sent its FIN. Can the server still answer?",
        predict="the states of both sides while the answer is on its way; then after close()",
        look="the segments behind the client's FIN, and what answers them in each step",
        answer=(
            "A FIN closes only the direction that it is sent in. After shutdown() the client "
            "waits in FIN-WAIT-2 and reads; after close() it reads no more, and a RST says so."
        ),
        claims=(
            goes_on_in_the_other_direction,
            sends_no_more,
            resets_what_comes_after_close,
        ),
    ),
)
