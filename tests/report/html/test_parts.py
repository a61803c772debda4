from __future__ import annotations

from dataclasses import replace

from scenes import recorded_result

from lab.ladder.build import build_ladder
from lab.report.html.parts import fits_whole, step_part


def test_a_part_sums_its_step_up() -> None:
    timeline = recorded_result("traced-tcp4").timelines[0]
    part = step_part(timeline, build_ladder(timeline), whole=True)
    assert part.summary == ("conversation", "20 frames", "25 calls")
    assert {str(event) for event in part.events} >= {"f1", "client#1", "state 1"}


def test_what_is_left_out_of_the_ladder_is_said() -> None:
    timeline = recorded_result("traced-unix4").timelines[0]
    ladder = replace(build_ladder(timeline), violations=("f1 before\u202e it left",))
    assert step_part(timeline, ladder, whole=True).document["violations"] == [
        r"f1 before\u202e it left"
    ]


def test_few_frames_fit_whole_and_many_do_not() -> None:
    crossings = recorded_result("tcp4").timelines[0].crossings
    assert fits_whole(crossings)
    assert not fits_whole(crossings * 1000)
