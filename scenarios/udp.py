"""Datagrams: sent alone, cut to fit, lost without a word, and refused."""

from lab.api import Claim, Program, Scenario, Step, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.link import finds_the_neighbour_first, has_right_checksums
from lab.checks.traced import reads_each_byte_of_datagrams
from lab.checks.udp.delivery import (
    begins_with_data,
    delivers_the_empty_datagram,
    keeps_message_boundaries,
    loses_what_the_buffer_does_not_hold,
    sends_nothing_but_data,
    speaks_its_family_in_datagrams,
    tells_where_it_came_from,
)
from lab.checks.udp.fragments import cuts_into_fragments, reads_fragments_as_one
from lab.checks.udp.unreachable import (
    answers_port_unreachable,
    tells_only_the_connected_socket,
)

PORT = "4242"
PORT_OF_NOBODY = "4343"
SMALL_BUFFER, LARGE_BUFFER = "16", "65535"

SERVER = Program(
    "server",
    host="server",
    argv=("{python}", "-IS", "{demos}/inet_dgram_server.py", "{server}", PORT),
    signals_ready=True,
)
CLIENT = Program(
    "client",
    host="client",
    argv=("{python}", "-IS", "{demos}/inet_dgram_client.py", "{server}", PORT),
)

SHORT_READER = Program(
    "short-reader",
    host="server",
    argv=("{python}", "-IS", "{demos}/inet_dgram_reader.py", "{server}", PORT, SMALL_BUFFER),
    signals_ready=True,
)
SENDER = Program(
    "sender",
    host="client",
    argv=("{python}", "-IS", "{demos}/inet_dgram_sender.py", "{server}", PORT, "40", "7"),
)

READER = Program(
    "reader",
    host="server",
    argv=("{python}", "-IS", "{demos}/inet_dgram_reader.py", "{server}", PORT, LARGE_BUFFER),
    signals_ready=True,
)
LARGE_SENDER = Program(
    "large-sender",
    host="client",
    argv=("{python}", "-IS", "{demos}/inet_dgram_sender.py", "{server}", PORT, "4000", "7"),
)

ASKER = Program(
    "asker",
    host="client",
    argv=("{python}", "-IS", "{demos}/inet_dgram_nobody.py", "{server}", PORT_OF_NOBODY),
)

CONVERSATION = Step("conversation", (SERVER, CLIENT))
TRUNCATION = Step("truncation", (SHORT_READER, SENDER))
FRAGMENTS = Step("fragments", (READER, LARGE_SENDER))
NOBODY = Step("nobody", (ASKER,))
EVERY_STEP = (CONVERSATION.name, TRUNCATION.name, FRAGMENTS.name, NOBODY.name)

CLAIMS = (
    Claim(
        "udp-neighbour",
        "ARP or Neighbor Discovery comes first: it finds the hardware address.",
        "RFC 826; RFC 4861, 7.2",
        finds_the_neighbour_first,
    ),
    Claim(
        "udp-no-handshake",
        "There is no handshake: the first frame to the neighbour carries data.",
        "RFC 768; udp(7)",
        begins_with_data,
        statements=("T2", "I4"),
    ),
    Claim(
        "udp-boundaries",
        "Each send is one datagram and one read: boundaries are kept, both ways.",
        "RFC 768; udp(7); socket(2), SOCK_DGRAM",
        keeps_message_boundaries,
        statements=("T2", "I1"),
    ),
    Claim(
        "udp-addresses",
        "Each datagram carries its addresses: a reply goes to where recvfrom says it came from.",
        "RFC 768; recvfrom(2)",
        tells_where_it_came_from,
    ),
    Claim(
        "udp-empty",
        "An empty datagram arrives as any other; the 0 that its read returns is not the end.",
        "recv(2), RETURN VALUE; RFC 768",
        delivers_the_empty_datagram,
    ),
    Claim(
        "udp-unacknowledged",
        "Nothing is acknowledged and nothing says farewell: every frame is a program's datagram.",
        "RFC 768; udp(7)",
        sends_nothing_but_data,
        statements=("T2", "I4"),
    ),
    Claim(
        "udp-family",
        "AF_INET puts EtherType 0x0800 on the wire; so do IP's own errors.",
        "ip(7); ipv6(7); RFC 894; RFC 2464, 3",
        speaks_its_family_in_datagrams,
        statements=("D1", "I2"),
        ipv6_text="AF_INET6 puts EtherType 0x86dd on the wire; so do IP's own errors.",
        steps=EVERY_STEP,
    ),
    Claim(
        "udp-truncation",
        "A datagram larger than the reader's buffer loses its tail; MSG_TRUNC tells.",
        "udp(7); recvmsg(2), MSG_TRUNC",
        loses_what_the_buffer_does_not_hold,
        steps=(TRUNCATION.name,),
    ),
    Claim(
        "udp-fragments",
        "IP cuts a datagram larger than the MTU; the first fragment alone has the UDP header.",
        "RFC 791, 3.2; RFC 8200, 4.5; ip(7), IP_MTU_DISCOVER",
        cuts_into_fragments,
        steps=(FRAGMENTS.name,),
    ),
    Claim(
        "udp-reassembly",
        "The receiver's IP makes it whole again: one read returns all of it.",
        "RFC 791, 3.2; RFC 8200, 4.5; udp(7)",
        reads_fragments_as_one,
        statements=("T2",),
        steps=(FRAGMENTS.name,),
    ),
    Claim(
        "udp-unreachable",
        "Where nobody listens, ICMP port unreachable comes back and quotes the datagram.",
        "RFC 1122, 4.1.3.1; RFC 792; RFC 4443, 3.1",
        answers_port_unreachable,
        statements=("I4",),
        steps=(NOBODY.name,),
    ),
    Claim(
        "udp-refused",
        "Only a connected socket is told of it, by ECONNREFUSED; an unconnected one never is.",
        "udp(7), ERRORS; connect(2)",
        tells_only_the_connected_socket,
        statements=("I4",),
        steps=(NOBODY.name,),
    ),
    Claim(
        "udp-checksums",
        "Every checksum is right, the reassembled datagram's too.",
        "RFC 1071; RFC 768; RFC 791, 3.1; RFC 8200, 8.1; RFC 4443, 2.3",
        has_right_checksums,
        steps=EVERY_STEP,
    ),
    Claim(
        "udp-accounting",
        "The bytes that calls sent are those on the wire, and those that calls read.",
        "sendto(2); recvfrom(2); RFC 768",
        reads_each_byte_of_datagrams,
        statements=("I1",),
    ),
    Claim(
        "udp-traced",
        "What the programs say they called is what the kernel was asked.",
        "syscalls(2)",
        traces_what_is_printed,
        steps=EVERY_STEP,
    ),
)

SCENARIO = Scenario(
    name="udp",
    summary="datagrams: alone, empty, cut short, in fragments, and to nobody",
    topology=two_hosts(),
    steps=(CONVERSATION, TRUNCATION, FRAGMENTS, NOBODY),
    claims=CLAIMS,
)
