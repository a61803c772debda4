from __future__ import annotations

from event_ids import event
from expected import result_of

from lab.analysis.causes.find import find_causes
from lab.model.claim import Contrast, Outcome, Verdict, broken
from lab.report.failure.failure import failure_text, further_lines


def test_a_failure_shows_the_two_side_by_side_the_place_and_the_files() -> None:
    run = result_of("traced-tcp4")
    verdict = Verdict(
        Outcome.BROKEN,
        "f6 is odd",
        (event("f6"),),
        compared=(Contrast("flags", "A", "PA"),),
    )
    text = failure_text("No frame is odd.", verdict, run.ladders, (), ["capture: x.pcapng"])
    lines = text.splitlines()
    assert lines[:2] == ["BROKEN: No frame is odd.", "  f6 is odd"]
    assert "  flags  expected: A" in lines
    assert "         actual:   PA" in lines
    assert any("f6 PSH ACK" in line for line in lines)
    assert sum("f2" in line.split() for line in lines) == 0, "only what is around it"
    assert lines[-1] == "capture: x.pcapng"
    assert max(map(len, lines)) <= 80


def test_the_cause_is_said_where_one_is_known() -> None:
    run = result_of("traced-reset4")
    text = failure_text("No RST.", broken("it is reset"), run.ladders, run.timelines)
    assert "Why: " in text


def test_evidence_that_no_ladder_has_is_left_out() -> None:
    text = failure_text("X.", broken("no", [event("f99")]), result_of("tcp4").ladders)
    assert text == "BROKEN: X.\n  no"


def test_a_cause_that_shows_by_other_events_is_not_called_the_reason() -> None:
    run = result_of("traced-reset4")
    (cause, *_) = find_causes(run.timelines[0])
    own = cause.evidence[0]
    other = event("f1")
    said = {
        at: "\n".join(further_lines(run.timelines[:1], (), [at])).split()[0] for at in (own, other)
    }
    assert said == {own: "Why:", other: "Also"}
