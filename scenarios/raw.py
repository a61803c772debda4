"""Sockets below TCP and UDP: IP packets, frames, and a TCP connection made by hand."""

from lab.api import Lesson, Program, Scenario, Step, demo, two_hosts
from lab.checks.link import has_right_checksums
from lab.checks.raw import (
    carries_bytes_by_hand,
    leaves_an_unowned_address_alone,
    makes_unix_raw_a_datagram_socket,
    needs_the_capability,
    receives_cooked_frames,
    receives_the_ip_header_over_ipv4_only,
    receives_whole_frames,
    resets_what_it_does_not_know,
    sends_the_header_we_wrote,
)
from lab.checks.tcp import closes_each_direction, opens_with_three_segments

ADDRESS = ("{server}", 4242)
RAW = ("CAP_NET_RAW",)

# Within the link's net and nobody's: 198.51.100.19 or 2001:db8::19, as {client} ends in 1.
OWNED_BY_NOBODY = "{client}9"
HARDWARE_OF_NOBODY = "02:00:00:00:00:19"


def frames_receiver(name: str, kind: str) -> Program:
    """A packet socket of that type on the server."""
    words = ("eth0", kind, "{family}")
    return demo("raw_frames", on="server", args=words, name=name, ready=True, capabilities=RAW)


def server(name: str) -> Program:
    """The TCP server of the scenario tcp: it does not know who made its peer's segments."""
    return demo("inet_stream_server", on="server", args=ADDRESS, name=name, ready=True)


def by_hand(name: str, address: str, *hardware: str) -> Program:
    """A connection made by hand, from an IP address and perhaps a hardware address."""
    return demo(
        "raw_by_hand",
        on="client",
        args=("eth0", address, *ADDRESS, *hardware),
        name=name,
        ready=True,
        capabilities=RAW,
        packages=True,  # scapy
    )


PERMISSION = Step(
    "permission",
    (demo("raw_without_capability", on="client", name="ordinary"),),
)
PACKETS = Step(
    "packets",
    (
        demo(
            "raw_receiver",
            on="server",
            args=["{server}"],
            name="packets",
            ready=True,
            capabilities=RAW,
        ),
        frames_receiver("frames", "SOCK_RAW"),
        frames_receiver("cooked", "SOCK_DGRAM"),
        demo(
            "raw_sender",
            on="client",
            args=["{client}", "{server}"],
            name="sender",
            capabilities=RAW,
        ),
    ),
)
UNINVITED = Step(
    "uninvited",
    (
        server("first-server"),
        by_hand("disowned", "{client}"),
        # The server still waits for its one client.
        demo("inet_stream_client", on="client", args=ADDRESS, name="kernels"),
    ),
)
BY_HAND = Step(
    "by-hand",
    (server("second-server"), by_hand("hand", OWNED_BY_NOBODY, HARDWARE_OF_NOBODY)),
)

SCENARIO = Scenario(
    name="raw",
    summary="IP packets, frames, and a TCP connection made by hand, past the kernel",
    topology=two_hosts(),
    steps=(PERMISSION, PACKETS, UNINVITED, BY_HAND),
    claims=(
        needs_the_capability.on(PERMISSION),
        makes_unix_raw_a_datagram_socket.on(PERMISSION),
        receives_the_ip_header_over_ipv4_only.on(PACKETS),
        sends_the_header_we_wrote.on(PACKETS),
        receives_whole_frames.on(PACKETS),
        receives_cooked_frames.on(PACKETS),
        resets_what_it_does_not_know.on(UNINVITED),
        leaves_an_unowned_address_alone.on(BY_HAND),
        opens_with_three_segments.on(BY_HAND)
        .saying("The connection made by hand opens with SYN, SYN-ACK and ACK, whose numbers fit.")
        .deciding(),
        carries_bytes_by_hand.on(BY_HAND),
        closes_each_direction.on(BY_HAND).deciding(),
        has_right_checksums.on(BY_HAND).saying("Every checksum computed by hand is right."),
    ),
    lesson=Lesson(
        question="What can a raw socket see and send that TCP and UDP sockets cannot?",
        predict="what the kernel does when a SYN-ACK arrives for a SYN that it did not send",
        look="the RST in the step uninvited; the handshake in the step by-hand",
        answer=(
            "Headers, and whole frames. A connection made by hand is reset by the kernel, "
            "which knows nothing of it, unless nobody owns its address."
        ),
        claims=(
            needs_the_capability,
            receives_whole_frames,
            resets_what_it_does_not_know,
            leaves_an_unowned_address_alone,
        ),
    ),
)
