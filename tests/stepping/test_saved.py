"""A recorded run's decisions as rules of a wire."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lab.model.event import EventId, EventKind
from lab.records import WireRule
from lab.stepping.saved import left_out, rules_file, saved_rules


def rule(text: str, action: str = "drop", step: str = "talk") -> WireRule:
    return WireRule(step, text, action, "a-b", 1, 1)


def timeline(rules: list[WireRule], frames: list[int | None], step: str = "talk") -> Any:
    """Each rule strikes once: the frame of that number."""
    struck = [
        SimpleNamespace(
            rule=each,
            strike=SimpleNamespace(rule=place),
            frame=None if frame is None else EventId(EventKind.FRAME, frame),
        )
        for place, (each, frame) in enumerate(zip(rules, frames, strict=True))
    ]
    struck = [each for each in struck if each.rule.step == step]
    recording = SimpleNamespace(wire_rules=tuple(rules))
    return SimpleNamespace(step=step, recording=recording, struck=tuple(struck))


HOLD = rule("a-b hold", "hold")
RULES = [
    rule("a>b rewrite ttl=9 SYN", "rewrite"),
    HOLD,
    rule("a>b drop data 1"),
    rule("b>a rewrite ack=+1 ack 2", "rewrite"),
    rule("b>a drop ack 2"),
    rule("a>b drop SYN retransmission 1"),
]


def test_later_frames_come_first_and_what_was_done_to_one_in_its_order() -> None:
    found = timeline(RULES, [1, None, 4, 6, 6, 3])
    assert saved_rules(found) == (
        "b>a rewrite ack=+1 ack 2",
        "b>a drop ack 2",
        "a>b drop data 1",
    )
    assert left_out(found) == 1


def test_of_a_run_that_nobody_stepped_nothing_is_saved() -> None:
    assert saved_rules(timeline(RULES[:1], [1])) == ()
    assert saved_rules(timeline([], [])) == ()


def test_the_file_says_what_it_leaves_out_and_which_step_is_which() -> None:
    one = timeline(RULES, [1, None, 4, 6, 6, 3])
    text = rules_file([one])
    assert text.splitlines()[1:4] == list(saved_rules(one))
    assert text.endswith("# left out: 1 of frames that were resent since they had waited\n")
    both = [HOLD, RULES[2], rule("a-b hold", "hold", "more"), rule("a>b drop 1", step="more")]
    two = [timeline(both, [None, 4, None, 5], step) for step in ("talk", "more")]
    assert rules_file(two).splitlines()[1:] == [
        "# step talk; a rule is for every step: keep those of one",
        "a>b drop data 1",
        "# step more; a rule is for every step: keep those of one",
        "a>b drop 1",
    ]
