"""A resolver asks a name server: over UDP, and over TCP where the answer does not fit."""

from lab.api import Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import has_right_checksums
from lab.checks.networks.dns import (
    answers_what_was_asked,
    asks_again_over_tcp,
    cuts_what_is_too_long,
    says_that_there_is_none,
)
from lab.checks.tcp import closes_each_direction, opens_with_three_segments

SERVER = ("{ns}", 53)
QUESTIONS = ("www.example.", "A", "long.example.", "TXT", "no.example.", "A")

SCENARIO = Scenario(
    name="dns",
    summary="a name looked up over UDP, one over TCP too, and one that is not there",
    topology=laid_out([("resolver", "ns")]),
    steps=(
        Step(
            "lookups",
            (
                demo(
                    "dns_server",
                    on="ns",
                    args=[*SERVER, 4],
                    ready=True,
                    capabilities=("CAP_NET_BIND_SERVICE",),
                ),
                demo("dns_client", on="resolver", args=[*SERVER, *QUESTIONS]),
            ),
        ),
    ),
    claims=(
        answers_what_was_asked,
        cuts_what_is_too_long,
        asks_again_over_tcp,
        says_that_there_is_none,
        opens_with_three_segments,
        closes_each_direction,
        has_right_checksums,
    ),
    lesson=Lesson(
        question="A resolver asks for three names. When is one datagram each way not enough?",
        predict=(
            "by what the resolver knows which question an answer is to; what comes back of an "
            "answer of 669 bytes"
        ),
        look="the numbers behind query and answer; what follows the answer that is truncated",
        answer=(
            "A datagram asks, a datagram answers, with the same number and the same question. What "
            "is longer than 512 bytes is cut and has TC set: the same question then goes over TCP, "
            "where a message comes behind its length, since a stream has no boundaries. A name "
            "that is not there is an answer too: NXDOMAIN."
        ),
        claims=(
            answers_what_was_asked,
            cuts_what_is_too_long,
            asks_again_over_tcp,
            says_that_there_is_none,
        ),
    ),
)
