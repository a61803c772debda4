"""The way to a host, found by packets that die on it: by hand, with scapy, and by traceroute(8)."""

from lab.api import Lesson, Scenario, Step, chain, demo
from lab.checks.link import has_right_checksums
from lab.checks.networks.forwarding import counts_the_ttl_down
from lab.checks.networks.traceroute import (
    answers_where_the_ttl_ends,
    is_answered_by_the_host,
    reads_the_error_queue,
)

BY_HAND = Step(
    "by-hand",
    (demo("traceroute_by_hand", on="h1", args=["{h4}", 33434], name="prober"),),
)
SCAPY = Step(
    "scapy",
    (
        demo(
            "traceroute_scapy",
            on="h1",
            args=["{h1}", "{h4}"],
            name="echoes",
            capabilities=("CAP_NET_RAW",),
            packages=True,
        ),
    ),
)
SYSTEM = Step(
    "system",
    (demo("traceroute_system", on="h1", args=["{h4}"], name="traceroute"),),
)

SCENARIO = Scenario(
    name="traceroute",
    summary="packets that die at the first router, at the second, and at last arrive",
    topology=chain(4),
    steps=(BY_HAND, SCAPY, SYSTEM),
    claims=(
        answers_where_the_ttl_ends.in_each_of(BY_HAND, SCAPY),
        is_answered_by_the_host.in_each_of(BY_HAND, SCAPY),
        reads_the_error_queue.on(BY_HAND),
        answers_where_the_ttl_ends.on(SYSTEM).saying(
            "The system's traceroute does the same.", name="system", source="traceroute(8)"
        ),
        counts_the_ttl_down.in_each_of(BY_HAND, SCAPY),
        has_right_checksums.on(BY_HAND, SCAPY),
    ),
    lesson=Lesson(
        question="No router tells its name. How does traceroute learn who is on the way?",
        predict="who answers a packet with TTL 1, with TTL 2, with TTL 3; and what",
        look="how far each probe goes, and who sends the ICMP message behind it",
        answer=(
            "Each router counts the TTL down. Who comes to 0 throws the packet away and says so: "
            "ICMP Time Exceeded, from its own address. The host itself answers otherwise, since "
            "there the packet has arrived: nobody listens on that port."
        ),
        claims=(answers_where_the_ttl_ends, is_answered_by_the_host),
    ),
)
