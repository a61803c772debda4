"""Where each side of a conversation stands at any moment."""

from __future__ import annotations

import pytest
from halted import LINE, OPENED, TALK, TCP, TIMELINE, Read, conversation

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.standing import Standing, sides_at
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.records import Recording

LAST_NS = TIMELINE.order.events[-1].time_ns


def sides(run: Recording, now_ns: int) -> tuple[Standing, Standing] | None:
    facts = StepFacts(build_timelines(run)[0])
    return sides_at(facts, facts.timeline.conversations[0], now_ns)


def at_end(run: Recording) -> tuple[Standing, Standing]:
    found = sides(run, max(each.stopped_ns or 0 for each in run.programs))
    assert found is not None
    return found


def test_a_connection_that_is_not_whole_has_no_sides() -> None:
    syn_ack = TIMELINE.crossing_of[TALK.handshake.syn_ack if TALK.handshake else 0]
    came_ns = syn_ack.received_ns or 0
    assert sides(TCP, came_ns) is None
    assert sides(TCP, came_ns + 1) is not None


def test_bytes_are_sent_come_and_are_read_in_that_order() -> None:
    counts = []
    for event in TIMELINE.order.events:
        found = sides(TCP, event.time_ns)
        if found is not None:
            client, server = found
            assert client.came >= server.read
            counts.append((client.came, server.read))
    assert counts == sorted(counts)
    assert counts[-1] == (48, 48)


def test_after_its_fin_a_side_has_ended_and_not_reset() -> None:
    found = sides(TCP, LAST_NS)
    assert found is not None
    assert all(side.has_ended and not side.has_reset for side in found)
    found = sides(TCP, OPENED.time_ns)
    assert found is not None
    assert not any(side.has_ended for side in found)


@pytest.mark.parametrize(
    ("read", "is_reading", "waits_for_all"),
    [(Read(9, None), True, False), (Read(64, None, 0x100), True, True), (Read(9, 9), False, False)],
)
def test_a_call_that_has_not_returned_is_what_a_side_is_in(
    read: Read, is_reading: bool, waits_for_all: bool
) -> None:
    _, server = at_end(conversation(LINE.number, [read], []))
    assert server.is_reading is is_reading
    assert server.waits_for_all is waits_for_all
    assert server.read == (read.result or 0)
    assert not server.is_sending
    assert server.last is not None
    assert server.last.name == ("recvfrom" if read.result else "getsockname")
