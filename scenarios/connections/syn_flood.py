"""More SYNs than a server can keep: it answers with cookies, and keeps nothing."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.connections.syn_cookies import (
    answers_every_syn,
    lets_a_true_client_in,
    sends_cookies,
)

PORT = 4242
SCENARIO = Scenario(
    name="syn-flood",
    summary="64 SYNs from addresses that are nobody's, and a true client among them",
    # The server's way to addresses that are nobody's is the client's host, which drops what is for
    # them.
    topology=two_hosts(
        sysctls={
            "net.ipv4.tcp_syncookies": 1,
            "net.ipv4.tcp_max_syn_backlog": 8,
            "net.ipv4.tcp_synack_retries": 5,
            "net.ipv4.conf.all.rp_filter": 0,
            "net.ipv4.conf.default.rp_filter": 0,
        }
    )
    .with_route("server", "203.0.113.0/24", via="client")
    .with_route("server", "2001:db8:113::/64", via="client"),
    steps=(
        Step(
            "flood",
            (
                demo("inet_stream_server", on="server", args=["{server}", PORT], ready=True),
                demo(
                    "syn_flood",
                    on="client",
                    args=["{server}", PORT],
                    name="flooder",
                    ready=True,
                    capabilities=("CAP_NET_RAW",),
                ),
                demo("inet_stream_client", on="client", args=["{server}", PORT]),
            ),
        ),
    ),
    claims=(
        answers_every_syn,
        sends_cookies,
        lets_a_true_client_in,
    ),
    lesson=Lesson(
        question="64 handshakes are begun that nobody will finish. Can anybody still connect?",
        predict="how many SYNs are answered, and what the server has to remember of each",
        look="the SYN-ACKs to addresses that are nobody's; SyncookiesSent and SyncookiesRecv",
        answer=(
            "All are answered. Once too many handshakes are unfinished, the server keeps nothing "
            "of a SYN: what it has to know of it is in the sequence number of its SYN-ACK, the "
            "cookie. A true client's ACK brings the cookie back, and makes the connection."
        ),
        claims=(answers_every_syn, sends_cookies, lets_a_true_client_in),
    ),
)
