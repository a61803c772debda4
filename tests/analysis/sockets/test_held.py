"""Sockets as their kernels held them: full queues, and what is shown."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
import recorded as r

from lab.analysis.sockets.held import full_accept_queue, held_of_step, held_rows
from lab.model.address import SocketAddress
from lab.records import HeldSocket, Holder, Recording, TcpInfo

PLACE = SocketAddress(ip_address("192.0.2.2"), 4242)
LISTENING = HeldSocket(
    time_ns=5, moment="waiting", host="server", protocol="tcp", state="LISTEN",
    local_address="0.0.0.0", local_port=4242, remote_address="0.0.0.0", remote_port=0,
    socket="inode 7", receive_queue=3, send_queue=2, step="one",
)  # fmt: skip
INFO = TcpInfo(30, 15, 204_000, 10, None, 0, 0, 0, 3, 1448, 1500, 6, 7)
CONNECTED = replace(
    LISTENING, time_ns=3, state="ESTABLISHED", local_address="192.0.2.2",
    remote_address="192.0.2.1", remote_port=999, receive_queue=1, send_queue=0, info=INFO,
)  # fmt: skip
LINGERING = replace(
    CONNECTED, moment="end", state="TIME_WAIT", receive_queue=0, expires_ms=59_970, info=None,
    socket="",
)  # fmt: skip


def recording(*held: HeldSocket) -> Recording:
    return replace(r.recorded(4), held_sockets=held)


def full(held: HeldSocket, *, host: str = "server", from_ns: int = 4, until_ns: int = 6) -> bool:
    return full_accept_queue([held], host, PLACE, from_ns, until_ns) is held


def test_a_queue_is_full_when_more_wait_than_its_limit() -> None:
    assert full(LISTENING)
    assert not full(replace(LISTENING, receive_queue=2))
    assert not full(replace(LISTENING, receive_queue=None))


def test_it_is_the_one_that_listens_there_then() -> None:
    assert not full(LISTENING, host="client")
    assert not full(replace(LISTENING, local_address="192.0.2.9"))
    assert not full(replace(LISTENING, local_port=80))
    assert not full(LISTENING, from_ns=6, until_ns=9)
    assert not full(LISTENING, from_ns=1, until_ns=4)
    assert not full(replace(LISTENING, state="ESTABLISHED"))


def test_a_step_has_its_own_in_order_of_time() -> None:
    other = replace(LISTENING, step="two")
    assert held_of_step(recording(LISTENING, other, CONNECTED), "one") == (CONNECTED, LISTENING)


def test_each_is_shown_with_what_waits_in_its_queues() -> None:
    rows = held_rows(recording(LISTENING, CONNECTED, LINGERING), "one")
    assert [(row.socket, row.state, row.queues) for row in rows] == [
        ("tcp 192.0.2.2:4242 – 192.0.2.1:999", "ESTABLISHED", "1 byte to be read"),
        ("tcp 192.0.2.2:4242 – 192.0.2.1:999", "TIME_WAIT", "59.97 s of 60 to go"),
        ("tcp 0.0.0.0:4242", "LISTEN", "3 to be accepted, limit 2: full"),
    ]
    assert rows[0].tcp == "rtt 0.03 ms ± 0.015, cwnd 10, mss 1448, 6 acknowledged, 7 received"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "ESTABLISHED", "receive_queue": 0, "send_queue": 2}, "2 bytes not acknowledged"),
        ({"state": "SYN_SENT", "receive_queue": 0, "send_queue": 1}, ""),
        ({"state": "CLOSE", "protocol": "udp", "receive_queue": 768, "send_queue": 0,
          "receive_buffer": 212992, "drops": 2},
         "768 of 212992 bytes of memory hold what is to be read, 2 thrown away for lack of room"),
        ({"state": "LISTEN", "receive_queue": None}, ""),
    ],
)  # fmt: skip
def test_what_waits_is_said_in_the_words_of_its_kind(changes: dict[str, object], said: str) -> None:
    (row,) = held_rows(recording(replace(LISTENING, **changes)), "one")  # type: ignore[arg-type]
    assert row.queues == said


def test_what_lingers_from_an_earlier_step_is_not_shown_again() -> None:
    later = replace(LINGERING, step="two", time_ns=9, expires_ms=58_000)
    new = replace(later, remote_port=1000)
    (row,) = held_rows(recording(LINGERING, later, new), "two")
    assert row.socket.endswith(":1000")
    assert len(held_rows(recording(LINGERING, later, new), "one")) == 1


def test_a_unix_socket_has_its_name() -> None:
    named = replace(LISTENING, protocol="unix", local_address="@name")
    unnamed = replace(named, local_address="", state="ESTABLISHED")
    rows = held_rows(recording(named, unnamed), "one")
    assert [row.socket for row in rows] == ["unix @name", "unix unnamed"]


def test_who_has_it_open_is_said_where_they_are_several() -> None:
    def queues(count: int) -> str:
        holders = tuple(Holder(number, f"program{number}") for number in range(1, count + 1))
        (row,) = held_rows(recording(replace(CONNECTED, holders=holders)), "one")
        return row.queues

    assert queues(1) == "1 byte to be read"
    said = "1 byte to be read, open in 2 processes: 1 (program1), 2 (program2)"
    assert queues(2) == said
    assert queues(9).endswith("open in 9 processes: 1 (program1), 2 (program2), 3 (program3), "
                              "4 (program4), …")  # fmt: skip
