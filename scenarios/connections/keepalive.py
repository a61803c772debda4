"""A connection on which nobody says anything: is the other side still there?"""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.counters import counts_its_keep_alives, counts_what_it_gave_up
from lab.checks.connections.dead_peers import (
    asks_when_its_options_say,
    gives_up_the_dead,
    is_answered_by_the_living,
)
from lab.checks.faults.conversations import strikes_what_its_rules_name

PORT = 4242
PATIENCE_MS = 1500

ALIVE = Step(
    "alive",
    (
        demo("keepalive_server", on="server", args=["{server}", PORT, "no-keepalive"], ready=True),
        demo("keepalive_client", on="client", args=["{server}", PORT, PATIENCE_MS]),
    ),
)
DEAD = Step(
    "dead",
    (
        demo(
            "keepalive_server",
            on="server",
            args=["{server}", PORT, "keepalive"],
            name="asks-as-well",
            ready=True,
        ),
        demo("keepalive_client", on="client", args=["{server}", PORT], name="asks"),
    ),
    # After the client's two ACKs: that of the handshake, and that of the welcome.
    wire=("client-server down after ack 2",),
)

SCENARIO = Scenario(
    name="keepalive",
    summary="a peer that is alive answers, and a dead one is found",
    topology=two_hosts(),
    steps=(ALIVE, DEAD),
    claims=(
        is_answered_by_the_living.on(ALIVE),
        strikes_what_its_rules_name.on(DEAD),
        asks_when_its_options_say.in_each_of(ALIVE, DEAD),
        gives_up_the_dead.on(DEAD),
        counts_its_keep_alives.in_each_of(ALIVE, DEAD),
        counts_what_it_gave_up.on(DEAD),
        traces_what_is_printed.in_each_of(ALIVE, DEAD),
    ),
    lesson=Lesson(
        question="The cable is cut while nobody says anything. Who notices, and when?",
        predict="what is sent on an idle connection, and when the waiting recv() returns",
        look="the segments that begin one number back, what answers them, and what does not",
        answer=(
            "Without SO_KEEPALIVE nobody, ever. With it the kernel asks by a segment that has an "
            "old number, which a living peer has to acknowledge. When as many as TCP_KEEPCNT are "
            "unanswered, the connection is given up."
        ),
        claims=(
            is_answered_by_the_living,
            asks_when_its_options_say,
            gives_up_the_dead,
        ),
    ),
)
