"""The same messages over TCP, UDP and a unix stream, over IPv4 and IPv6, side by side."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.comparison import (
    carries_the_same_messages,
    costs_frames_to_connect,
    costs_of_sockets,
    keeps_boundaries_in_datagrams_only,
)
from lab.checks.link import puts_no_frame_anywhere

PORT = 4242


def exchange(step: str, *words: str | int) -> Step:
    """A server and a client that talk over the socket that the words name."""
    return Step(
        step,
        (
            demo("compare_server", on="server", args=words, name=f"{step}-server", ready=True),
            demo("compare_client", on="client", args=words, name=f"{step}-client"),
        ),
    )


TCP_IPV4 = exchange("tcp-ipv4", "tcp", "{server4}", PORT)
TCP_IPV6 = exchange("tcp-ipv6", "tcp", "{server6}", PORT)
UDP_IPV4 = exchange("udp-ipv4", "udp", "{server4}", PORT)
UDP_IPV6 = exchange("udp-ipv6", "udp", "{server6}", PORT)
UNIX = exchange("unix", "unix", "/run/wirelab/compare.sock")
EVERY_STEP = (TCP_IPV4, TCP_IPV6, UDP_IPV4, UDP_IPV6, UNIX)

SCENARIO = Scenario(
    name="compare",
    summary="the same messages over TCP, UDP and a unix stream, side by side",
    topology=two_hosts(),
    steps=EVERY_STEP,
    claims=(
        carries_the_same_messages.on(*EVERY_STEP),
        costs_frames_to_connect.on(TCP_IPV4, UDP_IPV4).saying(
            "TCP pays for its connection with frames and a round trip; UDP has none (IPv4).",
            name="connection-ipv4",
        ),
        costs_frames_to_connect.on(TCP_IPV6, UDP_IPV6).saying(
            "TCP pays for its connection with frames and a round trip; UDP has none (IPv6).",
            name="connection-ipv6",
        ),
        keeps_boundaries_in_datagrams_only.on(*EVERY_STEP),
        puts_no_frame_anywhere.on(UNIX)
        .saying(
            "The unix stream carries them without a frame, on any device of either host.",
            source="unix(7)",
            name="silence",
        )
        .deciding("S2", "U1"),
    ),
    speaks_ip=False,  # both versions are in it
    captures_loopback=True,
    lesson=Lesson(
        question="What do the same messages cost over TCP, UDP and a unix stream?",
        predict="how many frames each takes for three messages there and an answer back",
        look="the table, a column for each socket",
        answer=(
            "TCP pays with frames and a round trip to open and to close, UDP with neither, "
            "and the unix stream puts no frame on any device."
        ),
        claims=(
            costs_frames_to_connect,
            keeps_boundaries_in_datagrams_only,
            puts_no_frame_anywhere,
        ),
    ),
    table=costs_of_sockets,
)
