"""Claims of a resolver and a name server, of recorded runs and with something otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from network_steps import BROKEN, HOLDS, UNDECIDED, outcome, step_of
from timeline_edits import edited

from lab.analysis.flows.crossing import Crossing
from lab.analysis.messages.dns import DnsMessage
from lab.analysis.messages.message import messages_of
from lab.analysis.packets.packet import Payload
from lab.analysis.timeline import Timeline
from lab.checks.networks.dns import (
    answers_what_was_asked,
    asks_again_over_tcp,
    cuts_what_is_too_long,
    says_that_there_is_none,
)
from lab.model.claim import Claim

NAMES = pytest.mark.parametrize("name", ["dns4", "dns6"])
CLAIMS = (
    answers_what_was_asked,
    cuts_what_is_too_long,
    asks_again_over_tcp,
    says_that_there_is_none,
)


def saying(crossing: Crossing, data: bytes) -> Crossing:
    """The crossing with another payload of as many bytes."""
    layers = tuple(
        Payload(each.offset, data) if isinstance(each, Payload) else each
        for each in crossing.packet.layers
    )
    return replace(crossing, packet=replace(crossing.packet, layers=layers))


def message(crossing: Crossing) -> DnsMessage | None:
    found = [each for each in messages_of(crossing.packet) if isinstance(each, DnsMessage)]
    return found[0] if found else None


def is_answer(crossing: Crossing) -> bool:
    said = message(crossing)
    return said is not None and said.is_answer


def is_over_tcp(crossing: Crossing) -> bool:
    return crossing.packet.tcp is not None


def changing(
    timeline: Timeline, wanted: Callable[[Crossing], object], at: int, value: int
) -> Timeline:
    """The messages of such crossings with another byte."""

    def change(crossing: Crossing) -> Crossing:
        if message(crossing) is None or not wanted(crossing):
            return crossing
        data = bytearray(crossing.packet.payload)
        data[at + 2 * is_over_tcp(crossing)] = value
        return saying(crossing, bytes(data))

    changed = edited(timeline, change)
    assert changed.crossings != timeline.crossings, "an edit of nothing breaks nothing"
    return changed


@NAMES
@pytest.mark.parametrize("claim", CLAIMS)
def test_it_holds_of_a_recorded_run(name: str, claim: Claim) -> None:
    assert outcome(claim, step_of(name)) is HOLDS


@NAMES
@pytest.mark.parametrize("claim", CLAIMS)
def test_where_nobody_asks_nothing_is_decided(name: str, claim: Claim) -> None:
    none = edited(step_of(name), lambda c: None if message(c) else c)
    assert outcome(claim, none) is UNDECIDED


@NAMES
def test_an_answer_that_does_not_come_or_is_to_something_else_breaks_it(name: str) -> None:
    timeline = step_of(name)
    silent = edited(timeline, lambda c: None if is_answer(c) else c)
    assert outcome(answers_what_was_asked, silent) is BROKEN
    lost = edited(timeline, lambda c: replace(c, received_ns=None) if is_answer(c) else c)
    assert outcome(answers_what_was_asked, lost) is BROKEN
    for wanted in (is_answer, lambda c: is_answer(c) and is_over_tcp(c)):
        other_number = changing(timeline, wanted, 0, 0xFF)
        other_number = changing(other_number, wanted, 1, 0xEE)
        assert outcome(answers_what_was_asked, other_number) is BROKEN
    other_question = changing(timeline, is_answer, 13, ord("z"))
    assert outcome(answers_what_was_asked, other_question) is BROKEN


@NAMES
def test_an_answer_that_need_not_be_cut_breaks_it(name: str) -> None:
    timeline = step_of(name)

    def short(crossing: Crossing) -> Crossing:
        """Without its last record, as one that would have gone over UDP."""
        if not (is_answer(crossing) and is_over_tcp(crossing)):
            return crossing
        data = bytearray(crossing.packet.payload[:-213])
        data[:2] = (len(data) - 2).to_bytes(2, "big")
        data[9] = 2
        return saying(crossing, bytes(data))

    less = edited(timeline, short)
    talks = tuple(
        replace(
            talk,
            server_to_client=replace(
                talk.server_to_client,
                parts=tuple(
                    carried
                    for c in less.crossings
                    if is_answer(c) and is_over_tcp(c)
                    if (carried := c.packet.carried) is not None
                )[:1],
            ),
        )
        for talk in less.conversations
    )
    assert outcome(cuts_what_is_too_long, replace(less, conversations=talks)) is BROKEN
    uncut = changing(timeline, lambda c: is_answer(c) and not is_over_tcp(c), 2, 0x85)
    assert outcome(cuts_what_is_too_long, uncut) is UNDECIDED
    assert outcome(asks_again_over_tcp, uncut) is UNDECIDED


@NAMES
def test_an_answer_over_udp_that_is_too_long_breaks_it(name: str) -> None:
    timeline = step_of(name)
    whole = next(c.packet.payload for c in timeline.crossings if is_answer(c) and is_over_tcp(c))
    long = edited(
        timeline,
        lambda c: saying(c, whole[2:]) if is_answer(c) and not is_over_tcp(c) else c,
    )
    assert outcome(cuts_what_is_too_long, long) is BROKEN


@NAMES
def test_who_does_not_ask_again_or_gets_no_whole_answer_breaks_it(name: str) -> None:
    timeline = step_of(name)
    never = edited(timeline, lambda c: None if is_over_tcp(c) else c)
    assert outcome(asks_again_over_tcp, never) is BROKEN
    assert outcome(cuts_what_is_too_long, never) is UNDECIDED
    unanswered = edited(timeline, lambda c: None if is_over_tcp(c) and is_answer(c) else c)
    assert outcome(asks_again_over_tcp, unanswered) is BROKEN
    cut = changing(timeline, lambda c: is_over_tcp(c) and is_answer(c), 2, 0x87)
    assert outcome(asks_again_over_tcp, cut) is BROKEN


@NAMES
def test_an_answer_with_no_record_and_no_code_breaks_it(name: str) -> None:
    timeline = step_of(name)
    empty = changing(timeline, is_answer, 3, 0)
    assert outcome(says_that_there_is_none, empty) is BROKEN
    there = changing(timeline, is_answer, 3, 3)
    assert outcome(says_that_there_is_none, there) is BROKEN
    known = edited(
        timeline,
        lambda c: None if "no.example." in str(message(c)) and is_answer(c) else c,
    )
    assert outcome(says_that_there_is_none, known) is UNDECIDED
