"""TCP on a way with a smaller link: it learns of it; then the message that says so is lost."""

from lab.api import Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import has_right_checksums
from lab.checks.networks.path_mtu import (
    counts_what_was_too_large,
    forbids_to_cut_it,
    is_told_nothing,
    knows_the_mtu,
    sends_less_once_told,
    times_out_again_and_again,
    tries_less_untold,
)
from lab.checks.networks.sizes import names_the_mtu
from lab.checks.tcp import delivers_every_byte

PORT, SIZE = 4242, 2800


def step(name: str, host: str, wire: tuple[str, ...] = ()) -> Step:
    """The same bytes to a host whose path is unknown yet."""
    return Step(
        name,
        (
            demo(
                "loss_server",
                on=host,
                args=[f"{{{host}}}", PORT, SIZE],
                name=f"{name}-reader",
                ready=True,
            ),
            demo("pmtu_client", on="client", args=[f"{{{host}}}", PORT, SIZE], name=name),
        ),
        wire=wire,
    )


TOLD = step("told", "server")
# An ICMP error is long, since it quotes a packet; those that find a neighbour are short.
BLACK_HOLE = step("black-hole", "other", wire=("r1>client drop icmp length >200",))

SCENARIO = Scenario(
    name="pmtu",
    summary="TCP and a smaller link further on: told of it, then not",
    topology=laid_out(
        [("client", "r1"), ("r1", "r2"), ("r2", "server"), ("r2", "other")],
        routers=("r1", "r2"),
        mtus={("r1", "r2"): 1280},  # the least that IPv6 asks of a link (RFC 8200, 5)
        sysctls={
            "net.ipv4.ip_no_pmtu_disc": 0,
            "client:net.ipv4.tcp_mtu_probing": 1,
            "client:net.ipv4.tcp_base_mss": 1024,
            # Probing begins with the first timeout that comes later than three of them would at
            # the least (1: 200 + 400 ms behind the first); with the usual 3 after some 6 seconds.
            "client:net.ipv4.tcp_retries1": 1,
            "client:net.ipv4.tcp_early_retrans": 0,  # no tail loss probe before the first timeout
        },
    ),
    steps=(TOLD, BLACK_HOLE),
    claims=(
        forbids_to_cut_it.in_each_of(TOLD, BLACK_HOLE),
        names_the_mtu.on(TOLD),
        sends_less_once_told.on(TOLD),
        knows_the_mtu.on(TOLD),
        is_told_nothing.on(BLACK_HOLE),
        times_out_again_and_again.on(BLACK_HOLE),
        tries_less_untold.on(BLACK_HOLE),
        counts_what_was_too_large.in_each_of(TOLD, BLACK_HOLE),
        delivers_every_byte.in_each_of(TOLD, BLACK_HOLE),
        has_right_checksums.on(TOLD, BLACK_HOLE),
    ),
    lesson=Lesson(
        question=(
            "A link further on is smaller than those at both ends. How does TCP learn that, and "
            "what if nobody tells it?"
        ),
        predict=(
            "how large the segments are that are sent again, and when they leave: where the "
            "router's message comes, and where it is lost"
        ),
        look="what leaves behind r1's message; in the second step the times between the copies",
        answer=(
            "A router throws away what does not fit and names the MTU: TCP sends the same bytes "
            "again in smaller segments. Where that message is lost the connection opens, since its "
            "first segments are small, and then hangs: each copy is as large as the one before, "
            "after twice the wait. With tcp_mtu_probing, which Linux has off by default, it tries "
            "smaller ones by itself after some timeouts."
        ),
        claims=(
            names_the_mtu,
            sends_less_once_told,
            is_told_nothing,
            times_out_again_and_again,
            tries_less_untold,
        ),
    ),
)
