"""Which sockets there are: domain, type and protocol, and what some of them put on the wire."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.types import (
    grants_all_unix_types,
    grants_internet_seqpacket_with_sctp_only,
    grants_internet_streams_and_datagrams,
    is_useless_before_connect,
    keeps_messages_over_sctp,
    opens_multipath,
    says_what_it_granted,
    sockets_granted,
    speaks_ipv4_to_an_ipv4_client,
)

PORT = 4242
ADDRESS = ("{server}", PORT)

TABLE = Step(
    "table",
    (demo("types_table", on="client", name="table"),),
)
UNCONNECTED = Step(
    "unconnected",
    (
        demo("inet_stream_server", on="server", args=ADDRESS, ready=True),
        demo("types_unconnected", on="client", args=ADDRESS, name="early"),
    ),
)
MAPPED = Step(
    "mapped",
    (
        demo("types_mapped_server", on="server", args=[PORT], name="inet6-server", ready=True),
        # Over IPv4 in a run of either family: the other side's domain is what this is about.
        demo("inet_stream_client", on="client", args=["{server4}", PORT], name="inet-client"),
    ),
)
SEQPACKET = Step(
    "seqpacket",
    (
        demo("types_sctp_server", on="server", args=ADDRESS, name="sctp-server", ready=True),
        demo("types_sctp_client", on="client", args=("{client}", *ADDRESS), name="sctp-client"),
    ),
)
MULTIPATH = Step(
    "multipath",
    (
        demo("types_mptcp_server", on="server", args=ADDRESS, name="mptcp-server", ready=True),
        demo("types_mptcp_client", on="client", args=ADDRESS, name="mptcp-client"),
    ),
)

SCENARIO = Scenario(
    name="types",
    summary="which sockets this kernel grants, and what the rarer ones put on the wire",
    topology=two_hosts(),
    steps=(TABLE, UNCONNECTED, MAPPED, SEQPACKET, MULTIPATH),
    claims=(
        grants_all_unix_types.on(TABLE),
        grants_internet_streams_and_datagrams.on(TABLE),
        grants_internet_seqpacket_with_sctp_only.on(TABLE),
        says_what_it_granted.on(TABLE),
        is_useless_before_connect.on(UNCONNECTED),
        speaks_ipv4_to_an_ipv4_client.on(MAPPED),
        keeps_messages_over_sctp.on(SEQPACKET),
        opens_multipath.on(MULTIPATH),
    ),
    lesson=Lesson(
        question="Which sockets does this kernel grant, by domain and type?",
        predict="which cells of the table have an error, and which error",
        look="the table; then what the rarer types put on the wire",
        answer=(
            "Unix sockets have streams, datagrams and seqpackets; internet sockets streams "
            "(TCP) and datagrams (UDP), and seqpackets only with SCTP."
        ),
        claims=(
            grants_all_unix_types,
            grants_internet_streams_and_datagrams,
            grants_internet_seqpacket_with_sctp_only,
        ),
    ),
    table=sockets_granted,
)
