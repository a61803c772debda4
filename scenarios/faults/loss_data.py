"""A data segment is lost: how the sender learns which, by an ACK, a timer or a probe."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.faults.conversations import (
    names_what_is_behind_a_gap,
    sends_again_what_is_lost,
    strikes_what_its_rules_name,
)
from lab.checks.faults.counters import counts_what_it_sends_again
from lab.checks.faults.timers import (
    doubles_its_timeout,
    fills_the_gap_that_the_probe_showed,
    is_sent_again_by_the_timer,
    probes_the_tail,
    recovers_without_a_timeout,
)
from lab.checks.tcp import acknowledges_every_byte, closes_each_direction, delivers_every_byte

PORT = 4242
FAST = Step(
    "fast retransmit",
    (
        demo("bulk_reader", on="server", args=["{server}", PORT], ready=True),
        demo("bulk_sender", on="client", args=["{server}", PORT]),
    ),
    wire=("client-server delay 5", "client>server drop data 3"),
)
# The server's kernel has no tail loss probes: there the program that sends is at work.
TIMEOUT = Step(
    "timeout",
    (
        demo("loss_server", on="client", args=["{client}", PORT, 1000], name="reads", ready=True),
        demo("loss_client", on="server", args=["{client}", PORT, 1], name="sends-one"),
    ),
    wire=("client-server delay 5", "server>client drop data from 1 to 2"),
)
# What is sent again takes longer than anything else: an ACK of it that came as soon as those of the
# others might be one of the first copy, and shows the sender nothing (RFC 8985, 6.2, step 2).
PROBE = Step(
    "tail loss probe",
    (
        demo("loss_server", on="server", args=["{server}", PORT, 4000], name="answers", ready=True),
        demo("loss_client", on="client", args=["{server}", PORT, 4], name="sends-four"),
    ),
    wire=(
        "client-server delay 5",
        "client>server delay 60 retransmission",
        "client>server drop data from 3 to 4",
    ),
)
STEPS = (FAST, TIMEOUT, PROBE)

SCENARIO = Scenario(
    name="loss-data",
    summary="data segments are lost: an ACK tells of it, or a timer, or a probe",
    topology=two_hosts(
        sysctls={
            "net.ipv4.tcp_sack": 1,
            "net.ipv4.tcp_timestamps": 1,
            "net.ipv4.tcp_recovery": 1,
            "net.ipv4.tcp_early_retrans": 3,
            "server:net.ipv4.tcp_early_retrans": 0,
            "net.ipv4.tcp_thin_linear_timeouts": 0,
            # Where the timer is not the subject it is to leave time for all else.
            "client:-net.ipv4.tcp_rto_min_us": 1_000_000,
            "server:-net.ipv4.tcp_rto_min_us": 200_000,
        }
    ),
    steps=STEPS,
    claims=(
        strikes_what_its_rules_name.in_each_of(*STEPS),
        sends_again_what_is_lost.in_each_of(*STEPS),
        counts_what_it_sends_again.in_each_of(*STEPS),
        names_what_is_behind_a_gap.on(FAST),
        recovers_without_a_timeout.on(FAST),
        doubles_its_timeout.on(TIMEOUT),
        is_sent_again_by_the_timer.on(TIMEOUT),
        probes_the_tail.on(PROBE),
        fills_the_gap_that_the_probe_showed.on(PROBE),
        delivers_every_byte.in_each_of(*STEPS),
        acknowledges_every_byte.in_each_of(*STEPS),
        closes_each_direction.in_each_of(*STEPS),
    ),
    lesson=Lesson(
        question="A segment with data is lost. How does the sender learn which, and when?",
        predict=(
            "how long the sender waits where segments follow the lost one, where it was the only "
            "one, and where it was the last of several"
        ),
        look="the SACK blocks behind the gap; the times between copies; what the kernels counted",
        answer=(
            "What comes behind a gap is acknowledged by SACK, and the gap is filled within a round "
            "trip or so. Where nothing comes behind it, the timer alone can tell, and each timeout "
            "is twice the one before. A probe after two round trips spares the wait: the last "
            "segment is sent again, and its SACK shows what else is missing."
        ),
        claims=(
            names_what_is_behind_a_gap,
            recovers_without_a_timeout,
            doubles_its_timeout,
            probes_the_tail,
        ),
    ),
)
