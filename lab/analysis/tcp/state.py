"""The states of a TCP connection: RFC 9293, figure 5, as one table.

Only what is on the wire is an event where possible; the few steps no segment shows
(a passive OPEN, CLOSE before anything was sent, the end of TIME-WAIT) are there so that the
table is the whole figure. An event that the table does not list leaves the state as it is.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """A connection's state at one of its ends. Source: RFC 9293, 3.3.2."""

    __hash__ = object.__hash__  # each is one object; enum's own hashes the name, in Python

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class TcpEvent(enum.Enum):
    """What moves one end from state to state."""

    __hash__ = object.__hash__  # each is one object; enum's own hashes the name, in Python

    PASSIVE_OPEN = "passive OPEN"
    CLOSE = "CLOSE"
    TIME_WAIT_TIMEOUT = "timeout, 2 MSL"
    SEND_SYN = "send SYN"
    SEND_FIN = "send FIN"
    SEND_RST = "send RST"
    RECEIVE_SYN = "receive SYN"
    RECEIVE_SYN_ACK = "receive SYN, ACK of SYN"
    RECEIVE_ACK_OF_SYN = "receive ACK of SYN"
    RECEIVE_FIN = "receive FIN"
    RECEIVE_ACK_OF_FIN = "receive ACK of FIN"
    RECEIVE_FIN_AND_ACK_OF_FIN = "receive FIN, ACK of FIN"
    RECEIVE_RST = "receive RST"
    RECEIVE_RST_AFTER_PASSIVE_OPEN = "receive RST (after a passive OPEN)"


_OPEN_AND_CLOSE: dict[tuple[State, TcpEvent], State] = {
    (State.CLOSED, TcpEvent.PASSIVE_OPEN): State.LISTEN,
    (State.CLOSED, TcpEvent.SEND_SYN): State.SYN_SENT,
    (State.LISTEN, TcpEvent.RECEIVE_SYN): State.SYN_RECEIVED,
    (State.LISTEN, TcpEvent.SEND_SYN): State.SYN_SENT,
    (State.LISTEN, TcpEvent.CLOSE): State.CLOSED,
    (State.SYN_SENT, TcpEvent.RECEIVE_SYN): State.SYN_RECEIVED,
    (State.SYN_SENT, TcpEvent.RECEIVE_SYN_ACK): State.ESTABLISHED,
    (State.SYN_SENT, TcpEvent.CLOSE): State.CLOSED,
    (State.SYN_RECEIVED, TcpEvent.RECEIVE_ACK_OF_SYN): State.ESTABLISHED,
    (State.SYN_RECEIVED, TcpEvent.SEND_FIN): State.FIN_WAIT_1,
    (State.ESTABLISHED, TcpEvent.SEND_FIN): State.FIN_WAIT_1,
    (State.ESTABLISHED, TcpEvent.RECEIVE_FIN): State.CLOSE_WAIT,
    (State.FIN_WAIT_1, TcpEvent.RECEIVE_ACK_OF_FIN): State.FIN_WAIT_2,
    (State.FIN_WAIT_1, TcpEvent.RECEIVE_FIN): State.CLOSING,
    (State.FIN_WAIT_1, TcpEvent.RECEIVE_FIN_AND_ACK_OF_FIN): State.TIME_WAIT,
    (State.FIN_WAIT_2, TcpEvent.RECEIVE_FIN): State.TIME_WAIT,
    (State.CLOSE_WAIT, TcpEvent.SEND_FIN): State.LAST_ACK,
    (State.CLOSING, TcpEvent.RECEIVE_ACK_OF_FIN): State.TIME_WAIT,
    (State.LAST_ACK, TcpEvent.RECEIVE_ACK_OF_FIN): State.CLOSED,
    (State.TIME_WAIT, TcpEvent.TIME_WAIT_TIMEOUT): State.CLOSED,
}

# RFC 9293, 3.10.5 and 3.10.7.4: an abort, sent or received. A side in LISTEN, SYN-SENT or
# TIME-WAIT that sends a RST answers a stray segment; its own connection stays.
_RESETS: dict[tuple[State, TcpEvent], State] = {
    **{
        (state, TcpEvent.SEND_RST): State.CLOSED
        for state in State
        if state not in {State.CLOSED, State.LISTEN, State.SYN_SENT, State.TIME_WAIT}
    },
    **{
        (state, TcpEvent.RECEIVE_RST): State.CLOSED
        for state in State
        if state not in {State.CLOSED, State.LISTEN}
    },
    (State.SYN_RECEIVED, TcpEvent.RECEIVE_RST_AFTER_PASSIVE_OPEN): State.LISTEN,
}

TRANSITIONS: dict[tuple[State, TcpEvent], State] = {**_OPEN_AND_CLOSE, **_RESETS}
"""Every transition there is. Source: RFC 9293, figure 5 with its notes 1 and 2; 3.10."""


def next_state(state: State, event: TcpEvent) -> State:
    """The state after the event; the same state where the table has no such transition."""
    return TRANSITIONS.get((state, event), state)


def render_transitions() -> str:
    """The table as Markdown, one row for each transition, by the state it leaves."""
    order = {state: position for position, state in enumerate(State)}
    rows = sorted(TRANSITIONS.items(), key=lambda row: order[row[0][0]])
    lines = ["| state | event | next state |", "|---|---|---|"]
    lines += [f"| {s.value} | {event.value} | {after.value} |" for (s, event), after in rows]
    return "\n".join(lines) + "\n"
