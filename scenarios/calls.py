"""read and write beside send and recv and their kin: what is alike, and what only some can do."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.calls import (
    fails_where_it_would_wait,
    holds_back_for_more,
    peeks_without_taking,
    puts_the_same_datagrams_on_the_wire,
    puts_the_same_segments_on_the_wire,
    reads_the_same,
    returns_each_datagrams_source,
    says_what_was_cut,
    sends_out_of_band,
    waits_for_all,
)
from lab.checks.link import has_right_checksums
from lab.checks.traced import reads_each_byte_of_streams

PORT = 4242
CALLS = ("write", "send", "sendto", "sendmsg")


def pair(step: str, page: str, *words: str) -> Step:
    """A server and a client of the same page."""
    ends = (
        demo(
            page,
            on=role,
            args=(role, *words, "{server}", PORT),
            name=f"{step}-{role}",
            ready=role == "server",
        )
        for role in ("server", "client")
    )
    return Step(step, tuple(ends))


STREAMS = tuple(pair(f"stream-{call}", "calls_stream", call) for call in CALLS)
DATAGRAMS = tuple(pair(f"datagram-{call}", "calls_dgram", call) for call in CALLS)
STREAM_FLAGS = pair("stream-flags", "calls_stream_flags")
DATAGRAM_FLAGS = pair("datagram-flags", "calls_dgram_flags")
EVERY_STEP = (*STREAMS, *DATAGRAMS, STREAM_FLAGS, DATAGRAM_FLAGS)

SCENARIO = Scenario(
    name="calls",
    summary="read and write, send and recv and their kin: the same frames, and other powers",
    topology=two_hosts(),
    steps=EVERY_STEP,
    claims=(
        puts_the_same_segments_on_the_wire.on(*STREAMS),
        reads_the_same.on(*STREAMS),
        puts_the_same_datagrams_on_the_wire.on(*DATAGRAMS),
        reads_the_same.on(*DATAGRAMS).saying(
            "On a datagram socket, too, read returns what recv, recvfrom and recvmsg return.",
            name="same-datagram-reads",
        ),
        peeks_without_taking.on(STREAM_FLAGS, DATAGRAM_FLAGS),
        fails_where_it_would_wait.on(STREAM_FLAGS, DATAGRAM_FLAGS),
        waits_for_all.on(STREAM_FLAGS),
        holds_back_for_more.on(STREAM_FLAGS),
        sends_out_of_band.on(STREAM_FLAGS),
        returns_each_datagrams_source.on(DATAGRAM_FLAGS),
        says_what_was_cut.on(DATAGRAM_FLAGS),
        has_right_checksums.on(STREAM_FLAGS).saying(
            "Every checksum of a segment with flags of its own is right.",
            source="RFC 1071; RFC 9293, 3.1",
        ),
        reads_each_byte_of_streams.in_each_of(*STREAMS)
        .saying(
            "Whichever calls move them: the bytes sent are those on the wire, and those read.",
            source="write(2); send(2); read(2); recv(2)",
        )
        .deciding(),
        traces_what_is_printed.on(*EVERY_STEP),
    ),
    lesson=Lesson(
        question="Do write, send, sendto and sendmsg differ on the wire?",
        predict="which of the four takes other segments than the rest",
        look="the table of steps: which frames are the same",
        answer=(
            "No: the same bytes travel in the same segments and datagrams, and are read the "
            "same. Flags and ancillary data are what some of the calls add."
        ),
        claims=(
            puts_the_same_segments_on_the_wire,
            puts_the_same_datagrams_on_the_wire,
            reads_the_same,
        ),
    ),
)
