"""Claims of conversations on a wire with rules: each holds of a recorded run, and can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
import timeline_edits as e
from timeline_edits import edited, outcome

from lab.analysis.flows.crossing import Crossing
from lab.analysis.timeline import Timeline
from lab.checks.faults.conversations import (
    answers_a_copy,
    is_silent_about_a_wrong_checksum,
    loses_a_datagram_unnoticed,
    names_what_is_behind_a_gap,
    opens_by_data,
    puts_in_order,
    sends_again_what_is_lost,
    strikes_what_its_rules_name,
    waits_a_second_at_first,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
OF = {
    "loss-syn4": (sends_again_what_is_lost, waits_a_second_at_first),
    "loss-syn-ack4": (sends_again_what_is_lost, waits_a_second_at_first),
    "loss-ack4": (opens_by_data,),
    "loss-data4": (sends_again_what_is_lost, names_what_is_behind_a_gap),
    "duplicate4": (answers_a_copy,),
    "reorder4": (puts_in_order,),
    "corrupt4": (sends_again_what_is_lost, is_silent_about_a_wrong_checksum),
    "udp-loss4": (loses_a_datagram_unnoticed,),
}
STEP = {"loss-data4": "fast retransmit"}
"""Which is meant of a recording of several."""
EACH = pytest.mark.parametrize(
    ("name", "claim"),
    [(name, claim) for name, claims in OF.items() for claim in claims],
    ids=lambda each: each if isinstance(each, str) else each.name,
)


def timeline_of(name: str) -> Timeline:
    return e.timeline_of(name, STEP.get(name, ""))


def without_again(timeline: Timeline) -> Timeline:
    """Nothing that a wire dropped or spoilt is ever sent again."""
    struck = {each.frame for each in timeline.struck if each.strike.is_end or each.strike.changed}
    lost = [s for t in timeline.conversations for s in t.segments if s.crossing in
            {frame.number for frame in struck if frame}]  # fmt: skip
    gone = {
        each.crossing
        for talk in timeline.conversations
        for each in talk.segments
        for one in lost
        if each.crossing > one.crossing
        and each.from_client == one.from_client
        and each.seq <= one.seq < each.seq + max(each.length, 1)
    } - {frame.number for each in timeline.struck for frame in each.made}
    assert gone
    return edited(timeline, lambda c: None if c.number in gone else c)


@EACH
def test_it_holds_of_a_recorded_run(name: str, claim: Claim) -> None:
    assert outcome(claim, timeline_of(name)) is HOLDS
    assert outcome(strikes_what_its_rules_name, timeline_of(name)) is HOLDS


@EACH
def test_where_no_wire_struck_anything_there_is_nothing_to_decide(name: str, claim: Claim) -> None:
    assert outcome(claim, replace(timeline_of(name), struck=())) is UNDECIDED


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("loss-syn4", sends_again_what_is_lost),
        ("loss-syn4", waits_a_second_at_first),
        ("loss-data4", sends_again_what_is_lost),
        ("loss-data4", names_what_is_behind_a_gap),
        ("corrupt4", sends_again_what_is_lost),
        ("corrupt4", is_silent_about_a_wrong_checksum),
    ],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
def test_what_is_never_sent_again_breaks_it(name: str, claim: Claim) -> None:
    assert outcome(claim, without_again(timeline_of(name))) is BROKEN


def test_a_loss_that_no_rule_made_breaks_the_wires_claim() -> None:
    timeline = timeline_of("loss-ack4")
    last = timeline.crossings[-1].number

    def lost(crossing: Crossing) -> Crossing:
        return replace(crossing, received_ns=None) if crossing.number == last else crossing

    assert outcome(strikes_what_its_rules_name, edited(timeline, lost)) is BROKEN


def test_a_frame_that_was_not_seen_leaving_leaves_the_wires_claim_undecided() -> None:
    timeline = timeline_of("loss-ack4")
    last = timeline.crossings[-1].number

    def unsent(crossing: Crossing) -> Crossing:
        return replace(crossing, sent_ns=None) if crossing.number == last else crossing

    assert outcome(strikes_what_its_rules_name, edited(timeline, unsent)) is UNDECIDED


@pytest.mark.parametrize("name", ["loss-syn4", "loss-syn-ack4"])
def test_a_syn_that_comes_again_sooner_breaks_it(name: str) -> None:
    timeline = timeline_of(name)
    struck, *_ = timeline.struck
    assert struck.frame is not None
    sooner = moved(timeline, struck.frame.number + 1, None, -500)
    assert outcome(waits_a_second_at_first, sooner) is BROKEN


@pytest.mark.parametrize("late_ms", [0, 25, 900])
def test_a_syn_acks_timer_runs_from_the_syn_that_it_answers(late_ms: int) -> None:
    """A busy server's timer runs long before its SYN-ACK leaves."""
    timeline = timeline_of("loss-syn-ack4")
    (struck,) = timeline.struck
    assert struck.frame is not None
    late = moved(timeline, struck.frame.number, struck.frame.number, late_ms)
    assert outcome(waits_a_second_at_first, late) is HOLDS


@pytest.mark.parametrize("late_ms", [0, 25, 900])
def test_a_syn_ack_that_answers_a_syn_again_waits_as_long_as_that_syn(late_ms: int) -> None:
    """A busy server gets the first SYN late, the second at once, and its timer still runs."""
    timeline = timeline_of("loss-syn-ack4")
    (struck,) = timeline.struck
    assert struck.frame is not None
    lost = struck.frame.number
    without_timer = edited(timeline, lambda c: None if c.number == lost + 2 else c)
    late = moved(without_timer, lost, lost, late_ms)
    syn = moved(late, lost - 1, lost - 1, late_ms, is_left=True)
    assert outcome(waits_a_second_at_first, syn) is HOLDS


def moved(
    timeline: Timeline, first: int, last: int | None, by_ms: int, *, is_left: bool = False
) -> Timeline:
    """The frames from the first to the last are that much later; without a last, all behind.

    Of those that have left in time, only their arrival is.
    """

    def move(crossing: Crossing) -> Crossing:
        if crossing.number < first or (last is not None and crossing.number > last):
            return crossing
        sent, came = crossing.sent_ns, crossing.received_ns
        return replace(
            crossing,
            sent_ns=sent if sent is None or is_left else sent + by_ms * 1_000_000,
            received_ns=None if came is None else came + by_ms * 1_000_000,
        )

    return edited(timeline, move)


def test_without_a_sack_a_gap_is_not_named() -> None:
    timeline = timeline_of("loss-data4")
    sacking = {s.crossing for t in timeline.conversations for s in t.segments if s.sack}
    assert sacking
    without = edited(timeline, lambda c: None if c.number in sacking else c)
    assert outcome(names_what_is_behind_a_gap, without) is BROKEN


def test_a_copy_without_an_answer_breaks_it() -> None:
    timeline = timeline_of("duplicate4")
    (struck,) = timeline.struck
    (copy,) = struck.made
    came_ns = timeline.crossing_of[copy.number].received_ns or 0

    def unanswered(crossing: Crossing) -> Crossing | None:
        return None if crossing.sender == "server" and crossing.time_ns > came_ns else crossing

    assert outcome(answers_a_copy, edited(timeline, unanswered)) is BROKEN


def test_bytes_that_never_came_break_the_order() -> None:
    timeline = timeline_of("reorder4")
    (struck,) = timeline.struck
    assert struck.frame is not None
    end_ns = max(c.time_ns for c in timeline.crossings)

    def cut(crossing: Crossing) -> Crossing:
        is_data = crossing.packet.payload and crossing.sender == "client"
        is_other = struck.frame is not None and crossing.number > struck.frame.number
        return replace(crossing, received_ns=end_ns) if is_data and not is_other else crossing

    assert outcome(puts_in_order, edited(timeline, cut)) in (HOLDS, UNDECIDED)
    (talk,) = timeline.conversations
    gap = replace(talk, client_to_server=replace(talk.client_to_server, gaps=((3, 5),)))
    assert outcome(puts_in_order, replace(timeline, conversations=(gap,))) is BROKEN


def test_an_acknowledged_wrong_checksum_breaks_the_silence() -> None:
    timeline = timeline_of("corrupt4")
    (struck,) = timeline.struck
    assert struck.frame is not None
    (talk,) = timeline.conversations
    left_ns = timeline.crossing_of[struck.frame.number].time_ns
    answer = next(s for s in talk.segments if not s.from_client and not s.flags & 2)
    early = replace(timeline.crossing_of[answer.crossing], sent_ns=left_ns + 1)
    crossings = {c.number: c for c in timeline.crossings} | {answer.crossing: early}
    told = replace(answer, ack=60)
    segments = tuple(told if s is answer else s for s in talk.segments)
    changed = replace(
        timeline,
        crossings=tuple(crossings.values()),
        conversations=(replace(talk, segments=segments),),
    )
    assert outcome(is_silent_about_a_wrong_checksum, changed) is BROKEN


def test_a_handshake_that_data_does_not_finish_breaks_it() -> None:
    timeline = timeline_of("loss-ack4")
    (struck,) = timeline.struck
    assert struck.frame is not None
    gone = struck.frame.number
    after = [c for c in timeline.crossings if c.number > gone and c.sender == "client"]
    numbers = {c.number for c in after}
    without = edited(timeline, lambda c: None if c.number in numbers else c)
    assert outcome(opens_by_data, without) is BROKEN


def test_a_datagram_that_was_sent_again_or_read_breaks_it() -> None:
    timeline = timeline_of("udp-loss4")
    (struck,) = timeline.struck
    assert struck.frame is not None
    lost = timeline.crossing_of[struck.frame.number]
    again = replace(lost, number=99, received_ns=lost.time_ns + 5, strikes=())
    twice = replace(timeline, crossings=(*timeline.crossings, again))
    assert outcome(loses_a_datagram_unnoticed, twice) is BROKEN
    silent = replace(timeline, calls={**timeline.calls, "client": ()})
    assert outcome(loses_a_datagram_unnoticed, silent) is UNDECIDED
    reads = timeline.calls["server"]
    first = next(call for call in reads if call.name == "recvfrom")
    told = replace(first, arguments=(lost.packet.payload,))
    calls = {**timeline.calls, "server": (told, *(c for c in reads if c is not first))}
    assert outcome(loses_a_datagram_unnoticed, replace(timeline, calls=calls)) is BROKEN


@pytest.mark.parametrize("late_ms", [25, 500])
def test_a_syn_that_waited_for_its_neighbours_address_was_sent_before(late_ms: int) -> None:
    """Its timer runs meanwhile: the next copy comes sooner behind the frame, and is no sooner."""
    timeline = timeline_of("loss-syn4")
    assert timeline.struck[0].frame is not None
    syn = timeline.struck[0].frame.number
    assert [c.packet.arp is not None for c in timeline.crossings[:syn]] == [True, True, False]
    late = moved(timeline, syn - 1, syn, late_ms)
    verdict = waits_a_second_at_first(late)
    assert verdict.outcome is HOLDS
    assert "after f1, for whose answer f3 waited" in verdict.why
    assert late.crossings[0].id in verdict.evidence
    known = edited(late, lambda c: None if c.number < syn else c)
    assert outcome(waits_a_second_at_first, known) is BROKEN


def test_of_copies_that_left_together_nobody_has_seen_when_they_were_sent() -> None:
    timeline = timeline_of("loss-syn4")
    assert timeline.struck[0].frame is not None
    syn = timeline.struck[0].frame.number
    again_ns = timeline.crossing_of[syn + 1].time_ns
    by_ms = (again_ns - timeline.crossing_of[syn].time_ns) // 1_000_000
    together = moved(timeline, syn - 1, syn, by_ms)
    assert syn + 1 in together.neighbour_waits
    assert outcome(waits_a_second_at_first, together) is UNDECIDED
