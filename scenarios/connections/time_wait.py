"""Who closes first waits, and cannot have its port again meanwhile, unless it asks for that."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.time_wait import (
    gives_the_port_to_who_asks_for_reuse,
    makes_the_first_to_close_wait,
    refuses_the_port_of_who_waits,
)
from lab.checks.tcp import closes_each_direction

PORT, OTHER_PORT = 4242, 4343

WAITING = Step(
    "waiting",
    (
        demo("time_wait_server", on="server", args=["{server}", PORT, "no-reuse"], ready=True),
        demo("time_wait_client", on="client", args=["{server}", PORT]),
    ),
)
REUSE = Step(
    "reuse",
    (
        demo(
            "time_wait_server",
            on="server",
            args=["{server}", OTHER_PORT, "reuse"],
            name="reuses",
            ready=True,
        ),
        demo("time_wait_client", on="client", args=["{server}", OTHER_PORT], name="as-before"),
    ),
)

SCENARIO = Scenario(
    name="time-wait",
    summary="the server closes first, waits, and cannot bind its port again",
    topology=two_hosts(),
    steps=(WAITING, REUSE),
    claims=(
        makes_the_first_to_close_wait.in_each_of(WAITING, REUSE),
        refuses_the_port_of_who_waits.on(WAITING),
        gives_the_port_to_who_asks_for_reuse.on(REUSE),
        closes_each_direction.in_each_of(WAITING, REUSE),
        traces_what_is_printed.in_each_of(WAITING, REUSE),
    ),
    lesson=Lesson(
        question="A server that ended cannot be started again at once. What is in its way?",
        predict="which side is in TIME-WAIT, and what bind() returns, without and with the option",
        look="whose FIN is first, the last states, and the second bind() in each step",
        answer=(
            "Its own connection. Who closes first waits in TIME-WAIT, so that its last ACK can "
            "be sent again and old segments meet no new connection. SO_REUSEADDR says that the "
            "port may be bound all the same."
        ),
        claims=(
            makes_the_first_to_close_wait,
            refuses_the_port_of_who_waits,
            gives_the_port_to_who_asks_for_reuse,
        ),
    ),
)
