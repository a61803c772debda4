"""Which sockets there are: domain, type and protocol, and what some of them put on the wire."""

from lab.api import (
    Claim,
    Family,
    Program,
    Scenario,
    Step,
    two_hosts,
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

CLAIMS: tuple[Claim, ...] = ()

SCENARIO = Scenario(
    name="types",
    summary="which sockets this kernel grants, and what the rarer ones put on the wire",
    topology=TOPOLOGY,
    steps=(TABLE, UNCONNECTED, MAPPED, SEQPACKET, MULTIPATH),
    claims=CLAIMS,
)
