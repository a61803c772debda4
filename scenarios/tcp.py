"""A TCP conversation: how it opens, carries bytes both ways, and closes."""

from lab.api import Claim, Program, Scenario, Step, two_hosts
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

PORT = "4242"

TOPOLOGY = two_hosts()

SERVER = Program(
    "server",
    host="server",
    argv=("{python}", "-IS", "{demos}/inet_stream_server.py", "{server}", PORT),
    signals_ready=True,
)

CLIENT = Program(
    "client",
    host="client",
    argv=("{python}", "-IS", "{demos}/inet_stream_client.py", "{server}", PORT),
)

CLAIMS = (
    Claim(
        "tcp-neighbour",
        "ARP or Neighbor Discovery comes first: it finds the hardware address.",
        "RFC 826; RFC 4861, 7.2",
        finds_the_neighbour_first,
    ),
    Claim(
        "tcp-opens",
        "The connection opens with SYN, SYN-ACK and ACK, whose numbers fit.",
        "RFC 9293, 3.5",
        opens_with_three_segments,
        statements=("T1", "I3"),
    ),
    Claim(
        "tcp-options",
        "The options in force are those that both sides offered in their SYN.",
        "RFC 9293, 3.7.1; RFC 7323, 2.2 and 3.2; RFC 2018, 2",
        uses_the_options_both_offered,
    ),
    Claim(
        "tcp-no-early-payload",
        "No payload travels before the connection is open.",
        "RFC 9293, 3.5",
        sends_no_payload_before_it_is_open,
        statements=("I3",),
    ),
    Claim(
        "tcp-family",
        "AF_INET puts EtherType 0x0800 and IP version 4 on the wire.",
        "ip(7); ipv6(7); RFC 894; RFC 2464, 3",
        speaks_its_family,
        statements=("D1", "I2"),
        ipv6_text="AF_INET6 puts EtherType 0x86dd and IP version 6 on the wire.",
    ),
    Claim(
        "tcp-bytes",
        "Every byte sent arrives, both ways: what is sent, seen and read is the same.",
        "RFC 9293, 2.2; tcp(7)",
        delivers_every_byte,
        statements=("S1", "S2", "I1"),
    ),
    Claim(
        "tcp-boundaries",
        "A stream keeps no message boundaries: reads are cut otherwise than sends.",
        "RFC 9293, 3.9.1; socket(2), SOCK_STREAM",
        keeps_no_message_boundaries,
        statements=("T1",),
    ),
    Claim(
        "tcp-acknowledged",
        "Every byte is acknowledged.",
        "RFC 9293, 3.4",
        acknowledges_every_byte,
        statements=("I3",),
    ),
    Claim(
        "tcp-closes",
        "Each direction closes with a FIN and its acknowledgement.",
        "RFC 9293, 3.6",
        closes_each_direction,
        statements=("I3",),
    ),
    Claim(
        "tcp-checksums",
        "Every checksum is right.",
        "RFC 1071; RFC 9293, 3.1; RFC 791, 3.1; RFC 8200, 8.1",
        has_right_checksums,
    ),
    Claim(
        "tcp-connect",
        "The SYN leaves after connect() is entered, and connect() returns after the SYN-ACK came.",
        "connect(2); RFC 9293, 3.9.1",
        connects_around_the_handshake,
    ),
    Claim(
        "tcp-accept",
        "accept() returns after the handshake's last ACK arrived.",
        "accept(2); listen(2)",
        accepts_after_the_handshake,
    ),
    Claim(
        "tcp-accounting",
        "The bytes that calls sent are those on the wire, and those that calls read.",
        "send(2); recv(2); RFC 9293, 3.4",
        reads_each_byte_of_streams,
        statements=("I1",),
    ),
    Claim(
        "tcp-traced",
        "What the programs say they called is what the kernel was asked.",
        "syscalls(2)",
        traces_what_is_printed,
    ),
)

SCENARIO = Scenario(
    name="tcp",
    summary="a stream between a client and a server: handshake, bytes, farewell",
    topology=TOPOLOGY,
    steps=(Step("conversation", (SERVER, CLIENT)),),
    claims=CLAIMS,
)
