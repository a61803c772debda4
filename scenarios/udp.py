"""Datagrams: sent alone, cut to fit, lost without a word, and refused."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.link import finds_the_neighbour_first, has_right_checksums
from lab.checks.traced import reads_each_byte_of_datagrams
from lab.checks.udp.delivery import (
    begins_with_data,
    delivers_the_empty_datagram,
    keeps_message_boundaries,
    loses_what_the_buffer_does_not_hold,
    names_where_it_came_from,
    sends_nothing_but_data,
    speaks_its_family_in_datagrams,
)
from lab.checks.udp.fragments import cuts_into_fragments, reads_fragments_as_one
from lab.checks.udp.unreachable import (
    answers_port_unreachable,
    reports_to_only_the_connected_socket,
)

PORT, PORT_OF_NOBODY = 4242, 4343
SMALL_BUFFER, LARGE_BUFFER = 16, 65535
ADDRESS = ("{server}", PORT)

CONVERSATION = Step(
    "conversation",
    (
        demo("inet_dgram_server", on="server", args=ADDRESS, ready=True),
        demo("inet_dgram_client", on="client", args=ADDRESS),
    ),
)
TRUNCATION = Step(
    "truncation",
    (
        demo(
            "inet_dgram_reader",
            on="server",
            args=(*ADDRESS, SMALL_BUFFER),
            name="short-reader",
            ready=True,
        ),
        demo("inet_dgram_sender", on="client", args=(*ADDRESS, 40, 7), name="sender"),
    ),
)
FRAGMENTS = Step(
    "fragments",
    (
        demo(
            "inet_dgram_reader",
            on="server",
            args=(*ADDRESS, LARGE_BUFFER),
            name="reader",
            ready=True,
        ),
        demo("inet_dgram_sender", on="client", args=(*ADDRESS, 4000, 7), name="large-sender"),
    ),
)
NOBODY = Step(
    "nobody",
    (demo("inet_dgram_nobody", on="client", args=("{server}", PORT_OF_NOBODY), name="asker"),),
)
EVERY_STEP = (CONVERSATION, TRUNCATION, FRAGMENTS, NOBODY)

SCENARIO = Scenario(
    name="udp",
    summary="datagrams: alone, empty, cut short, in fragments, and to nobody",
    topology=two_hosts(),
    steps=EVERY_STEP,
    claims=(
        finds_the_neighbour_first,
        begins_with_data,
        keeps_message_boundaries,
        names_where_it_came_from,
        delivers_the_empty_datagram,
        sends_nothing_but_data,
        speaks_its_family_in_datagrams.on(*EVERY_STEP),
        loses_what_the_buffer_does_not_hold.on(TRUNCATION),
        cuts_into_fragments.on(FRAGMENTS),
        reads_fragments_as_one.on(FRAGMENTS),
        answers_port_unreachable.on(NOBODY),
        reports_to_only_the_connected_socket.on(NOBODY),
        has_right_checksums.on(*EVERY_STEP).saying(
            "Every checksum is right, the reassembled datagram's too.",
            source="RFC 1071; RFC 768; RFC 791, 3.1; RFC 8200, 8.1; RFC 4443, 2.3",
        ),
        reads_each_byte_of_datagrams,
        traces_what_is_printed.on(*EVERY_STEP),
    ),
    lesson=Lesson(
        question="What becomes of a datagram: of its boundaries, its rest, its receiver?",
        predict=(
            "what a datagram of 40 bytes is, read with a buffer of 16; and one of 4,000 on the wire"
        ),
        look="the first frame of each step; what each read returns",
        answer=(
            "Each datagram goes alone and is read whole or cut short, never in part twice. IP "
            "fragments a large one. ICMP says that nobody listens, which only a connected "
            "socket reports."
        ),
        claims=(
            begins_with_data,
            keeps_message_boundaries,
            loses_what_the_buffer_does_not_hold,
            cuts_into_fragments,
            reports_to_only_the_connected_socket,
        ),
    ),
)
