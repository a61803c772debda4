from __future__ import annotations

from scenes import recorded_scene

from lab.ladder.model import StateRow
from lab.model.event import EventId, EventKind
from lab.records import Obtained
from lab.scene.ribbons import SHOWN_CLOSED, state_ribbons


def test_what_the_kernel_says_is_the_ribbon_of_its_lane() -> None:
    scene = recorded_scene("traced-tcp4")
    client = [ribbon for ribbon in scene.ribbons if ribbon.lane == 0]
    assert [ribbon.state for ribbon in client] == [
        "SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE",
    ]  # fmt: skip
    assert all(ribbon.is_measured for ribbon in scene.ribbons)


def test_each_state_lasts_until_the_next() -> None:
    scene = recorded_scene("traced-tcp4")
    client = [ribbon for ribbon in scene.ribbons if ribbon.lane == 0 and ribbon.column == 0]
    assert [ribbon.end for ribbon in client[:-1]] == [ribbon.start for ribbon in client[1:]]
    assert client[-1].end == client[-1].start + SHOWN_CLOSED, "then it is gone"


def test_without_a_trace_the_frames_imply_the_states() -> None:
    scene = recorded_scene("tcp4")
    assert not any(ribbon.is_measured for ribbon in scene.ribbons)
    server = [ribbon.state for ribbon in scene.ribbons if ribbon.lane == 1]
    assert server == ["SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]


def state(slot: int, connection: str, old: str, new: str) -> tuple[int, StateRow]:
    event = EventId(EventKind.STATE, slot + 1)
    return slot, StateRow(event, 0, slot, False, connection, old, new, Obtained.MEASURED)


def test_a_socket_is_in_syn_sent_before_it_has_a_port() -> None:
    rows = [
        state(0, "", "CLOSE", "SYN_SENT"),
        state(1, "40001", "SYN_SENT", "ESTABLISHED"),
        state(2, "", "CLOSE", "SYN_SENT"),
        state(3, "40002", "SYN_SENT", "ESTABLISHED"),
    ]
    found = [(r.connection, r.state, r.start, r.end) for r in state_ribbons(rows, 9)]
    assert found == [
        ("40001", "SYN_SENT", 0, 1), ("40001", "ESTABLISHED", 1, 9),
        ("40002", "SYN_SENT", 2, 3), ("40002", "ESTABLISHED", 3, 9),
    ]  # fmt: skip


def test_a_socket_that_listens_goes_on_listening() -> None:
    rows = [state(0, "", "CLOSE", "LISTEN"), state(1, "40001", "LISTEN", "SYN_RECV")]
    found = [(r.connection, r.state, r.end) for r in state_ribbons(rows, 9)]
    assert found == [("", "LISTEN", 9), ("40001", "SYN_RECV", 9)]


def test_that_a_listening_socket_is_closed_closes_no_other() -> None:
    rows = [
        state(0, "", "CLOSE", "LISTEN"),
        state(1, "", "LISTEN", "SYN_RECV"),
        state(2, "", "SYN_RECV", "ESTABLISHED"),
        state(3, "", "LISTEN", "CLOSE"),
        state(6, "", "CLOSE", "SYN_SENT"),
    ]
    found = [(r.column, r.state, r.start, r.end) for r in state_ribbons(rows, 9)]
    assert found == [
        (0, "LISTEN", 0, 3), (1, "SYN_RECV", 1, 2), (1, "ESTABLISHED", 2, 9),
        (0, "CLOSE", 3, 5), (0, "SYN_SENT", 6, 9),
    ]  # fmt: skip
