"""A TCP conversation: how it opens, carries bytes both ways, and closes."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.link import finds_the_neighbour_first, has_right_checksums
from lab.checks.tcp import (
    acknowledges_every_byte,
    closes_each_direction,
    delivers_every_byte,
    keeps_no_message_boundaries,
    opens_with_three_segments,
    sends_no_payload_before_it_is_open,
    speaks_its_family,
    uses_the_options_both_offered,
)
from lab.checks.traced import (
    accepts_after_the_handshake,
    connects_around_the_handshake,
    reads_each_byte_of_streams,
)

PORT = 4242

SERVER = demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True)
CLIENT = demo("inet_stream_client", on="client", args=["{server}", PORT])

SCENARIO = Scenario(
    name="tcp",
    summary="a stream between a client and a server: handshake, bytes, close",
    topology=two_hosts(),
    steps=(Step("conversation", (SERVER, CLIENT)),),
    claims=(
        finds_the_neighbour_first,
        opens_with_three_segments,
        uses_the_options_both_offered,
        sends_no_payload_before_it_is_open,
        speaks_its_family,
        delivers_every_byte,
        keeps_no_message_boundaries,
        acknowledges_every_byte,
        closes_each_direction,
        has_right_checksums,
        connects_around_the_handshake,
        accepts_after_the_handshake,
        reads_each_byte_of_streams,
        traces_what_is_printed,
    ),
    lesson=Lesson(
        question="What do connect(), send() and close() put on the wire?",
        predict="the segments before the first byte; the reads that three sends take",
        look="the frames inside connect(); recvfrom() beside sendto()",
        answer=(
            "Three segments go before, inside connect(). All bytes arrive, but not in the "
            "pieces they were sent in. Each direction closes by itself."
        ),
        claims=(opens_with_three_segments, keeps_no_message_boundaries, closes_each_direction),
    ),
)
