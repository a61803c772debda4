"""Sockets below TCP and UDP: IP packets, frames, and a TCP connection made by hand."""

from lab.api import Claim, Program, Scenario, Step, two_hosts
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

CLAIMS = (
    Claim(
        "raw-permission",
        "Without CAP_NET_RAW there is no raw socket and no packet socket: EPERM.",
        "raw(7); packet(7); capabilities(7)",
        needs_the_capability,
        statements=("T5",),
        steps=("permission",),
    ),
    Claim(
        "raw-unix",
        "AF_UNIX takes SOCK_RAW and makes it SOCK_DGRAM.",
        "socket(7), SO_TYPE; Linux, net/unix/af_unix.c",
        makes_unix_raw_a_datagram_socket,
        statements=("T5",),
        steps=("permission",),
    ),
    Claim(
        "raw-header",
        "An AF_INET raw socket receives the IP header with the packet.",
        "raw(7); RFC 3542, 3",
        receives_the_ip_header_over_ipv4_only,
        statements=("T5",),
        ipv6_text="An AF_INET6 raw socket receives what follows the IP header, not the header.",
        steps=("packets",),
    ),
    Claim(
        "raw-hdrincl",
        "With IP_HDRINCL, or IPV6_HDRINCL, the IP header on the wire is the program's own.",
        "raw(7); Linux, include/uapi/linux/in6.h",
        sends_the_header_we_wrote,
        statements=("T5",),
        steps=("packets",),
    ),
    Claim(
        "raw-frames",
        "AF_PACKET SOCK_RAW receives whole frames, from the Ethernet header on.",
        "packet(7)",
        receives_whole_frames,
        statements=("T5",),
        steps=("packets",),
    ),
    Claim(
        "raw-cooked",
        "AF_PACKET SOCK_DGRAM receives them without that header, whose fields its address tells.",
        "packet(7)",
        receives_cooked_frames,
        steps=("packets",),
    ),
    Claim(
        "raw-uninvited",
        "A kernel resets a connection that a program began past it: it knows of none.",
        "RFC 9293, 3.5.2",
        resets_what_it_does_not_know,
        steps=("uninvited",),
    ),
    Claim(
        "raw-unowned",
        "From an address that the kernel does not own no RST goes out: the program's frames only.",
        "RFC 1122, 3.2.1.3; packet(7), PACKET_OTHERHOST",
        leaves_an_unowned_address_alone,
        steps=("by-hand",),
    ),
    Claim(
        "raw-opens",
        "The connection made by hand opens with SYN, SYN-ACK and ACK, whose numbers fit.",
        "RFC 9293, 3.5",
        opens_with_three_segments,
        steps=("by-hand",),
    ),
    Claim(
        "raw-bytes",
        "The server's program cannot tell: it reads the bytes and its own are acknowledged.",
        "RFC 9293, 3.10.7.4",
        carries_bytes_by_hand,
        statements=("T5",),
        steps=("by-hand",),
    ),
    Claim(
        "raw-closes",
        "Each direction closes with a FIN and its acknowledgement.",
        "RFC 9293, 3.6",
        closes_each_direction,
        steps=("by-hand",),
    ),
    Claim(
        "raw-checksums",
        "Every checksum computed by hand is right.",
        "RFC 1071; RFC 9293, 3.1; RFC 791, 3.1; RFC 8200, 8.1",
        has_right_checksums,
        steps=("by-hand",),
    ),
)

SCENARIO = Scenario(
    name="raw",
    summary="IP packets, frames, and a TCP connection made by hand, past the kernel",
    topology=two_hosts(),
    steps=(PERMISSION, PACKETS, UNINVITED, BY_HAND),
    claims=CLAIMS,
)
