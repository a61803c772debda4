"""Ladders of what was seen, drawn for a student's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.grade.mark import Picture
from lab.ladder.steps import number_of_frames
from lab.report.svg.ladder import draw_svg
from lab.scene.build import build_scene

if TYPE_CHECKING:
    from lab.grade.trial import Trial
    from lab.ladder.model import Ladder

MOST_LADDERS = 5
MOST_FRAMES_DRAWN = 300
"""Of one ladder: a longer one is no picture any more."""


def pictures_of_capture(ladders: Sequence[Ladder]) -> Iterator[Picture]:
    """The ladders of a file's flows."""
    for number, ladder in enumerate(ladders[:MOST_LADDERS], 1):
        ends = " and ".join(lane.name for lane in ladder.lanes)
        yield _picture(f"What was recorded, flow {number} of {len(ladders)}", ends, ladder)
    if len(ladders) > MOST_LADDERS:
        rest = len(ladders) - MOST_LADDERS
        yield Picture("More flows", notes=(f"The file has {rest} more, which are not drawn.",))


def picture_of_trial(trial: Trial, ladders: Sequence[Ladder]) -> Picture:
    """The ladder of a trial's run."""
    (ladder, *_) = ladders
    return _picture(trial.sentence, trial.sentence, ladder, trial.name)


def _picture(title: str, name: str, ladder: Ladder, trial: str = "") -> Picture:
    if len(ladder.rows) > MOST_FRAMES_DRAWN:
        said = f"{name}: {number_of_frames(ladder)}, too many to be drawn here"
        return Picture(title, notes=(said,), trial=trial)
    drawing = draw_svg(name, [("", build_scene(ladder))], with_style=False)
    return Picture(title, drawing, trial=trial)
