"""The same messages over TCP, UDP and a unix stream, over IPv4 and IPv6, side by side."""

from lab.api import Claim, Program, Scenario, Step, two_hosts
from lab.checks.comparison import (
    carries_the_same_messages,
    costs_frames_to_connect,
    keeps_boundaries_in_datagrams_only,
)
from lab.checks.link import puts_no_frame_anywhere

PORT = "4242"
PATH = "/run/wirelab/compare.sock"

TOPOLOGY = two_hosts()


def exchange(step: str, *words: str) -> Step:
    """A server and a client that talk over the socket that the words name."""
    return Step(
        step,
        (
            Program(
                f"{step}-server",
                host="server",
                argv=("{python}", "-IS", "{demos}/compare_server.py", *words),
                signals_ready=True,
            ),
            Program(
                f"{step}-client",
                host="client",
                argv=("{python}", "-IS", "{demos}/compare_client.py", *words),
            ),
        ),
    )


STEPS = (
    exchange("tcp-ipv4", "tcp", "{server4}", PORT),
    exchange("tcp-ipv6", "tcp", "{server6}", PORT),
    exchange("udp-ipv4", "udp", "{server4}", PORT),
    exchange("udp-ipv6", "udp", "{server6}", PORT),
    exchange("unix", "unix", PATH),
)

CLAIMS = (
    Claim(
        "compare-messages",
        "Each of them carries the same messages there and the answer back.",
        "socket(7)",
        carries_the_same_messages,
        steps=tuple(step.name for step in STEPS),
    ),
    Claim(
        "compare-connection-ipv4",
        "TCP pays for its connection with frames and a round trip; UDP has none (IPv4).",
        "RFC 9293, 3.5 and 3.6; RFC 768",
        costs_frames_to_connect,
        steps=("tcp-ipv4", "udp-ipv4"),
    ),
    Claim(
        "compare-connection-ipv6",
        "TCP pays for its connection with frames and a round trip; UDP has none (IPv6).",
        "RFC 9293, 3.5 and 3.6; RFC 768",
        costs_frames_to_connect,
        steps=("tcp-ipv6", "udp-ipv6"),
    ),
    Claim(
        "compare-boundaries",
        "Datagrams keep message boundaries; a TCP or unix stream does not.",
        "socket(2), SOCK_STREAM and SOCK_DGRAM",
        keeps_boundaries_in_datagrams_only,
        statements=("T1", "T2"),
        steps=tuple(step.name for step in STEPS),
    ),
    Claim(
        "compare-silence",
        "The unix stream carries them without a frame, on any device of either host.",
        "unix(7)",
        puts_no_frame_anywhere,
        statements=("S2", "U1"),
        steps=("unix",),
    ),
)

SCENARIO = Scenario(
    name="compare",
    summary="the same messages over TCP, UDP and a unix stream, side by side",
    topology=TOPOLOGY,
    steps=STEPS,
    claims=CLAIMS,
    speaks_ip=False,  # both versions are in it
    captures_loopback=True,
)
