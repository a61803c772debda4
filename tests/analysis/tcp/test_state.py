from __future__ import annotations

from pathlib import Path

import pytest

from lab.analysis.tcp.state import TRANSITIONS, State, TcpEvent, next_state, render_transitions

ACTIVE_OPEN = [TcpEvent.SEND_SYN, TcpEvent.RECEIVE_SYN_ACK]
PASSIVE_OPEN = [TcpEvent.PASSIVE_OPEN, TcpEvent.RECEIVE_SYN, TcpEvent.RECEIVE_ACK_OF_SYN]

WALKS = {
    "active open": (ACTIVE_OPEN, "SYN-SENT ESTABLISHED"),
    "passive open": (PASSIVE_OPEN, "LISTEN SYN-RECEIVED ESTABLISHED"),
    "simultaneous open": (
        [TcpEvent.SEND_SYN, TcpEvent.RECEIVE_SYN, TcpEvent.RECEIVE_ACK_OF_SYN],
        "SYN-SENT SYN-RECEIVED ESTABLISHED",
    ),
    "send from LISTEN": ([TcpEvent.PASSIVE_OPEN, TcpEvent.SEND_SYN], "LISTEN SYN-SENT"),
    "close from LISTEN": ([TcpEvent.PASSIVE_OPEN, TcpEvent.CLOSE], "LISTEN CLOSED"),
    "close from SYN-SENT": ([TcpEvent.SEND_SYN, TcpEvent.CLOSE], "SYN-SENT CLOSED"),
    "close from SYN-RECEIVED": (
        [*PASSIVE_OPEN[:2], TcpEvent.SEND_FIN],
        "LISTEN SYN-RECEIVED FIN-WAIT-1",
    ),
    "close first": (
        [
            *ACTIVE_OPEN,
            TcpEvent.SEND_FIN,
            TcpEvent.RECEIVE_ACK_OF_FIN,
            TcpEvent.RECEIVE_FIN,
            TcpEvent.TIME_WAIT_TIMEOUT,
        ],
        "SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED",
    ),
    "close first, FIN and ACK in one (note 2)": (
        [*ACTIVE_OPEN, TcpEvent.SEND_FIN, TcpEvent.RECEIVE_FIN_AND_ACK_OF_FIN],
        "SYN-SENT ESTABLISHED FIN-WAIT-1 TIME-WAIT",
    ),
    "close second": (
        [*PASSIVE_OPEN, TcpEvent.RECEIVE_FIN, TcpEvent.SEND_FIN, TcpEvent.RECEIVE_ACK_OF_FIN],
        "LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED",
    ),
    "simultaneous close": (
        [*ACTIVE_OPEN, TcpEvent.SEND_FIN, TcpEvent.RECEIVE_FIN, TcpEvent.RECEIVE_ACK_OF_FIN],
        "SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT",
    ),
    "reset after passive OPEN (note 1)": (
        [*PASSIVE_OPEN[:2], TcpEvent.RECEIVE_RST_AFTER_PASSIVE_OPEN],
        "LISTEN SYN-RECEIVED LISTEN",
    ),
    "reset after active OPEN": (
        [TcpEvent.SEND_SYN, TcpEvent.RECEIVE_SYN, TcpEvent.RECEIVE_RST],
        "SYN-SENT SYN-RECEIVED CLOSED",
    ),
}


@pytest.mark.parametrize(("events", "states"), WALKS.values(), ids=WALKS)
def test_figure_5_is_walked(events: list[TcpEvent], states: str) -> None:
    state, walked = State.CLOSED, []
    for event in events:
        state = next_state(state, event)
        walked.append(state.value)
    assert walked == states.split()


def test_the_walks_and_the_resets_are_the_whole_table() -> None:
    walked = set()
    for events, _ in WALKS.values():
        state = State.CLOSED
        for event in events:
            walked.add((state, event))
            state = next_state(state, event)
    resets = {(state, event) for state, event in TRANSITIONS if "RST" in event.value}
    assert walked | resets == set(TRANSITIONS)


@pytest.mark.parametrize("state", [s for s in State if s not in (State.CLOSED, State.LISTEN)])
def test_a_received_rst_closes_every_state_that_has_a_peer(state: State) -> None:
    assert next_state(state, TcpEvent.RECEIVE_RST) is State.CLOSED


@pytest.mark.parametrize("state", [State.LISTEN, State.SYN_SENT, State.TIME_WAIT])
def test_a_rst_sent_to_a_stray_segment_changes_nothing(state: State) -> None:
    assert next_state(state, TcpEvent.SEND_RST) is state


@pytest.mark.parametrize("state", [State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT_2])
def test_a_sent_rst_aborts_a_connection(state: State) -> None:
    assert next_state(state, TcpEvent.SEND_RST) is State.CLOSED


def test_an_event_that_is_not_in_the_table_leaves_the_state() -> None:
    assert next_state(State.TIME_WAIT, TcpEvent.RECEIVE_FIN) is State.TIME_WAIT
    assert next_state(State.LISTEN, TcpEvent.RECEIVE_RST) is State.LISTEN


def test_the_table_is_rendered_a_row_for_each_transition_in_order_of_states() -> None:
    header, rule, *rows = render_transitions().splitlines()
    cells = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]
    assert (header, rule) == ("| state | event | next state |", "|---|---|---|")
    assert set(cells) == {(s.value, e.value, after.value) for (s, e), after in TRANSITIONS.items()}
    assert len(cells) == len(TRANSITIONS)
    names = [state.value for state in State]
    positions = [names.index(cell[0]) for cell in cells]
    assert positions == sorted(positions)


def test_the_table_in_the_documentation_is_the_one_in_the_code() -> None:
    text = (Path(__file__).parents[3] / "ARCHITECTURE.md").read_text("utf-8")
    assert text.endswith("\n\n" + render_transitions().rstrip("\n") + "\n")
