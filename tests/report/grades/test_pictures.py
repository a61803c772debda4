from __future__ import annotations

from dataclasses import replace

from graded import RECORDINGS
from tried import one_client, seen_in

from lab.capture_files import load_capture
from lab.report.grades.pictures import (
    MOST_FRAMES_DRAWN,
    MOST_LADDERS,
    picture_of_trial,
    pictures_of_capture,
)


def test_each_flow_of_a_capture_is_drawn_up_to_a_number() -> None:
    (first, *_) = load_capture(str(RECORDINGS / "tcp4/recording.pcapng")).drawn()[0]
    pictures = [*pictures_of_capture([first] * (MOST_LADDERS + 2))]
    assert [bool(each.drawing) for each in pictures] == [True] * MOST_LADDERS + [False]
    assert pictures[0].title == f"What was recorded, flow 1 of {MOST_LADDERS + 2}"
    assert pictures[-1].notes == ("The file has 2 more, which are not drawn.",)


def test_a_trials_run_is_drawn_under_its_sentence() -> None:
    ladders = seen_in(one_client, 1).run.ladders
    picture = picture_of_trial(one_client, ladders)
    assert (picture.title, picture.trial) == ("One client says something.", "one-client")
    assert "<svg" in picture.drawing
    (first, *_) = ladders
    long = replace(first, rows=first.rows * MOST_FRAMES_DRAWN)
    picture = picture_of_trial(one_client, [long])
    assert picture.drawing == "" and "too many to be drawn" in picture.notes[0]
