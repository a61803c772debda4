"""The cable is pulled while something is on its way, and the program will not wait for ever."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.counters import counts_what_it_gave_up
from lab.checks.connections.dead_peers import backs_off, gives_up_after_the_users_timeout
from lab.checks.faults.conversations import strikes_what_its_rules_name
from lab.checks.faults.counters import counts_what_it_sends_again

ADDRESS = ("{server}", 4242, "/run/wirelab/life")

SCENARIO = Scenario(
    name="user-timeout",
    summary="the cable is pulled: retransmissions, each after twice the wait, then the end",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("user_timeout_server", on="server", args=ADDRESS, ready=True),
                demo("user_timeout_client", on="client", args=ADDRESS),
            ),
            # After the client's two ACKs: that of the handshake, and that of the welcome.
            wire=("client-server down after ack 2",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        backs_off,
        gives_up_after_the_users_timeout,
        counts_what_it_sends_again,
        counts_what_it_gave_up,
        traces_what_is_printed,
    ),
    lesson=Lesson(
        question="What was sent is never acknowledged. For how long does TCP go on?",
        predict="when the bytes are sent again, and when the waiting recv() returns, with what",
        look="the times between the copies, and the clocks before send() and after recv()",
        answer=(
            "It sends the bytes again, each time after twice the wait. For how long is the "
            "kernel's to say, some 15 minutes on Linux, or the program's: after "
            "TCP_USER_TIMEOUT milliseconds without an ACK its calls fail with ETIMEDOUT."
        ),
        claims=(
            backs_off,
            gives_up_after_the_users_timeout,
        ),
    ),
)
