"""The first two SYNs are lost: who notices, and when."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    sends_again_what_is_lost,
    strikes_what_its_rules_name,
    waits_a_second_at_first,
)
from lab.checks.faults.counters import counts_what_it_sends_again
from lab.checks.faults.timers import doubles_its_timeout, is_sent_again_by_the_timer
from lab.checks.tcp import (
    closes_each_direction,
    delivers_every_byte,
    opens_with_three_segments,
)

PORT = 4242

SCENARIO = Scenario(
    name="loss-syn",
    summary="the first two SYNs are lost",
    # From Linux 6.5 on the first SYNs are sent again a second apart, unless this is set.
    topology=two_hosts(
        sysctls={"net.ipv4.tcp_syn_retries": 6, "-net.ipv4.tcp_syn_linear_timeouts": 0}
    ),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
            wire=("client>server drop SYN from 1 to 2",),
        ),
    ),
    claims=(
        strikes_what_its_rules_name,
        sends_again_what_is_lost,
        waits_a_second_at_first,
        doubles_its_timeout,
        counts_what_it_sends_again,
        is_sent_again_by_the_timer,
        opens_with_three_segments,
        delivers_every_byte,
        closes_each_direction,
    ),
    lesson=Lesson(
        question="The SYN is lost, and lost again. What does connect() do?",
        predict="how long connect() takes",
        look="the times between the SYNs; connect() around all of them",
        answer=(
            "connect() waits. Nothing is known of the round trip yet, so the client sends the "
            "same SYN again after a second, and after two more; then it is connected."
        ),
        claims=(
            sends_again_what_is_lost,
            waits_a_second_at_first,
            doubles_its_timeout,
        ),
    ),
)
