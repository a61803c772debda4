from __future__ import annotations

import pytest
import recorded as r
from expected import as_it_was, verdict

from lab.analysis.packets.packet import TcpFlags
from lab.expect import tcp
from lab.expect.expectation import Expectation
from lab.expect.patterns import TCP, UDP, AnyFrame
from lab.expect.values import at_least, at_most, contains
from lab.model.claim import Outcome

ALL = tcp.WhichConnections()
HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
SHAPE = [
    TCP(src="client", flags="SYN"),
    TCP(src="server", flags="SYN-ACK"),
    *(TCP(src="client", length=length) for length in (7, 26, 15)),
    TCP(src="client", flags="FIN", seq=49),
    *(TCP(src="server", length=length) for length in (7, 16, 20)),
    TCP(src="server", flags="FIN", ack=50),
]


@pytest.mark.parametrize("name", ["tcp4", "tcp6", "traced-tcp4", "traced-tcp6"])
@pytest.mark.parametrize(
    "expectation",
    [
        tcp.handshake(ALL),
        tcp.no_reset(ALL),
        tcp.closes_with_fin(ALL),
        tcp.closes_with_fin(ALL, "client"),
        tcp.round_trips(ALL, 2),
        tcp.retransmissions(ALL, 0),
        tcp.transfers(ALL, client=48),
        tcp.transfers(ALL, client=b"Hello. These are three messages, or so I think.\n"),
        tcp.transfers(ALL, server="I read what you wrote, not how you cut it.\n"),
        tcp.transfers(ALL, client=at_least(48), server=at_most(43)),
        tcp.transfers(ALL, client=contains("three"), server=contains("I read")),
        tcp.segments(ALL, SHAPE, pure_acks=False),
    ],
    ids=lambda each: each.name,
)
def test_an_orderly_connection_is_as_expected(name: str, expectation: Expectation) -> None:
    found = verdict(expectation, name)
    assert (found.outcome, found.compared) == (HOLDS, ())
    assert found.evidence


@pytest.mark.parametrize(
    ("expectation", "edit", "said"),
    [
        (tcp.handshake(ALL), r.changed(3, r.set_tcp(flags=int(TcpFlags.FIN))), "never opened"),
        (tcp.no_reset(ALL), r.changed(20, r.set_tcp(flags=0x14)), "is reset by"),
        (tcp.closes_with_fin(ALL), r.changed(20, r.set_tcp(flags=0x14)), "ends otherwise"),
        (tcp.closes_with_fin(ALL, "server"), as_it_was, "is closed by client"),
        (tcp.round_trips(ALL, 1), as_it_was, "2 round trips"),
        (tcp.retransmissions(ALL, 0), r.repeated(6, 7), "1 retransmission"),
        (tcp.transfers(ALL, client=47), as_it_was, "other bytes from the client"),
        (tcp.transfers(ALL, client=at_least(49)), as_it_was, "other bytes from the client"),
        (tcp.transfers(ALL, server=contains("four")), as_it_was, "other bytes from the server"),
        (tcp.transfers(ALL, server=b"I read what"), as_it_was, "other bytes from the server"),
        (tcp.segments(ALL, SHAPE[:-1], pure_acks=False), as_it_was, "was not expected"),
        (tcp.segments(ALL, [*SHAPE, TCP()], pure_acks=False), as_it_was, "is missing"),
        (tcp.segments(ALL, SHAPE, pure_acks=True), as_it_was, "is not TCP"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_what_is_otherwise_is_shown_beside_what_was_expected(
    expectation: Expectation, edit: r.Edit, said: str
) -> None:
    found = verdict(expectation, "tcp4", edit)
    assert found.outcome is BROKEN, found
    assert said in found.why
    assert found.compared
    assert all(each.expected != each.actual for each in found.compared)
    assert found.evidence


@pytest.mark.parametrize(
    "expectation",
    [tcp.handshake(ALL), tcp.no_reset(ALL), tcp.round_trips(ALL, 1), tcp.transfers(ALL, client=1)],
    ids=lambda each: each.name,
)
def test_a_capture_with_gaps_and_no_connection_at_all_decide_nothing(
    expectation: Expectation,
) -> None:
    assert verdict(expectation, "tcp4", r.incomplete).outcome is UNDECIDED
    assert verdict(expectation, "udp4").outcome is UNDECIDED
    assert verdict(expectation, "tcp4", r.without(*range(1, 21))).outcome is UNDECIDED


def test_a_reset_that_answers_what_comes_after_both_fins_ends_nothing() -> None:
    """RFC 9293, 3.10.7.1: what comes when the server's socket is gone."""
    rst, behind_fin = r.set_tcp(flags=int(TcpFlags.RST), ack=0), r.add_to("seq", 1)
    early = r.repeated(19, 1, lambda data: r.with_checksums(rst(behind_fin(data))))
    late = r.both(early, r.moved(20, 21))
    found = verdict(tcp.no_reset(ALL), "tcp4", late)
    assert found.outcome is HOLDS
    assert found.why.endswith(
        "is not reset: the RST f21 answers what came after both FINs were acknowledged"
    )
    assert verdict(tcp.closes_with_fin(ALL), "tcp4", late).outcome is HOLDS
    # Before the server's FIN is acknowledged nothing says that all has come.
    found = verdict(tcp.no_reset(ALL), "tcp4", early)
    assert found.outcome is BROKEN
    assert "is reset by server" in found.why


def test_connections_are_chosen_by_hosts_port_and_place() -> None:
    chosen = tcp.WhichConnections
    for which in (
        chosen(client="client", server="server", port=4242),
        chosen(client="198.51.100.1"),
        chosen(nth=1),
        chosen(client_port=40858),
    ):
        assert verdict(tcp.no_reset(which), "tcp4").outcome is HOLDS
    for which in (
        chosen(client="server"),
        chosen(port=80),
        chosen(client_port=4242),
        chosen(nth=2),
    ):
        assert verdict(tcp.no_reset(which), "tcp4").outcome is UNDECIDED


def test_an_expectation_of_several_connections_is_one_of_each() -> None:
    twice = verdict(tcp.handshake(ALL), "reset4")
    assert twice.outcome is BROKEN  # one of its connections is refused
    assert "never opened" in twice.why


def test_a_server_that_speaks_first_is_a_round_trip_of_its_own() -> None:
    # The client's payload goes out of the story: its handshake's ACK is what the server answers.
    silent = r.without(6, 7, 8, 9, 10, 11)
    assert verdict(tcp.round_trips(ALL, 2), "tcp4", silent).outcome is HOLDS
    assert verdict(tcp.round_trips(ALL, 1), "tcp4", silent).outcome is BROKEN


def test_payload_may_be_tested_by_what_it_contains() -> None:
    shape: list[AnyFrame] = [
        *SHAPE[:2],
        TCP(payload=contains("Hello")),
        TCP(payload=contains(b"three")),
        TCP(),
        *SHAPE[5:],
    ]
    assert verdict(tcp.segments(ALL, shape, pure_acks=False), "tcp4").outcome is HOLDS
    shape[2] = UDP()
    assert verdict(tcp.segments(ALL, shape, pure_acks=False), "tcp4").outcome is BROKEN


def test_a_difference_far_in_is_shown_at_its_place() -> None:
    wanted = b"Hello. These are three messages, or so I think?\n"
    (contrast,) = verdict(tcp.transfers(ALL, client=wanted), "tcp4").compared
    assert contrast.what == "bytes from the client, from byte 46 of 48 and 48"
    assert (contrast.expected, contrast.actual) == (r"b'?\n'", r"b'.\n'")
