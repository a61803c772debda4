"""Sockets below TCP and UDP: IP packets, frames, and a TCP connection made by hand."""

from lab.api import (
    Claim,
    Program,
    Scenario,
    Step,
    two_hosts,
)

PORT = "4242"
RAW = ("CAP_NET_RAW",)

# Within the link's net and nobody's: 198.51.100.19 or 2001:db8::19, as {client} ends in 1.
OWNED_BY_NOBODY = "{client}9"
HARDWARE_OF_NOBODY = "02:00:00:00:00:19"

PERMISSION = Step(
    "permission",
    (
        Program(
            "ordinary",
            host="client",
            argv=("{python}", "-IS", "{demos}/raw_without_capability.py"),
        ),
    ),
)


def frames_receiver(name: str, kind: str) -> Program:
    """A packet socket of that type on the server."""
    return Program(
        name,
        host="server",
        argv=("{python}", "-IS", "{demos}/raw_frames.py", "eth0", kind, "{family}"),
        signals_ready=True,
        capabilities=RAW,
    )


PACKETS = Step(
    "packets",
    (
        Program(
            "packets",
            host="server",
            argv=("{python}", "-IS", "{demos}/raw_receiver.py", "{server}"),
            signals_ready=True,
            capabilities=RAW,
        ),
        frames_receiver("frames", "SOCK_RAW"),
        frames_receiver("cooked", "SOCK_DGRAM"),
        Program(
            "sender",
            host="client",
            argv=("{python}", "-IS", "{demos}/raw_sender.py", "{client}", "{server}"),
            capabilities=RAW,
        ),
    ),
)


def server(name: str) -> Program:
    """The TCP server of the scenario tcp: it does not know who made its peer's segments."""
    return Program(
        name,
        host="server",
        argv=("{python}", "-IS", "{demos}/inet_stream_server.py", "{server}", PORT),
        signals_ready=True,
    )


def by_hand(name: str, *addresses: str) -> Program:
    """A connection made by hand, from an IP address and perhaps a hardware address."""
    own, *hardware = addresses
    return Program(
        name,
        host="client",
        # Without -S: scapy is not of the standard library. -P: what lies beside it is not it.
        argv=(
            *("{python}", "-P", "{demos}/raw_by_hand.py", "eth0", own, "{server}", PORT),
            *hardware,
        ),
        signals_ready=True,
        capabilities=RAW,
    )


UNINVITED = Step(
    "uninvited",
    (
        server("first-server"),
        by_hand("disowned", "{client}"),
        # The server still waits for its one client.
        Program(
            "kernels",
            host="client",
            argv=("{python}", "-IS", "{demos}/inet_stream_client.py", "{server}", PORT),
        ),
    ),
)

BY_HAND = Step(
    "by-hand",
    (server("second-server"), by_hand("hand", OWNED_BY_NOBODY, HARDWARE_OF_NOBODY)),
)

CLAIMS: tuple[Claim, ...] = ()

SCENARIO = Scenario(
    name="raw",
    summary="IP packets, frames, and a TCP connection made by hand, past the kernel",
    topology=two_hosts(),
    steps=(PERMISSION, PACKETS, UNINVITED, BY_HAND),
    claims=CLAIMS,
)
