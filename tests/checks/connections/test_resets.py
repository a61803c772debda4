"""Claims of connections that end with a RST: each holds of a recorded run, and can be broken."""

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
from lab.analysis.tcp.segment import Note
from lab.analysis.timeline import Timeline
from lab.checks.connections.resets import (
    refuses_where_nobody_listens,
    resets_by_lingering_for_no_time,
    resets_what_is_unread,
    resets_what_it_knows_nothing_of,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
OF = {
    "unread": resets_what_is_unread,
    "nobody": refuses_where_nobody_listens,
    "crash": resets_what_it_knows_nothing_of,
    "linger": resets_by_lingering_for_no_time,
}
EACH = pytest.mark.parametrize(("step", "claim"), OF.items(), ids=OF)


def of(step: str) -> Timeline:
    return timeline_of("reset4", step)


def without_rst(step: str) -> Timeline:
    return without_segments(of(step), lambda s: s.flags & TcpFlags.RST)


@EACH
def test_it_holds_of_a_recorded_run(step: str, claim: Claim) -> None:
    assert outcome(claim, of(step)) is HOLDS


@EACH
def test_it_is_broken_where_no_rst_came(step: str, claim: Claim) -> None:
    assert outcome(claim, without_rst(step)) is BROKEN


@EACH
def test_it_is_undecided_where_nothing_was_printed(step: str, claim: Claim) -> None:
    assert outcome(claim, without_calls(of(step))) is UNDECIDED


@EACH
def test_it_is_broken_where_the_rst_made_no_call_fail(step: str, claim: Claim) -> None:
    succeeding = with_calls(of(step), lambda call: replace(call, error="", result=0))
    assert outcome(claim, succeeding) is BROKEN


def test_where_all_was_read_nothing_is_thrown_away() -> None:
    all_read = with_calls(
        of("unread"),
        lambda call: (
            replace(call, arguments=(4, b"x" * 25, 25), result=25) if call.name == "recv" else call
        ),
    )
    assert outcome(resets_what_is_unread, all_read) is BROKEN


@pytest.mark.parametrize("step", ["unread", "linger"])
def test_a_fin_before_the_rst_breaks_it(step: str) -> None:
    """The last segment before the RST of the side that sends it is made a FIN."""
    timeline = of(step)
    (talk,) = timeline.conversations
    rst = next(s for s in talk.segments if s.flags & TcpFlags.RST)
    before = [s for s in talk.segments if s.from_client == rst.from_client and s is not rst]
    with_fin = with_segments(
        timeline, lambda s: replace(s, flags=s.flags | TcpFlags.FIN) if s is before[-1] else s
    )
    assert outcome(OF[step], with_fin) is BROKEN


@pytest.mark.parametrize("step", ["nobody", "crash"])
def test_a_rst_of_another_number_breaks_it(step: str) -> None:
    timeline = of(step)
    (talk,) = timeline.conversations

    def other(number: int) -> Timeline:
        flow = talk.flow
        crossings = tuple(
            replace(
                c,
                packet=replace(
                    c.packet,
                    layers=tuple(
                        replace(layer, seq=layer.seq + 1, ack=layer.ack + 1)
                        if layer is c.packet.tcp
                        else layer
                        for layer in c.packet.layers
                    ),
                ),
            )
            if c.number == number
            else c
            for c in flow.crossings
        )
        changed = replace(talk, flow=replace(flow, crossings=crossings))
        return replace(timeline, conversations=(changed,))

    last = [s for s in talk.segments if s.flags & TcpFlags.RST][-1]
    assert outcome(OF[step], other(last.crossing)) is BROKEN


def test_where_the_end_was_noticed_nothing_was_half_open() -> None:
    noticed = with_segments(
        of("crash"), lambda s: replace(s, notes=s.notes - {Note.LOST}, flags=TcpFlags.ACK)
        if s.flags & TcpFlags.RST and Note.LOST in s.notes
        else s
    )  # fmt: skip
    assert outcome(resets_what_it_knows_nothing_of, noticed) is UNDECIDED


def test_a_rst_that_answers_nothing_breaks_it() -> None:
    timeline = of("crash")
    (talk,) = timeline.conversations
    gone = next(s for s in talk.segments if Note.LOST in s.notes)
    unasked = without_segments(
        timeline, lambda s: s.crossing > gone.crossing and s.from_client != gone.from_client
    )
    assert outcome(resets_what_it_knows_nothing_of, unasked) is BROKEN
