"""Bytes that did not leave while the interface was down."""

from __future__ import annotations

import recorded as r
from causes_found import causes_in
from failed_call import STEP, TCP, TIMELINE
from links_set import setting

(CHANNEL,) = (
    each for each in TIMELINE.correlation.channels if each.parts[0].call.program == "client"
)
PART = CHANNEL.parts[1]
CALL = TIMELINE.call_of[PART.call]
LEFT_NS = TIMELINE.crossing_of[PART.segments[0].number].time_ns
DOWN_NS, UP_NS = CALL.entry_ns - 1_000, (CALL.entry_ns + LEFT_NS) // 2


def test_what_left_when_it_was_up_again_is_named_with_who_had_set_it_down() -> None:
    run = setting(setting(TCP, 0, DOWN_NS), 1, UP_NS)
    cause = causes_in(run, STEP)["interface-down"]
    assert "succeeds, and its 26 bytes left" in cause.text
    assert "later (f8): eth0 of client is down, as client#" in cause.text
    assert "sets it up again" in cause.text
    assert len(cause.evidence) == 4


def test_what_never_left_has_no_frame() -> None:
    """None of the client's segments of that send, nor what came after, was ever seen."""
    run = r.without(*range(PART.segments[0].number, 21))(setting(TCP, 0, DOWN_NS))
    cause = causes_in(run, STEP)["interface-down"]
    assert "bytes never left: eth0 of client is down" in cause.text
    assert len(cause.evidence) == 2


def test_what_leaves_all_the_same_went_another_way() -> None:
    assert "interface-down" not in causes_in(setting(TCP, 0, DOWN_NS), STEP)


def test_what_was_sent_before_or_after_is_no_matter_of_it() -> None:
    early = setting(setting(TCP, 0, DOWN_NS - 100), 1, DOWN_NS)
    assert "interface-down" not in causes_in(early, STEP)
    assert causes_in(TCP, STEP) == {}
