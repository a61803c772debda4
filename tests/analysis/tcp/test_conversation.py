"""Opening, closing, states and options, one transcript each. Times are seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from transcript import converse, only_flow

from lab.analysis.tcp.conversation import (
    Handshake,
    Offer,
    TcpConversation,
    Teardown,
    analyse_tcp,
)
from lab.analysis.tcp.segment import Note
from lab.analysis.tcp.state import State

OPEN = """
    0.01 client > server SYN seq=100 mss=1460
    0.02 server > client SYN,ACK seq=900 ack=101 mss=1460
    0.03 client > server ACK seq=101 ack=901
"""


def walk(conversation: TcpConversation, who: str) -> str:
    """The states one side was seen in, in its own order of time, repeats left out."""
    seen = []
    for segment, crossing in zip(conversation.segments, conversation.flow.crossings, strict=True):
        if segment.from_client == (who == "client"):
            seen.append((crossing.sent_ns, segment.crossing, segment.sender_state))
        elif segment.receiver_state is not None:
            seen.append((crossing.received_ns, segment.crossing, segment.receiver_state))
    names = [state.value for _, _, state in sorted(seen, key=lambda s: s[:2])]
    return " ".join(n for n, before in zip(names, ["", *names], strict=False) if n != before)


def final(conversation: TcpConversation) -> tuple[State, State]:
    return conversation.client_state, conversation.server_state


def test_an_open_connection_is_followed_at_both_ends() -> None:
    conversation = converse(OPEN)
    assert walk(conversation, "client") == "SYN-SENT ESTABLISHED"
    assert walk(conversation, "server") == "SYN-RECEIVED ESTABLISHED"
    assert conversation.handshake == Handshake(1, 2, 3, 100, 900, 10_000_000, False)
    assert conversation.teardown is Teardown.NONE


def test_numbers_are_relative_to_the_initial_sequence_numbers() -> None:
    conversation = converse(OPEN + "0.04 client > server PSH,ACK seq=101 ack=901 data=hello")
    assert [(s.seq, s.ack, s.length) for s in conversation.segments] == [
        (0, None, 0),
        (0, 1, 0),
        (1, 1, 0),
        (1, 1, 5),
    ]


def test_the_client_closes_first() -> None:
    conversation = converse(
        OPEN
        + """
        0.10 client > server FIN,ACK seq=101 ack=901
        0.11 server > client ACK seq=901 ack=102
        0.12 server > client FIN,ACK seq=901 ack=102
        0.13 client > server ACK seq=102 ack=902
        """
    )
    assert walk(conversation, "client") == "SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"
    assert walk(conversation, "server") == "SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED"
    assert conversation.teardown is Teardown.FIN
    assert (conversation.client_to_server.fin, conversation.client_to_server.fin_acked) == (4, 5)
    assert (conversation.server_to_client.fin, conversation.server_to_client.fin_acked) == (6, 7)


def test_the_server_closes_first_and_fin_with_ack_of_fin_leads_to_time_wait() -> None:
    conversation = converse(
        OPEN
        + """
        0.10 server > client FIN,ACK seq=901 ack=101
        0.11 client > server FIN,ACK seq=101 ack=902
        0.12 server > client ACK seq=902 ack=102
        """
    )
    assert walk(conversation, "server") == "SYN-RECEIVED ESTABLISHED FIN-WAIT-1 TIME-WAIT"
    assert final(conversation) == (State.CLOSED, State.TIME_WAIT)


def test_data_flows_on_after_a_half_close() -> None:
    conversation = converse(
        OPEN
        + """
        0.10 client > server FIN,ACK seq=101 ack=901 data=ask
        0.11 server > client ACK seq=901 ack=105
        0.12 server > client ACK seq=901 ack=105 data=answer
        0.13 client > server ACK seq=105 ack=907
        """
    )
    assert conversation.teardown is Teardown.HALF_CLOSED
    assert final(conversation) == (State.FIN_WAIT_2, State.CLOSE_WAIT)
    assert conversation.client_to_server.data == b"ask"
    assert conversation.server_to_client.data == b"answer"
    assert conversation.server_to_client.fin is None


SIMULTANEOUS_OPEN = {
    "two points": """
        0.01 client > server SYN seq=100 recv=0.03
        0.02 server > client SYN seq=900 recv=0.04
        0.05 server > client SYN,ACK seq=900 ack=101 recv=0.07
        0.06 client > server SYN,ACK seq=100 ack=901 recv=0.08
    """,
    "one point": """
        0.01 client > server SYN seq=100
        0.02 server > client SYN seq=900
        0.03 client > server SYN,ACK seq=100 ack=901
        0.04 server > client SYN,ACK seq=900 ack=101
    """,
}


@pytest.mark.parametrize("text", SIMULTANEOUS_OPEN.values(), ids=SIMULTANEOUS_OPEN)
def test_a_simultaneous_open_passes_syn_received_on_both_sides(text: str) -> None:
    conversation = converse(text + "0.09 client > server ACK seq=101 ack=901")
    for side in ("client", "server"):
        walked = walk(conversation, side).removeprefix("CLOSED ")
        assert walked == "SYN-SENT SYN-RECEIVED ESTABLISHED"
    assert conversation.handshake is not None
    assert conversation.handshake.simultaneous
    assert (conversation.handshake.client_isn, conversation.handshake.server_isn) == (100, 900)


SIMULTANEOUS_CLOSE = {
    "two points": """
        0.10 client > server FIN,ACK seq=101 ack=901 recv=0.12
        0.11 server > client FIN,ACK seq=901 ack=101 recv=0.13
        0.14 client > server ACK seq=102 ack=902 recv=0.16
        0.15 server > client ACK seq=902 ack=102 recv=0.17
    """,
    "one point": """
        0.10 client > server FIN,ACK seq=101 ack=901
        0.11 server > client FIN,ACK seq=901 ack=101
        0.14 client > server ACK seq=102 ack=902
        0.15 server > client ACK seq=902 ack=102
    """,
}


@pytest.mark.parametrize("text", SIMULTANEOUS_CLOSE.values(), ids=SIMULTANEOUS_CLOSE)
def test_a_simultaneous_close_passes_closing(text: str) -> None:
    conversation = converse(OPEN + text)
    assert walk(conversation, "client") == "SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT"
    assert conversation.server_state is State.TIME_WAIT
    assert conversation.teardown is Teardown.FIN


def test_with_two_points_closing_is_seen_on_both_sides() -> None:
    conversation = converse(OPEN + SIMULTANEOUS_CLOSE["two points"])
    assert walk(conversation, "server").endswith("FIN-WAIT-1 CLOSING TIME-WAIT")


def test_a_refused_connection_meets_a_closed_port() -> None:
    conversation = converse(
        """
        0.01 client > server SYN seq=100
        0.02 server > client RST,ACK seq=0 ack=101 win=0
        """
    )
    assert final(conversation) == (State.CLOSED, State.CLOSED)
    assert walk(conversation, "client") == "SYN-SENT CLOSED"
    assert conversation.handshake is None
    assert (conversation.resets, conversation.teardown) == ((2,), Teardown.RESET)
    assert conversation.segments[1].notes == frozenset()
    assert conversation.segments[1].seq == 1


@pytest.mark.parametrize("is_late", [True, False], ids=["late", "early"])
def test_a_rst_after_both_fins_are_acknowledged_ends_nothing(is_late: bool) -> None:
    early, late = ("", "0.14 server > client RST seq=902")[:: 1 if is_late else -1]
    conversation = converse(
        f"""{OPEN}
        0.10 client > server FIN,ACK seq=101 ack=901
        0.11 server > client FIN,ACK seq=901 ack=102
        {early.replace("0.14", "0.115")}
        0.12 client > server ACK seq=102 ack=902
        0.13 client > server ACK seq=102 ack=902
        {late}
        """
    )
    (reset,) = conversation.resets
    assert conversation.aborts == (() if is_late else (reset,))


def test_a_rst_that_left_before_the_last_ack_had_come_ends_the_connection() -> None:
    conversation = converse(
        f"""{OPEN}
        0.10 client > server FIN,ACK seq=101 ack=901
        0.11 server > client FIN,ACK seq=901 ack=102
        0.12 client > server ACK seq=102 ack=902
        0.14 server > client RST seq=902
        """
    )
    assert conversation.aborts == ()
    (reset,) = conversation.resets
    *before, ack, rst = conversation.flow.crossings
    late = replace(ack, received_ns=rst.time_ns + 1)
    flow = replace(conversation.flow, crossings=(*before, late, rst))
    assert replace(conversation, flow=flow).aborts == (reset,)


def test_an_unanswered_syn_leaves_the_server_in_listen() -> None:
    conversation = converse("0.01 client > server SYN seq=100")
    assert final(conversation) == (State.SYN_SENT, State.LISTEN)


def test_a_rst_with_another_ack_does_not_end_syn_sent() -> None:
    conversation = converse(
        """
        0.01 client > server SYN seq=100
        0.02 server > client RST,ACK seq=0 ack=555
        """
    )
    assert conversation.client_state is State.SYN_SENT


def test_a_rst_returns_a_passive_open_to_listen() -> None:
    conversation = converse(
        """
        0.01 client > server SYN seq=100
        0.02 server > client SYN,ACK seq=900 ack=101
        0.03 client > server RST seq=101
        """
    )
    assert conversation.segments[1].sender_state is State.SYN_RECEIVED
    assert conversation.server_state is State.LISTEN
    # The client's TCP is not shown to have taken the SYN-ACK: it sends a RST in SYN-SENT.
    assert conversation.client_state is State.SYN_SENT


def test_a_rst_ends_a_simultaneous_open_in_closed() -> None:
    conversation = converse(
        SIMULTANEOUS_OPEN["two points"].rsplit("0.06", 1)[0]
        + "0.06 client > server SYN,ACK seq=100 ack=901 lost\n"
        + "0.09 client > server RST seq=101 ack=901"
    )
    assert conversation.server_state is State.CLOSED


CLOSING_STEPS = {
    State.ESTABLISHED: "",
    State.CLOSE_WAIT: """
        0.10 client > server FIN,ACK seq=101 ack=901
        0.11 server > client ACK seq=901 ack=102
    """,
    State.LAST_ACK: """
        0.10 client > server FIN,ACK seq=101 ack=901
        0.11 server > client FIN,ACK seq=901 ack=102
    """,
    State.FIN_WAIT_1: """
        0.10 server > client FIN,ACK seq=901 ack=101
    """,
    State.FIN_WAIT_2: """
        0.10 server > client FIN,ACK seq=901 ack=101
        0.11 client > server ACK seq=101 ack=902
    """,
    State.CLOSING: """
        0.10 client > server FIN,ACK seq=101 ack=901 recv=0.12
        0.11 server > client FIN,ACK seq=901 ack=101 recv=0.13
        0.14 server > client ACK seq=902 ack=102 lost
    """,
    State.TIME_WAIT: """
        0.10 server > client FIN,ACK seq=901 ack=101
        0.11 client > server FIN,ACK seq=101 ack=902
        0.12 server > client ACK seq=902 ack=102 lost
    """,
}


@pytest.mark.parametrize("state", CLOSING_STEPS)
@pytest.mark.parametrize("sender", ["client", "server"])
def test_a_rst_ends_every_synchronized_state(state: State, sender: str) -> None:
    before = converse(OPEN + CLOSING_STEPS[state])
    assert before.server_state is state
    seq = 102 if before.client_to_server.fin else 101
    rst = f"client > server RST seq={seq}" if sender == "client" else "server > client RST seq=902"
    after = converse(f"{OPEN}{CLOSING_STEPS[state]}\n0.20 {rst}")
    # In TIME-WAIT a RST that a side sends answers a stray segment.
    ends = (sender, state) != ("server", State.TIME_WAIT)
    assert after.server_state is (State.CLOSED if ends else State.TIME_WAIT)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("client > server RST seq=106", State.CLOSED),
        ("client > server RST seq=107", State.ESTABLISHED),
        ("client > server RST seq=105", State.ESTABLISHED),
        ("client > server RST seq=101", State.ESTABLISHED),
    ],
    ids=["at RCV.NXT", "in the window", "just below", "old"],
)
def test_a_rst_counts_only_at_the_next_sequence_number(line: str, state: State) -> None:
    conversation = converse(
        OPEN
        + "0.10 client > server ACK seq=101 ack=901 data=hello\n"
        + "0.11 server > client ACK seq=901 ack=106\n"
        + f"0.12 {line}"
    )
    assert conversation.server_state is state


def test_a_rst_behind_data_that_was_not_captured_counts() -> None:
    conversation = converse(
        OPEN
        + "0.10 client > server ACK seq=201 ack=901 data=hello\n"
        + "0.12 client > server RST seq=206"
    )
    assert conversation.server_state is State.CLOSED


def test_a_rst_after_both_fins_does_not_unmake_an_orderly_close() -> None:
    conversation = converse(
        OPEN
        + """
        0.10 server > client FIN,ACK seq=901 ack=101
        0.11 client > server FIN,ACK seq=101 ack=902
        0.12 server > client ACK seq=902 ack=102
        0.13 client > server RST seq=102
        """
    )
    assert (conversation.teardown, conversation.resets) == (Teardown.FIN, (7,))


def test_a_lost_segment_changes_its_sender_only() -> None:
    conversation = converse(OPEN + "0.10 client > server FIN,ACK seq=101 ack=901 lost\n")
    assert final(conversation) == (State.FIN_WAIT_1, State.ESTABLISHED)
    assert conversation.segments[-1].receiver_state is None
    assert conversation.segments[-1].notes == {Note.LOST}


def test_each_side_sees_its_own_order_of_time() -> None:
    """The server's data leaves before the FIN arrives, and arrives after the FIN left."""
    conversation = converse(
        OPEN
        + """
        0.10 client > server FIN,ACK seq=101 ack=901 recv=0.30
        0.20 server > client ACK seq=901 ack=101 data=late recv=0.40
        0.31 server > client ACK seq=905 ack=102 recv=0.51
        """
    )
    fin, data, ack = conversation.segments[3:]
    assert (fin.sender_state, fin.receiver_state) == (State.FIN_WAIT_1, State.CLOSE_WAIT)
    assert (data.sender_state, data.receiver_state) == (State.ESTABLISHED, State.FIN_WAIT_1)
    assert (ack.sender_state, ack.receiver_state) == (State.CLOSE_WAIT, State.FIN_WAIT_2)


def test_a_fin_that_arrives_before_missing_data_waits_for_it() -> None:
    conversation = converse(
        OPEN
        + """
        0.10 client > server ACK seq=101 ack=901 data=abc lost
        0.11 client > server FIN,ACK seq=104 ack=901
        0.12 server > client ACK seq=901 ack=101
        0.40 client > server ACK seq=101 ack=901 data=abc
        0.41 server > client ACK seq=901 ack=105
        """
    )
    fin, _, again = conversation.segments[4:7]
    assert fin.receiver_state is State.ESTABLISHED
    assert again.receiver_state is State.CLOSE_WAIT
    assert conversation.client_to_server.data == b"abc"
    assert (conversation.client_to_server.fin, conversation.client_to_server.fin_acked) == (5, 8)


def test_a_lost_fin_is_acknowledged_after_its_retransmission() -> None:
    conversation = converse(
        OPEN
        + """
        0.10 client > server FIN,ACK seq=101 ack=901 lost
        0.30 client > server FIN,ACK seq=101 ack=901
        0.31 server > client ACK seq=901 ack=102
        """
    )
    assert conversation.segments[4].notes == {Note.RETRANSMISSION}
    assert final(conversation) == (State.FIN_WAIT_2, State.CLOSE_WAIT)
    assert (conversation.client_to_server.fin, conversation.client_to_server.fin_acked) == (4, 6)


def test_an_ack_up_to_the_fin_does_not_acknowledge_it() -> None:
    conversation = converse(
        OPEN
        + """
        0.10 client > server FIN,ACK seq=101 ack=901 data=abc
        0.11 server > client ACK seq=901 ack=104
        """
    )
    assert conversation.client_to_server.fin_acked is None
    assert final(conversation) == (State.FIN_WAIT_1, State.ESTABLISHED)


def test_a_retransmitted_syn_is_answered_the_second_time() -> None:
    conversation = converse(
        """
        0.0 client > server SYN seq=100 lost
        1.0 client > server SYN seq=100
        1.1 server > client SYN,ACK seq=900 ack=101 recv=1.2
        1.2 client > server ACK seq=101 ack=901
        """
    )
    assert conversation.handshake == Handshake(2, 3, 4, 100, 900, 200_000_000, False)
    assert conversation.segments[1].notes == {Note.RETRANSMISSION, Note.TIMEOUT}


def test_an_ack_of_the_syn_that_is_not_taken_leaves_syn_received() -> None:
    """A full accept queue: Linux drops the ACK, and the SYN-ACK comes again."""
    conversation = converse(
        OPEN
        + """
        1.02 server > client SYN,ACK seq=900 ack=101
        1.03 client > server ACK seq=101 ack=901
        """
    )
    states = [s.receiver_state if s.from_client else s.sender_state for s in conversation.segments]
    assert states[1:] == [State.SYN_RECEIVED] * 3 + [State.ESTABLISHED]


def test_a_lost_handshake_ack_is_made_up_for_by_data() -> None:
    conversation = converse(
        OPEN.replace("ack=901\n", "ack=901 lost\n")
        + "0.04 client > server ACK seq=101 ack=901 data=hello"
    )
    assert conversation.segments[3].receiver_state is State.ESTABLISHED
    assert conversation.handshake is not None
    assert conversation.handshake.ack == 4


def test_fin_with_the_handshakes_ack_passes_established_to_close_wait() -> None:
    conversation = converse(
        OPEN.replace("ack=901\n", "ack=901 lost\n")
        + """
        0.04 client > server FIN,ACK seq=101 ack=901
        0.05 server > client ACK seq=901 ack=102
        """
    )
    assert conversation.segments[3].receiver_state is State.CLOSE_WAIT


def test_data_in_a_syn_is_delivered_and_retransmitted_when_it_is_not_acknowledged() -> None:
    taken = converse(
        """
        0.01 client > server SYN seq=100 data=early
        0.02 server > client SYN,ACK seq=900 ack=106
        0.03 client > server ACK seq=106 ack=901 data=late
        """
    )
    assert taken.client_to_server.data == b"earlylate"
    assert taken.handshake is not None
    refused = converse(
        """
        0.01 client > server SYN seq=100 data=early
        0.02 server > client SYN,ACK seq=900 ack=101
        0.03 client > server ACK seq=101 ack=901 data=early
        """
    )
    assert refused.client_to_server.data == b"early"
    assert refused.segments[2].notes == {Note.RETRANSMISSION}
    assert refused.client_to_server.sent_bytes == 10


def test_midstream_both_sides_are_established_and_count_from_1() -> None:
    conversation = converse(
        """
        0.1 client > server ACK seq=5000 ack=7000 data=abc
        0.2 server > client ACK seq=7000 ack=5003 data=de
        0.3 client > server ACK seq=5003 ack=7002
        """
    )
    assert [(s.seq, s.ack) for s in conversation.segments] == [(1, 1), (1, 4), (4, 3)]
    assert final(conversation) == (State.ESTABLISHED, State.ESTABLISHED)
    assert conversation.handshake is None
    assert conversation.agreed is None
    assert conversation.client_to_server.data == b"abc"
    assert not any(s.notes for s in conversation.segments)


def test_a_syn_that_was_not_captured_is_inferred_from_the_syn_ack() -> None:
    conversation = converse(OPEN.split("\n", 2)[2])
    assert walk(conversation, "client") == "ESTABLISHED"
    assert walk(conversation, "server") == "SYN-RECEIVED ESTABLISHED"
    assert conversation.handshake is None
    assert conversation.client_offer is None


def test_a_syn_ack_that_was_not_captured_is_inferred_from_its_ack() -> None:
    conversation = converse(
        """
        0.01 client > server SYN seq=100
        0.03 client > server ACK seq=101 ack=901
        0.04 client > server ACK seq=101 ack=901 data=x
        0.05 server > client ACK seq=901 ack=102
        """
    )
    assert conversation.client_state is State.ESTABLISHED
    assert conversation.handshake is None
    assert [s.seq for s in conversation.segments if not s.from_client] == [1]


def test_a_challenge_ack_of_an_old_connection_moves_nobody() -> None:
    """RFC 9293, 3.5.1: a half-open peer answers a SYN with its old numbers, and gets a RST."""
    conversation = converse(
        """
        0.01 client > server SYN seq=100
        0.02 server > client ACK seq=5000 ack=70000
        0.03 client > server RST seq=70000
        """
    )
    assert final(conversation) == (State.SYN_SENT, State.LISTEN)
    assert conversation.client_to_server.gaps == ()


def test_offers_are_agreed_on_only_when_both_made_them() -> None:
    both = converse(
        """
        0.01 client > server SYN seq=100 mss=1460 ws=7 sack ts
        0.02 server > client SYN,ACK seq=900 ack=101 mss=1400 ws=15 sack ts
        """
    )
    assert both.client_offer == Offer(1460, 7, True, True)
    assert both.agreed is not None
    assert (both.agreed.mss_to_server, both.agreed.mss_to_client) == (1400, 1460)
    assert both.agreed.window_scale == (7, 14)
    assert both.agreed.sack_permitted
    assert both.agreed.timestamps
    one = converse(
        """
        0.01 client > server SYN seq=100 ws=7 sack ts
        0.02 server > client SYN,ACK seq=900 ack=101
        """
    )
    assert one.agreed is not None
    assert (one.agreed.mss_to_server, one.agreed.mss_to_client) == (536, 536)
    assert one.agreed.window_scale is None
    assert not one.agreed.sack_permitted
    assert not one.agreed.timestamps


def test_the_default_mss_is_larger_in_ipv6() -> None:
    conversation = converse(
        """
        0.01 client6 > server6 SYN seq=100
        0.02 server6 > client6 SYN,ACK seq=900 ack=101
        """
    )
    assert conversation.agreed is not None
    assert conversation.agreed.mss_to_server == 1220


@pytest.mark.parametrize(
    ("client", "server", "windows"),
    [
        ("ws=7", "ws=2", [1000, 2000, 1280, 80]),
        ("ws=7", "", [1000, 2000, 10, 20]),
        ("", "ws=7", [1000, 2000, 10, 20]),
    ],
)
def test_windows_are_scaled_only_when_both_offered_and_never_in_a_syn(
    client: str, server: str, windows: list[int]
) -> None:
    conversation = converse(
        f"""
        0.01 client > server SYN seq=100 win=1000 {client}
        0.02 server > client SYN,ACK seq=900 ack=101 win=2000 {server}
        0.03 client > server ACK seq=101 ack=901 win=10
        0.04 server > client ACK seq=901 ack=101 win=20
        """
    )
    assert [s.window_bytes for s in conversation.segments] == windows


def test_windows_stay_unscaled_where_a_syn_was_not_captured() -> None:
    conversation = converse(
        """
        0.02 server > client SYN,ACK seq=900 ack=101 win=2000 ws=7
        0.03 client > server ACK seq=101 ack=901 win=10
        """
    )
    assert conversation.segments[1].window_bytes == 10


def test_sides_with_equal_ports_are_distinguished_by_address() -> None:
    conversation = converse(OPEN.replace("client", "client:80"))
    assert [s.from_client for s in conversation.segments] == [True, False, True]


def test_a_socket_connected_to_itself_is_analysed_without_failing() -> None:
    text = OPEN.replace("server > client", "client > client")
    text = text.replace("seq=900", "seq=100").replace("ack=901", "ack=101")  # one ISN for both
    conversation = converse(text.replace("client > server", "client > client"))
    assert len(conversation.segments) == 3


STEPPED = """
    10.01 client > server SYN seq=100
    10.02 server > client SYN,ACK seq=900 ack=101{fate}
    9.03 client > server ACK seq=101 ack=901
    9.04 client > server PSH,ACK seq=101 ack=901 data=hello
    9.05 server > client ACK seq=901 ack=106
"""


def test_a_clock_that_is_set_back_changes_no_order() -> None:
    conversation = converse(STEPPED.format(fate=""))
    assert final(conversation) == (State.ESTABLISHED, State.ESTABLISHED)
    assert [segment.notes for segment in conversation.segments] == [frozenset()] * 5
    assert conversation.client_to_server.data == b"hello"
    assert conversation.handshake is not None


def test_a_clock_that_is_set_back_while_a_segment_is_on_its_way_changes_no_order() -> None:
    conversation = converse(STEPPED.format(fate=" recv=9.025"))
    assert final(conversation) == (State.ESTABLISHED, State.ESTABLISHED)
    assert [segment.notes for segment in conversation.segments] == [frozenset()] * 5


# What the receiver's kernel threw away.

LOSSY = """
0.001 client > server SYN seq=100 win=1000
0.002 server > client SYN,ACK seq=900 ack=101 win=1000
0.003 client > server ACK seq=101 ack=901
0.004 client > server ACK,PSH seq=101 ack=901 data=hello
0.005 client > server FIN,ACK seq=106 ack=901
0.006 server > client ACK seq=901 ack=101
0.300 client > server FIN,PSH,ACK seq=101 ack=901 data=hello
0.301 server > client ACK seq=901 ack=107
"""


def states_at_server(text: str, *dropped: int) -> list[str]:
    """After each segment that arrives there."""
    talk = analyse_tcp(only_flow(text), dropped)
    return [s.receiver_state.value for s in talk.segments if s.from_client and s.receiver_state]


def test_a_dropped_segment_comes_over_the_wire_and_brings_no_fin() -> None:
    talk = analyse_tcp(only_flow(LOSSY), {4, 5})
    assert states_at_server(LOSSY, 4, 5) == ["SYN-RECEIVED", *["ESTABLISHED"] * 3, "CLOSE-WAIT"]
    assert [Note.DROPPED in segment.notes for segment in talk.segments] == [
        number in (4, 5) for number in range(1, 9)
    ]
    assert talk.client_to_server.data == b"hello"
    assert analyse_tcp(only_flow(LOSSY), {4, 5, 7}).client_to_server.data == b"hello"


def test_a_handshake_whose_last_ack_was_dropped_ends_with_the_next_one() -> None:
    talk = analyse_tcp(only_flow(LOSSY), {3})
    assert talk.handshake is not None
    assert talk.handshake.ack == 4
    assert states_at_server(LOSSY, 3)[:3] == ["SYN-RECEIVED", "SYN-RECEIVED", "ESTABLISHED"]


def test_a_handshake_without_an_ack_that_was_taken_is_none() -> None:
    assert analyse_tcp(only_flow(LOSSY), {3, 4, 5, 7}).handshake is None


def test_a_dropped_reset_ends_nothing() -> None:
    text = LOSSY + "0.400 client > server RST seq=107\n"
    assert states_at_server(text)[-1] == "CLOSED"
    assert states_at_server(text, 9)[-1] == "CLOSE-WAIT"


def test_of_a_syn_that_came_several_times_the_last_before_the_answer_was_answered() -> None:
    """TCP answers a SYN at once: one that met a full accept queue leaves LISTEN."""
    again = """
0.001 client > server SYN seq=100 win=1000
1.001 client > server SYN seq=100 win=1000
3.001 client > server SYN seq=100 win=1000
3.002 server > client SYN,ACK seq=900 ack=101 win=1000
3.003 client > server SYN seq=100 win=1000
3.004 client > server ACK seq=101 ack=901
"""
    assert states_at_server(again) == [
        "LISTEN", "LISTEN", "SYN-RECEIVED", "SYN-RECEIVED", "ESTABLISHED",
    ]  # fmt: skip


def test_after_a_reset_of_the_clients_kernel_an_ack_opens_nothing() -> None:
    """A SYN made by hand is unknown to the kernel that gets the answer."""
    by_hand = """
0.001 client > server SYN seq=100 win=1000
0.002 server > client SYN,ACK seq=900 ack=101 win=1000
0.003 client > server RST seq=101
0.004 client > server ACK seq=101 ack=901
0.005 server > client RST seq=901
"""
    assert states_at_server(by_hand) == ["SYN-RECEIVED", "LISTEN", "LISTEN"]
    assert analyse_tcp(only_flow(by_hand)).handshake is None


def test_a_keep_alive_that_was_dropped_is_answered_all_the_same() -> None:
    text = """
0.001 client > server SYN seq=100 win=1000
0.002 server > client SYN,ACK seq=900 ack=101 win=1000
0.003 client > server ACK seq=101 ack=901 win=1000
1.003 client > server ACK seq=100 ack=901 win=1000
1.004 server > client ACK seq=901 ack=101 win=2000
"""
    talk = analyse_tcp(only_flow(text), {4})
    assert talk.segments[3].notes == {Note.KEEP_ALIVE, Note.DROPPED}
    assert talk.segments[4].notes == {Note.KEEP_ALIVE_ACK}
