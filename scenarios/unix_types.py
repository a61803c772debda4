"""The types of unix sockets: what each keeps and loses, and what only they can pass."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.link import puts_no_frame_anywhere
from lab.checks.unix.types import (
    blocks_when_the_queue_is_full,
    ends_with_its_connection,
    internet_passes_neither,
    keeps_boundaries_and_order,
    keeps_bytes_and_no_boundaries,
    loses_the_rest_of_a_short_read,
    makes_raw_a_datagram_socket,
    names_its_peer,
    needs_a_connection,
    passes_a_descriptor,
)

FOLDER = "/run/wirelab"


def messages(step: str, kind: str) -> Step:
    """Three messages each over a path, an abstract name and a pair without a name."""
    names = {"path": (f"{FOLDER}/{step}",), "abstract": (f"@{step}",), "unnamed": ()}
    return Step(
        step,
        tuple(
            demo("unix_messages", on="server", args=(kind, *name), name=f"{step}-{word}")
            for word, name in names.items()
        ),
    )


STREAM = messages("stream", "SOCK_STREAM")
DATAGRAM = messages("datagram", "SOCK_DGRAM")
SEQPACKET = messages("seqpacket", "SOCK_SEQPACKET")
TYPES = (STREAM, DATAGRAM, SEQPACKET)

QUEUE = Step(
    "queue",
    (
        demo("unix_queue", on="server", args=[f"{FOLDER}/queue"], name="queue-path"),
        demo("unix_queue", on="server", name="queue-unnamed"),
    ),
)
RAW = Step("raw", (demo("unix_raw", on="server", name="raw"),))
PASSING = Step(
    "passing",
    (
        demo(
            "unix_pass_receiver", on="server", args=[f"{FOLDER}/pass"], name="receiver", ready=True
        ),
        demo("unix_pass_sender", on="client", args=[f"{FOLDER}/pass"], name="sender"),
    ),
)
INTERNET = Step(
    "internet",
    (demo("inet_pass", on="server", args=["{loopback}"], name="internet"),),
)

SCENARIO = Scenario(
    name="unix-types",
    summary="unix sockets of every type and name, and what only they can pass",
    topology=two_hosts(),
    steps=(*TYPES, QUEUE, RAW, PASSING, INTERNET),
    claims=(
        puts_no_frame_anywhere.on(*TYPES, QUEUE, PASSING)
        .saying("Unix sockets of no type put a frame on any device, lo included.")
        .deciding("D1", "U1", "U3"),
        keeps_bytes_and_no_boundaries.on(STREAM),
        keeps_boundaries_and_order.on(DATAGRAM, SEQPACKET),
        loses_the_rest_of_a_short_read.on(DATAGRAM, SEQPACKET),
        needs_a_connection.on(*TYPES),
        ends_with_its_connection.on(*TYPES),
        blocks_when_the_queue_is_full.on(QUEUE),
        makes_raw_a_datagram_socket.on(RAW),
        passes_a_descriptor.on(PASSING),
        names_its_peer.on(PASSING),
        internet_passes_neither.on(INTERNET),
    ),
    speaks_ip=False,
    captures_loopback=True,
    lesson=Lesson(
        question=(
            "What do unix streams, datagrams and seqpackets keep, and what can only they pass?"
        ),
        predict="which types keep the boundaries of messages; what a short read loses",
        look="what the reads return, by the size of their buffers",
        answer=(
            "Datagrams and seqpackets keep boundaries and order, streams only order; nothing "
            "goes over a wire. Descriptors and credentials pass over unix sockets alone."
        ),
        claims=(
            keeps_bytes_and_no_boundaries,
            keeps_boundaries_and_order,
            passes_a_descriptor,
            names_its_peer,
            internet_passes_neither,
        ),
    ),
)
