from __future__ import annotations

from lab.grade.check import Check
from lab.grade.mark import Grade, Mark
from lab.model.claim import Outcome

CHECKS = [Check(f"c{number}", 0.1, "no-reset") for number in range(10)]


def test_only_what_holds_has_its_points() -> None:
    outcomes = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
    found = [Mark(CHECKS[0], outcome, "") for outcome in outcomes]
    assert [mark.passed for mark in found] == [True, False, False]
    assert [mark.score for mark in found] == [0.1, 0, 0]


def test_a_score_is_the_sum_of_the_points() -> None:
    passed = tuple(Mark(check, Outcome.HOLDS, "") for check in CHECKS)
    grade = Grade("ann", "ann.pcap", (*passed[:3], Mark(CHECKS[3], Outcome.BROKEN, "")))
    assert (grade.score, grade.max_score) == (0.3, 0.4)
    assert Grade("ann", "ann.pcap", passed).score == 1
    assert Grade("ann", "ann.pcap", ()).score == 0
