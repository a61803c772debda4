"""An accept queue is full: what becomes of a SYN, and of the handshake's last ACK."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.accept_queue import (
    accepts_all_in_the_end,
    ignores_a_last_ack,
    ignores_a_syn,
)

PORT = 4242
BACKLOG = 2  # the queue then holds three
CONNECTIONS = 4

SYN = Step(
    "a SYN too many",
    (
        demo(
            "backlog_server",
            on="server",
            args=["{server}", PORT, BACKLOG, CONNECTIONS],
            ready=True,
        ),
        demo("backlog_client", on="client", args=["{server}", PORT, "in-turn"]),
    ),
)
ACK = Step(
    "an ACK too many",
    (
        demo(
            "backlog_server",
            on="server",
            args=["{server}", PORT, BACKLOG, CONNECTIONS],
            ready=True,
            name="busy",
        ),
        demo(
            "backlog_client",
            on="client",
            args=["{server}", PORT, "at-once"],
            name="two-at-once",
        ),
    ),
    # Both SYNs are to be there before the first handshake's last ACK.
    wire=("client-server delay 20",),
)

SCENARIO = Scenario(
    name="backlog",
    summary="an accept queue is full: a SYN is ignored, or the handshake's last ACK",
    topology=two_hosts(
        sysctls={
            # Ordinary users of older kernels have no net.core; its default is far above 2.
            "-net.core.somaxconn": 128,
            "net.ipv4.tcp_abort_on_overflow": 0,
            "net.ipv4.tcp_syncookies": 1,
            "net.ipv4.tcp_syn_retries": 6,
            "net.ipv4.tcp_synack_retries": 5,
        }
    ),
    steps=(SYN, ACK),
    claims=(
        ignores_a_syn.on(SYN),
        ignores_a_last_ack.on(ACK),
        accepts_all_in_the_end.in_each_of(SYN, ACK),
        traces_what_is_printed.in_each_of(SYN, ACK),
    ),
    lesson=Lesson(
        question=(
            "A server has asked for a backlog of 2 and does not come to accept(). What becomes of "
            "the fourth connection?"
        ),
        predict="how many connect() calls return at once; what the others' clients see",
        look="the SYN without an answer; the SYN-ACK that comes again; ListenOverflows",
        answer=(
            "Three handshakes end without accept(): the queue takes one more than was asked for. "
            "Then a SYN is ignored, without a RST, and comes again after a second. Where the queue "
            "fills after the SYN-ACK has left, the handshake's last ACK is ignored: the client is "
            "connected, the server is not, and sends its SYN-ACK again."
        ),
        claims=(ignores_a_syn, ignores_a_last_ack, accepts_all_in_the_end),
    ),
)
