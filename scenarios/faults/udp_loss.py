"""A datagram is lost, and neither side learns of it."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import loses_a_datagram_unnoticed, strikes_what_its_rules_name
from lab.checks.link import has_right_checksums

PORT = 4242

SCENARIO = Scenario(
    name="udp-loss",
    summary="one datagram of four is lost",
    topology=two_hosts(),
    steps=(
        Step(
            "conversation",
            (
                demo("dgram_until_end", on="server", args=["{server}", PORT], ready=True),
                demo("dgram_each_sender", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server drop data 2",),
        ),
    ),
    claims=(strikes_what_its_rules_name, loses_a_datagram_unnoticed, has_right_checksums),
    lesson=Lesson(
        question="A datagram is lost. Which of the two programs is told?",
        predict="what sendto() returns for the lost datagram; what the server reads",
        look="the four calls of sendto(), and the three that recvfrom() returns",
        answer=(
            "Neither. sendto() has returned the whole length, nothing is sent again, and the "
            "server reads the next one as if there had been none between."
        ),
        claims=(loses_a_datagram_unnoticed,),
    ),
)
