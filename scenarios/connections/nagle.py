"""Two writes and a read: what Nagle's algorithm and a delayed ACK make of them together."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.nagle import (
    delays_the_acknowledgement,
    does_not_wait_without,
    waits_for_the_acknowledgement,
)
from lab.checks.tcp import delivers_every_byte

PORT = 4242

NAGLE = Step(
    "nagle",
    (
        demo("nagle_server", on="server", args=["{server}", PORT], ready=True),
        demo("nagle_client", on="client", args=["{server}", PORT, "nagle"]),
    ),
)
NODELAY = Step(
    "nodelay",
    (
        demo("nagle_server", on="server", args=["{server}", PORT], name="as-before", ready=True),
        demo("nagle_client", on="client", args=["{server}", PORT, "nodelay"], name="no-delay"),
    ),
)

SCENARIO = Scenario(
    name="nagle",
    summary="two writes before a read wait for a delayed ACK, unless TCP_NODELAY is set",
    topology=two_hosts(),
    steps=(NAGLE, NODELAY),
    claims=(
        waits_for_the_acknowledgement.on(NAGLE),
        delays_the_acknowledgement.on(NAGLE),
        does_not_wait_without.on(NAGLE, NODELAY),
        delivers_every_byte.in_each_of(NAGLE, NODELAY),
        traces_what_is_printed.in_each_of(NAGLE, NODELAY),
    ),
    lesson=Lesson(
        question="A program writes twice and then reads the answer. Why does that take 40 ms?",
        predict="when the second write leaves, and what it waits for",
        look="the second of each two writes, and the ACK just before it; then with TCP_NODELAY",
        answer=(
            "Nagle's algorithm keeps the second short segment until the first is acknowledged, "
            "and the receiver delays that ACK since an answer might carry it, which it has none "
            "of yet. With TCP_NODELAY, or one write for both, nobody waits."
        ),
        claims=(
            waits_for_the_acknowledgement,
            delays_the_acknowledgement,
            does_not_wait_without,
        ),
    ),
)
