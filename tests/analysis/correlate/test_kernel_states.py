"""The kernel's states beside those that the frames imply."""

from __future__ import annotations

import pytest
from transcript import converse

from lab.analysis.correlate.kernel_states import with_kernel_states
from lab.analysis.sockets.states import StateSeen
from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.tcp.state import State
from lab.model.event import EventId, EventKind
from lab.records import Obtained, SocketState

TALK = """
0.001 client > server SYN seq=100 win=1000
0.002 server > client SYN,ACK seq=900 ack=101 win=1000
0.003 client > server ACK seq=101 ack=901
0.004 client > server FIN,ACK seq=101 ack=901
0.005 server > client ACK seq=901 ack=102
0.006 server > client FIN,ACK seq=901 ack=102
0.007 client > server ACK seq=102 ack=902
"""
CLIENT = [
    (0.0005, "CLOSE", "SYN_SENT"),
    (0.0025, "SYN_SENT", "ESTABLISHED"),
    (0.0035, "ESTABLISHED", "FIN_WAIT1"),
    (0.0055, "FIN_WAIT1", "FIN_WAIT2"),
    (0.0072, "FIN_WAIT2", "CLOSE"),
]
SERVER = [
    (0.0031, "LISTEN", "SYN_RECV"),
    (0.0032, "SYN_RECV", "ESTABLISHED"),
    (0.0041, "ESTABLISHED", "CLOSE_WAIT"),
    (0.0055, "CLOSE_WAIT", "LAST_ACK"),
    (0.0072, "LAST_ACK", "CLOSE"),
]
Changes = list[tuple[float, str, str]]


def seen(
    talk: TcpConversation, changes: Changes, *, client: bool, obtained: Obtained = Obtained.MEASURED
) -> list[StateSeen]:
    began_ns = talk.flow.crossings[0].time_ns - 1_000_000
    return [
        StateSeen(
            EventId(EventKind.STATE, number),
            SocketState(began_ns + round(at_s * 1e9), obtained, "sk 1", old, new, "", 0, "", 0, 0),
            (talk.flow.id, client),
            "",
        )
        for number, (at_s, old, new) in enumerate(changes, 1)
    ]


def judged(server: Changes, client: Changes = CLIENT, text: str = TALK) -> TcpConversation:
    talk = converse(text)
    states = seen(talk, client, client=True) + seen(talk, server, client=False)
    (found,) = with_kernel_states([talk], states, 1_000)
    return found


def differing(talk: TcpConversation) -> list[tuple[int, str, str, str]]:
    """Number, end, the kernel's state and the implied one."""
    found = []
    for number, each in enumerate(talk.segments, 1):
        if each.implied_sender_state is not None:
            found.append((number, "sender", each.sender_state, each.implied_sender_state))
        if each.implied_receiver_state is not None:
            assert each.receiver_state is not None
            found.append((number, "receiver", each.receiver_state, each.implied_receiver_state))
    return [(number, end, kernel.value, implied.value) for number, end, kernel, implied in found]


def test_where_both_agree_nothing_changes() -> None:
    talk = converse(TALK)
    assert judged(SERVER) == talk
    assert talk.server_state is State.CLOSED


def test_what_linux_reports_late_or_never_is_no_difference() -> None:
    """SYN-RECEIVED before the handshake's last ACK, and TIME-WAIT."""
    states = [(each.sender_state, each.receiver_state) for each in judged(SERVER).segments]
    assert states[0] == (State.SYN_SENT, State.SYN_RECEIVED)
    assert states[-1] == (State.TIME_WAIT, State.CLOSED)


def test_a_state_that_the_socket_never_was_in_is_replaced_by_the_kernels() -> None:
    """The FIN was not taken: the kernel stays in ESTABLISHED."""
    talk = judged(SERVER[:2])
    assert differing(talk)[:2] == [
        (4, "receiver", "ESTABLISHED", "CLOSE-WAIT"),
        (5, "sender", "ESTABLISHED", "CLOSE-WAIT"),
    ]
    assert talk.server_state is State.ESTABLISHED
    assert talk.handshake is not None


def test_a_handshake_that_the_kernel_did_not_finish_is_none() -> None:
    talk = judged([(0.00305, "CLOSE", "LISTEN")])
    assert (3, "receiver", "LISTEN", "ESTABLISHED") in differing(talk)
    assert converse(TALK).handshake is not None
    assert talk.handshake is None


def test_a_side_of_which_nothing_was_measured_is_left_alone() -> None:
    assert judged([], []) == converse(TALK)
    talk = converse(TALK)
    sampled = seen(talk, SERVER[:1], client=False, obtained=Obtained.SAMPLED)
    assert with_kernel_states([talk], sampled, 1_000) == (talk,)


@pytest.mark.parametrize("late_s", [0.0000005, 0.0004])
def test_a_change_that_follows_the_answer_it_goes_with_is_in_time(late_s: float) -> None:
    """The kernel sends the ACK of a FIN before it changes the state."""
    changes = [*SERVER[:2], (0.005 + late_s, "ESTABLISHED", "CLOSE_WAIT"), *SERVER[3:]]
    assert differing(judged(changes)) == []


def test_a_state_unknown_to_tcp_is_left_out() -> None:
    unknown = [(0.0001, "CLOSE", "BOUND_INACTIVE"), (0.0002, "", "ESTABLISHED")]
    assert judged(SERVER, [*unknown, *CLIENT]) == converse(TALK)
