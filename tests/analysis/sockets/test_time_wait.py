"""Since when and until when a connection is in TIME-WAIT, of what its kernel showed."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.sockets.time_wait import TimeWait, time_wait_of
from lab.model.address import SocketAddress
from lab.records import HeldSocket

SECOND_NS = 1_000_000_000
OWN, PEER = (SocketAddress(ip_address(f"192.0.2.{n}"), 4241 + n) for n in (1, 2))
HELD = HeldSocket(
    time_ns=100 * SECOND_NS, moment="end", host="client", protocol="tcp", state="TIME_WAIT",
    local_address="192.0.2.1", local_port=4242, remote_address="192.0.2.2", remote_port=4243,
    socket="", receive_queue=0, send_queue=0, expires_ms=59_000,
)  # fmt: skip


def test_its_beginning_and_end_follow_from_what_it_has_to_go() -> None:
    found = time_wait_of([HELD], "client", OWN, PEER)
    assert found == TimeWait(99 * SECOND_NS, 159 * SECOND_NS, 100 * SECOND_NS)


def test_other_connections_and_states_are_not_it() -> None:
    for other in (
        {"host": "server"},
        {"local_port": 1},
        {"remote_address": "192.0.2.3"},
        {"state": "FIN_WAIT2"},
        {"expires_ms": 0},
    ):
        assert time_wait_of([replace(HELD, **other)], "client", OWN, PEER) is None
    assert time_wait_of([HELD], "client", PEER, OWN) is None


def test_a_change_to_close_is_said_to_be_time_wait_as_the_kernel_showed_it() -> None:
    (timeline, *_) = build_timelines(s.recording_of("traced-tcp4"))
    closed = next(
        each.state
        for each in timeline.states
        if each.state.new == "CLOSE" and each.state.old == "FIN_WAIT2"
    )
    waiting = replace(
        HELD, time_ns=closed.time_ns + 2_000_000, local_address=closed.local_address,
        local_port=closed.local_port, remote_address=closed.remote_address,
        remote_port=closed.remote_port, step=timeline.step,
    )  # fmt: skip

    def remark(*held: HeldSocket) -> str:
        recording = replace(s.recording_of("traced-tcp4"), held_sockets=held)
        (seen, *_) = build_timelines(recording)
        remarks = (text for _, text in seen.correlation.remarks if "TIME-WAIT" in text)
        return next(remarks)

    assert remark().endswith("a small record without a socket waits in its place.")
    assert remark(waiting).endswith(
        "in its place. 2.000 ms later sock_diag(7) showed it, with 59.00 s of 60 to go."
    )
    assert "sock_diag" not in remark(replace(waiting, remote_port=1))
