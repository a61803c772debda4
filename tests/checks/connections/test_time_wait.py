"""Claims of TIME-WAIT: each holds of a recorded run, and can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_edits import outcome, timeline_of, with_calls, without_calls, without_segments

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.state import State
from lab.analysis.timeline import Timeline
from lab.checks.connections.time_wait import (
    gives_the_port_to_who_asks_for_reuse,
    makes_the_first_to_close_wait,
    refuses_the_port_of_who_waits,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
OF = (
    ("waiting", makes_the_first_to_close_wait),
    ("reuse", makes_the_first_to_close_wait),
    ("waiting", refuses_the_port_of_who_waits),
    ("reuse", gives_the_port_to_who_asks_for_reuse),
)
EACH = pytest.mark.parametrize(
    ("step", "claim"), OF, ids=lambda each: each if isinstance(each, str) else each.name
)
OF_BIND = pytest.mark.parametrize(("step", "claim"), OF[2:], ids=["in-use", "reused"])


def of(step: str) -> Timeline:
    return timeline_of("time-wait4", step)


@EACH
def test_it_holds_of_a_recorded_run(step: str, claim: Claim) -> None:
    assert outcome(claim, of(step)) is HOLDS


@EACH
def test_it_is_broken_where_only_one_side_closed(step: str, claim: Claim) -> None:
    half = without_segments(of(step), lambda s: s.from_client and s.flags & TcpFlags.FIN)
    assert outcome(claim, half) is BROKEN


@pytest.mark.parametrize(
    "states", [(State.TIME_WAIT, State.CLOSED), (State.TIME_WAIT, State.TIME_WAIT)]
)
def test_where_another_waits_it_is_broken(states: tuple[State, State]) -> None:
    timeline = of("waiting")
    talk = replace(timeline.conversations[0], client_state=states[0], server_state=states[1])
    other = replace(timeline, conversations=(talk,))
    assert outcome(makes_the_first_to_close_wait, other) is BROKEN


@OF_BIND
def test_it_is_undecided_where_nothing_was_printed(step: str, claim: Claim) -> None:
    assert outcome(claim, without_calls(of(step))) is UNDECIDED
    assert outcome(claim, without_calls(of(step), "bind")) is UNDECIDED


@OF_BIND
def test_before_the_end_of_the_stream_a_bind_shows_nothing(step: str, claim: Claim) -> None:
    early = with_calls(
        of(step), lambda call: replace(call, number=99) if call.name == "recv" else call
    )
    assert outcome(claim, early) is UNDECIDED


@OF_BIND
def test_another_port_shows_nothing(step: str, claim: Claim) -> None:
    other = with_calls(
        of(step),
        lambda call: (
            replace(call, arguments=(3, ("198.51.100.2", 80)))
            if call.name == "bind" and call.number > 2 + (step == "reuse")
            else call
        ),
    )
    assert outcome(claim, other) is UNDECIDED


@OF_BIND
def test_the_other_outcome_of_bind_breaks_it(step: str, claim: Claim) -> None:
    error = "" if step == "waiting" else "EADDRINUSE"
    other = with_calls(
        of(step),
        lambda call: (
            replace(call, error=error, result=-1 if error else 0)
            if call.name == "bind" and call.number > 3
            else call
        ),
    )
    assert outcome(claim, other) is BROKEN


def test_without_the_option_nothing_is_said_of_it() -> None:
    assert outcome(gives_the_port_to_who_asks_for_reuse, of("waiting")) is UNDECIDED
