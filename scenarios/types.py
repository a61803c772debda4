"""Which sockets there are: domain, type and protocol, and what some of them put on the wire."""

from lab.api import Claim, Family, Program, Scenario, Step, two_hosts
from lab.checks.types import (
    grants_all_unix_types,
    grants_internet_seqpacket_with_sctp_only,
    grants_internet_streams_and_datagrams,
    is_useless_before_connect,
    keeps_messages_over_sctp,
    opens_multipath,
    speaks_ipv4_to_an_ipv4_client,
    tells_what_it_granted,
)

PORT = "4242"

TOPOLOGY = two_hosts()

TABLE = Step(
    "table",
    (
        Program(
            "table",
            host="client",
            argv=("{python}", "-IS", "{demos}/types_table.py"),
        ),
    ),
)

UNCONNECTED = Step(
    "unconnected",
    (
        Program(
            "server",
            host="server",
            argv=("{python}", "-IS", "{demos}/inet_stream_server.py", "{server}", PORT),
            signals_ready=True,
        ),
        Program(
            "early",
            host="client",
            argv=("{python}", "-IS", "{demos}/types_unconnected.py", "{server}", PORT),
        ),
    ),
)

MAPPED = Step(
    "mapped",
    (
        Program(
            "inet6-server",
            host="server",
            argv=("{python}", "-IS", "{demos}/types_mapped_server.py", PORT),
            signals_ready=True,
        ),
        # Over IPv4 in a run of either family: the other side's domain is what this is about.
        Program(
            "inet-client",
            host="client",
            argv=(
                *("{python}", "-IS", "{demos}/inet_stream_client.py"),
                *(str(TOPOLOGY.address("server", Family.IPV4)), PORT),
            ),
        ),
    ),
)

SEQPACKET = Step(
    "seqpacket",
    (
        Program(
            "sctp-server",
            host="server",
            argv=("{python}", "-IS", "{demos}/types_sctp_server.py", "{server}", PORT),
            signals_ready=True,
        ),
        Program(
            "sctp-client",
            host="client",
            argv=("{python}", "-IS", "{demos}/types_sctp_client.py", "{client}", "{server}", PORT),
        ),
    ),
)

MULTIPATH = Step(
    "multipath",
    (
        Program(
            "mptcp-server",
            host="server",
            argv=("{python}", "-IS", "{demos}/types_mptcp_server.py", "{server}", PORT),
            signals_ready=True,
        ),
        Program(
            "mptcp-client",
            host="client",
            argv=("{python}", "-IS", "{demos}/types_mptcp_client.py", "{server}", PORT),
        ),
    ),
)

CLAIMS = (
    Claim(
        "types-unix",
        "AF_UNIX grants SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET.",
        "unix(7)",
        grants_all_unix_types,
        statements=("T4",),
        steps=("table",),
    ),
    Claim(
        "types-internet",
        "AF_INET and AF_INET6 grant SOCK_STREAM, which is TCP, and SOCK_DGRAM, which is UDP.",
        "ip(7); ipv6(7)",
        grants_internet_streams_and_datagrams,
        statements=("T4",),
        steps=("table",),
    ),
    Claim(
        "types-seqpacket",
        "They grant SOCK_SEQPACKET only with SCTP; without it there is ESOCKTNOSUPPORT.",
        "socket(2); RFC 6458, 3.1.1",
        grants_internet_seqpacket_with_sctp_only,
        statements=("T4",),
        steps=("table",),
    ),
    Claim(
        "types-told",
        "SO_DOMAIN, SO_TYPE and SO_PROTOCOL tell what was granted.",
        "socket(7)",
        tells_what_it_granted,
        steps=("table",),
    ),
    Claim(
        "types-unconnected",
        "A stream socket is of no use before connect(): ENOTCONN, and for a send EPIPE.",
        "recv(2); getpeername(2); send(2)",
        is_useless_before_connect,
        statements=("T1",),
        steps=("unconnected",),
    ),
    Claim(
        "types-mapped",
        "An AF_INET6 socket reached by an IPv4 client speaks IPv4 on the wire.",
        "ipv6(7); RFC 3493, 3.7",
        speaks_ipv4_to_an_ipv4_client,
        statements=("D1",),
        steps=("mapped",),
    ),
    Claim(
        "types-sctp",
        "SOCK_SEQPACKET over SCTP keeps every message whole; its frames are IP protocol 132.",
        "RFC 6458, 3.1; RFC 9260, 3.3.1",
        keeps_messages_over_sctp,
        statements=("T4",),
        steps=("seqpacket",),
    ),
    Claim(
        "types-mptcp",
        "Multipath TCP is a stream to its programs; its handshake is TCP's with option 30.",
        "RFC 8684, 3.1",
        opens_multipath,
        steps=("multipath",),
    ),
)

SCENARIO = Scenario(
    name="types",
    summary="which sockets this kernel grants, and what the rarer ones put on the wire",
    topology=TOPOLOGY,
    steps=(TABLE, UNCONNECTED, MAPPED, SEQPACKET, MULTIPATH),
    claims=CLAIMS,
)
