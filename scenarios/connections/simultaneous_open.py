"""Two hosts that connect to each other at the same moment."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.simultaneous import answers_each_syn, opens_from_both_sides
from lab.checks.faults.conversations import strikes_what_its_rules_name
from lab.checks.tcp import delivers_every_byte

PORT, OTHER_PORT = 4242, 4343
MEETING = "/run/wirelab/meeting"

SCENARIO = Scenario(
    name="simultaneous-open",
    summary="two SYNs cross, and make one connection, although nobody listens",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo(
                    "simultaneous_open",
                    on="server",
                    args=["{server}", OTHER_PORT, "{client}", PORT, MEETING],
                    ready=True,
                ),
                demo(
                    "simultaneous_open",
                    on="client",
                    args=["{client}", PORT, "{server}", OTHER_PORT, MEETING],
                ),
            ),
            # So long is a SYN on its way that the other side has called connect() as well.
            wire=("client-server delay 250 tcp",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        opens_from_both_sides,
        answers_each_syn,
        delivers_every_byte,
        traces_what_is_printed,
    ),
    lesson=Lesson(
        question="Both sides connect to each other and neither listens. What becomes of that?",
        predict="how many connections there are, and the state of each side when a SYN comes",
        look="the two SYNs that cross, and the two SYN-ACKs that answer them",
        answer=(
            "One connection. Each side takes the other's SYN for what it is, goes from SYN-SENT "
            "to SYN-RECEIVED, and answers with a SYN-ACK that has its own SYN's number again."
        ),
        claims=(
            opens_from_both_sides,
            answers_each_syn,
        ),
    ),
)
