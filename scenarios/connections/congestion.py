"""A link with a rate and a short queue: a sender finds out what it carries, and loses doing so."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.congestion import (
    doubles_until_the_loss,
    doubles_with_cubic,
    sends_less_after_the_loss,
    sends_less_with_cubic,
)
from lab.checks.faults.conversations import sends_again_what_is_lost, strikes_what_its_rules_name
from lab.checks.faults.counters import counts_what_it_sends_again
from lab.checks.tcp import delivers_every_byte

ADDRESS = ("{server}", 4242)

RENO = Step(
    "reno",
    (
        demo("bulk_reader", on="server", args=ADDRESS, ready=True),
        demo("congestion_sender", on="client", args=[*ADDRESS, "reno", 560]),
    ),
    wire=("client>server rate 5M queue 22", "client-server delay 30"),
)
CUBIC = Step(
    "cubic",
    (
        demo("bulk_reader", on="server", args=ADDRESS, name="reader", ready=True),
        demo("congestion_sender", on="client", args=[*ADDRESS, "cubic", 300], name="sender"),
    ),
    # A shorter queue: cubic stops doubling once round trips take longer (RFC 9406).
    wire=("client>server rate 4M queue 12", "client-server delay 16"),
)

SCENARIO = Scenario(
    name="congestion",
    summary="slow start on a link with a rate and a queue, a loss, and recovery",
    topology=two_hosts(
        sysctls={
            # What the first step's connection found out is no start for the second one's.
            "net.ipv4.tcp_no_metrics_save": 1,
            # Neither buffer is what limits the sender.
            "client:net.ipv4.tcp_wmem": "4096 1000000 4000000",
            "server:net.ipv4.tcp_rmem": "4096 1000000 4000000",
        }
    ),
    steps=(RENO, CUBIC),
    claims=(
        strikes_what_its_rules_name.in_each_of(RENO, CUBIC),
        doubles_until_the_loss.on(RENO),
        sends_less_after_the_loss.on(RENO),
        doubles_with_cubic.on(CUBIC),
        sends_less_with_cubic.on(CUBIC),
        sends_again_what_is_lost.in_each_of(RENO, CUBIC),
        delivers_every_byte.in_each_of(RENO, CUBIC),
        counts_what_it_sends_again.in_each_of(RENO, CUBIC),
        traces_what_is_printed.in_each_of(RENO, CUBIC),
    ),
    lesson=Lesson(
        question="How much may be on its way to a receiver that is behind a link nobody knows?",
        predict="how many segments leave in each round trip, until one is lost and after that",
        look="the sequence graph of each step: its slope, the gap, and its slope after that",
        answer=(
            "TCP tries: it begins with some ten segments and doubles them every round trip, "
            "until the link's queue is full and something is lost. That it sends again, and goes "
            "on with less. Nothing is lost for good."
        ),
        claims=(
            doubles_until_the_loss,
            sends_less_after_the_loss,
            sends_again_what_is_lost,
        ),
    ),
)
