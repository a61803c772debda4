"""Claims of half-closed connections: each holds of a recorded run, and can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_edits import (
    outcome,
    timeline_of,
    with_calls,
    with_segments,
    without_calls,
    without_segments,
)

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Segment
from lab.analysis.tcp.state import State
from lab.analysis.timeline import Timeline
from lab.checks.connections.half_close import (
    goes_on_in_the_other_direction,
    resets_what_comes_after_close,
    sends_no_more,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
OF = (
    ("shutdown", goes_on_in_the_other_direction),
    ("shutdown", sends_no_more),
    ("close", resets_what_comes_after_close),
)
EACH = pytest.mark.parametrize(
    ("step", "claim"), OF, ids=lambda each: each if isinstance(each, str) else each.name
)


def of(step: str) -> Timeline:
    return timeline_of("half-close4", step)


def is_answer(segment: Segment) -> bool:
    return bool(segment.length) and not segment.from_client


@EACH
def test_it_holds_of_a_recorded_run(step: str, claim: Claim) -> None:
    assert outcome(claim, of(step)) is HOLDS


@EACH
def test_it_is_broken_without_a_fin(step: str, claim: Claim) -> None:
    without = without_segments(of(step), lambda s: s.from_client and s.flags & TcpFlags.FIN)
    assert outcome(claim, without) is BROKEN


@EACH
def test_it_is_undecided_where_nothing_was_printed(step: str, claim: Claim) -> None:
    assert outcome(claim, without_calls(of(step))) is UNDECIDED


def test_an_answer_that_is_not_read_breaks_it() -> None:
    unread = with_calls(
        of("shutdown"),
        lambda call: replace(call, arguments=(3, b"", 16)) if call.name == "recv" else call,
    )
    assert outcome(goes_on_in_the_other_direction, unread) is BROKEN


def test_no_answer_breaks_it() -> None:
    silent = without_segments(of("shutdown"), is_answer)
    assert outcome(goes_on_in_the_other_direction, silent) is BROKEN
    silent = without_segments(of("close"), is_answer)
    assert outcome(resets_what_comes_after_close, silent) is UNDECIDED


@pytest.mark.parametrize("of_sender", [True, False])
def test_an_answer_in_another_state_breaks_it(of_sender: bool) -> None:
    def other(segment: Segment) -> Segment:
        if not is_answer(segment):
            return segment
        if of_sender:
            return replace(segment, sender_state=State.ESTABLISHED)
        return replace(segment, receiver_state=State.ESTABLISHED)

    changed = with_segments(of("shutdown"), other)
    assert outcome(goes_on_in_the_other_direction, changed) is BROKEN


def test_data_behind_the_fin_breaks_it() -> None:
    timeline = of("shutdown")
    (talk,) = timeline.conversations
    last = [s for s in talk.segments if s.from_client][-1]
    more = with_segments(timeline, lambda s: replace(s, length=4) if s is last else s)
    assert outcome(sends_no_more, more) is BROKEN


def test_a_send_that_succeeds_after_shutdown_breaks_it() -> None:
    sending = with_calls(
        of("shutdown"),
        lambda call: replace(call, error="", result=22) if call.error == "EPIPE" else call,
    )
    assert outcome(sends_no_more, sending) is BROKEN


def test_an_answer_that_no_rst_follows_breaks_it() -> None:
    without = without_segments(of("close"), lambda s: s.flags & TcpFlags.RST)
    assert outcome(resets_what_comes_after_close, without) is BROKEN


def test_after_shutdown_it_is_not_about_close() -> None:
    assert outcome(resets_what_comes_after_close, of("shutdown")) is UNDECIDED
