"""Which packets wait for their neighbours' hardware addresses, and since when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import timeline_edits as e

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.neighbours import NeighbourWait, answered_for, asked_for, neighbour_waits
from lab.analysis.packets.packet import Ethernet
from lab.analysis.timeline import Timeline

MS = 1_000_000
EACH = pytest.mark.parametrize("name", ["tcp4", "tcp6"])


def change(
    timeline: Timeline, wanted: Callable[[Crossing], object], ns: int = 0, *, lost: bool = False
) -> Timeline:
    """Those crossings so much later, or lost on their way."""
    assert any(map(wanted, timeline.crossings))

    def move(crossing: Crossing) -> Crossing:
        if not wanted(crossing):
            return crossing
        sent, came = crossing.sent_ns, crossing.received_ns
        return replace(
            crossing,
            sent_ns=None if sent is None else sent + ns,
            received_ns=None if came is None or lost else came + ns,
        )

    return e.edited(timeline, move)


def is_question(crossing: Crossing) -> bool:
    return asked_for(crossing.packet) is not None


def is_answer(crossing: Crossing) -> bool:
    return answered_for(crossing.packet) is not None


def parts(timeline: Timeline) -> tuple[Crossing, Crossing, Crossing]:
    """The question, its answer, and the first packet that waits for that."""
    question = next(filter(is_question, timeline.crossings))
    answer = next(filter(is_answer, timeline.crossings))
    first = next(c for c in timeline.crossings if c.packet.tcp is not None)
    return question, answer, first


@EACH
def test_the_first_packet_was_sent_when_its_host_asked(name: str) -> None:
    timeline = e.timeline_of(name)
    question, _, first = parts(timeline)
    waits = timeline.neighbour_waits
    assert waits[first.number] == NeighbourWait(question.id, question.time_ns, is_first=True)
    assert timeline.sent_between(first) == (question.time_ns, question.time_ns)
    assert set(waits) == {first.number}


@EACH
def test_what_leaves_right_behind_it_may_have_waited_as_long(name: str) -> None:
    timeline = e.timeline_of(name)
    question, _, first = parts(timeline)
    second = next(
        c for c in timeline.crossings if c.sender == first.sender and c.number > first.number
    )
    behind = change(
        timeline, lambda c: c.number == second.number, first.time_ns + 1000 - second.time_ns
    )
    wait = behind.neighbour_waits[second.number]
    assert wait == NeighbourWait(question.id, question.time_ns, is_first=False)
    assert behind.sent_between(behind.crossing_of[second.number]) == (
        question.time_ns,
        first.time_ns + 1000,
    )


@EACH
def test_a_packet_that_leaves_later_was_sent_when_it_left(name: str) -> None:
    timeline = e.timeline_of(name)
    _, answer, _ = parts(timeline)
    late = change(timeline, lambda c: c.number > answer.number, 20 * MS)
    assert late.neighbour_waits == {}


@EACH
def test_where_nobody_answered_nothing_has_left_for_that(name: str) -> None:
    timeline = e.timeline_of(name)
    assert change(timeline, is_answer, lost=True).neighbour_waits == {}


@EACH
def test_a_question_that_is_asked_again_was_asked_for_the_first_time(name: str) -> None:
    timeline = e.timeline_of(name)
    question, _, first = parts(timeline)
    again = replace(question, number=question.number, sent_ns=question.time_ns + 1000 * MS)
    later = change(timeline, lambda c: c.number > question.number, 1000 * MS)
    crossings = [question, again, *later.crossings[question.number :]]
    assert neighbour_waits(crossings)[first.number].since_ns == question.time_ns
    much_later = change(timeline, lambda c: c.number > question.number, 5000 * MS)
    anew = replace(question, sent_ns=question.time_ns + 5000 * MS)
    crossings = [question, anew, *much_later.crossings[question.number :]]
    assert neighbour_waits(crossings)[first.number].since_ns == anew.time_ns


@EACH
def test_a_host_that_knows_the_address_and_asks_whether_it_is_so_goes_on(name: str) -> None:
    timeline = e.timeline_of(name)
    question, answer, first = parts(timeline)
    header, *layers = question.packet.layers
    theirs = first.packet.layers[0]
    assert isinstance(header, Ethernet)
    assert isinstance(theirs, Ethernet)
    to_one = replace(header, destination=theirs.destination)
    alone = replace(question, packet=replace(question.packet, layers=(to_one, *layers)))
    crossings = [alone if c.number == question.number else c for c in timeline.crossings]
    assert neighbour_waits(crossings) == {}
    assert answer.packet.resolves_neighbour
