"""What a TCP socket had when it was closed, of what the kernel's structure had."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.kernel.trace.collecting.closings import closing_of
from lab.kernel.trace.networks.network_records import ClosedOfRun
from lab.records import HeldSocket, Obtained, SocketState

CLOSED = ClosedOfRun(
    received=107, read=100, written=203,
    acknowledged=200, waiting=3, limit=2, rtt=800, deviation=200, cwnd=10, ssthresh=0x7FFFFFFF,
    retransmissions=1, lost=2, unacked=3, reordering=4, mss_bytes=1448, pmtu_bytes=1500,
    bytes_acked=6, bytes_received=7,
)  # fmt: skip
STATE = SocketState(
    5, Obtained.MEASURED, "sk 1", "ESTABLISHED", "CLOSE", "192.0.2.1", 1, "192.0.2.2", 2, 0, "one"
)


def closing(old: str = "ESTABLISHED", **changes: int) -> HeldSocket:
    return closing_of(CLOSED._replace(**changes), replace(STATE, old=old), "client")


def test_it_has_the_state_that_ended_and_its_numbers_in_usual_units() -> None:
    held = closing()
    assert (held.state, held.moment, held.host, held.step) == (
        "ESTABLISHED",
        "close",
        "client",
        "one",
    )
    assert held.info is not None
    assert (held.info.rtt_us, held.info.rttvar_us, held.info.rto_us) == (100, 50, None)
    assert (held.info.ssthresh, held.info.retransmissions, held.info.lost) == (None, 1, 2)
    assert (held.info.bytes_acked, held.info.bytes_received) == (6, 7)


@pytest.mark.parametrize(
    ("old", "unread"),
    [("ESTABLISHED", 7), ("CLOSE_WAIT", 6), ("LAST_ACK", 6), ("FIN_WAIT2", None)],
)
def test_a_fin_is_no_byte_to_read(old: str, unread: int | None) -> None:
    assert closing(old).receive_queue == unread
    assert closing("CLOSE_WAIT", received=100).receive_queue == 0


def test_numbers_begin_again() -> None:
    held = closing(received=3, read=(1 << 32) - 4, written=1, acknowledged=(1 << 32) - 1)
    assert (held.receive_queue, held.send_queue) == (7, 2)


def test_what_was_read_before_it_was_known_to_have_come_is_nothing() -> None:
    assert closing(received=100, read=101).receive_queue == 0


def test_one_that_listened_has_its_accept_queue() -> None:
    held = closing("LISTEN")
    assert (held.receive_queue, held.send_queue, held.info) == (3, 2, None)
