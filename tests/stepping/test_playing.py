"""What keys make of a run that is played."""

from __future__ import annotations

from functools import cache

import pytest
from recorded import recording_of

from lab.analysis.assembly import build_timelines
from lab.stepping.playing import FASTEST, Playing, press_play
from lab.stepping.recorded import next_frame, played, sends


@cache
def playing(name: str = "tcp4") -> Playing:
    timelines = build_timelines(recording_of(name))
    return Playing(tuple(played(timeline, "tcp") for timeline in timelines))


def pressed(*keys: str, begin: Playing | None = None) -> Playing:
    now = begin or playing()
    for key in keys:
        now = press_play(now, key)
    return now


def test_events_one_after_another_and_back() -> None:
    assert (pressed("right", "right").at, pressed("right", "right", "left").at) == (2, 1)
    assert pressed("left").at == 0
    end = pressed("end")
    assert end.at == len(end.run.moments) - 1 == pressed("right", begin=end).at
    assert pressed("home", begin=end).at == 0


def test_frames_one_after_another_and_back() -> None:
    once, twice = pressed("n"), pressed("n", "n")
    assert sends(once.run, once.at) and sends(twice.run, twice.at) and once.at < twice.at
    assert pressed("b", begin=twice) == once
    assert pressed(*["n"] * 99).at == len(once.run.moments) - 1


def test_in_time_it_waits_as_long_as_it_took_then() -> None:
    running = pressed("space")
    moments = running.run.moments
    real = moments[1].time_ns - moments[0].time_ns
    assert running.wait_ns == real and pressed("plus", begin=running).wait_ns == round(real / 10)
    assert pressed("space", begin=running).wait_ns is None
    assert pressed(*["plus"] * 20).speed == FASTEST
    at_end = pressed("end", begin=running)
    assert at_end.wait_ns is None and not at_end.gone_on().is_running


@pytest.mark.parametrize(("key", "wants"), [("v", "hex"), ("question_mark", "help"), ("q", "quit")])
def test_what_is_wanted_besides(key: str, wants: str) -> None:
    assert pressed(key).wants == wants
    assert pressed(key, "right").wants == ""


def test_a_prediction_is_asked_for_before_each_frame_and_judged_at_once() -> None:
    asked = pressed("p", "n")
    assert (asked.hand.mode, asked.at) == ("predict", 0)
    assert pressed("escape", begin=asked).hand.mode == "wire"
    assert pressed("z", begin=asked) == asked
    # The first frame asks for the neighbour: it is none of the choices.
    wrong = pressed("1", begin=asked)
    assert wrong.hand.predictions.score == "0 of 1 right" and sends(wrong.run, wrong.at)
    third = pressed("n", "9", begin=wrong)
    assert next_frame(third.run, third.at) == "client SYN"
    assert pressed("n", "1", begin=third).hand.predictions.score == "1 of 3 right"


def test_another_step() -> None:
    assert pressed("pagedown").hand.message == "there is no other step in that direction"
    run = playing().runs[0]
    second = pressed("right", "pagedown", begin=Playing((run, run)))
    assert (second.step, second.at) == (1, 0)
