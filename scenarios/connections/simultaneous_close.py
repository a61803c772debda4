"""Two sides of a connection that close it at the same moment."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.simultaneous import closes_from_both_sides
from lab.checks.faults.conversations import strikes_what_its_rules_name
from lab.checks.tcp import closes_each_direction

ADDRESS = ("{server}", 4242)
MEETING = "/run/wirelab/meeting"

SCENARIO = Scenario(
    name="simultaneous-close",
    summary="two FINs cross, and both sides wait at the end",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo(
                    "simultaneous_close",
                    on="server",
                    args=["listen", *ADDRESS, MEETING],
                    ready=True,
                ),
                demo("simultaneous_close", on="client", args=["connect", *ADDRESS, MEETING]),
            ),
            # So long is a FIN on its way that the other side has called close() as well.
            wire=("client-server delay 250 tcp",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        closes_from_both_sides,
        closes_each_direction,
        traces_what_is_printed,
    ),
    lesson=Lesson(
        question="Both sides close at the same moment. Who of them has to wait?",
        predict="the state of each side when a FIN comes, and its last one",
        look="the two FINs that cross, and the states beside what acknowledges them",
        answer=(
            "Both. A FIN that comes before the ACK of one's own makes FIN-WAIT-1 CLOSING, a "
            "state that no other ending has, and that ACK makes it TIME-WAIT, on both sides."
        ),
        claims=(closes_from_both_sides,),
    ),
)
