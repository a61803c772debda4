from __future__ import annotations

from dataclasses import replace

import recorded as r

from lab.analysis.assembly import build_timelines
from lab.records import Disturbance


def test_the_programs_that_failed_have_a_sentence_each() -> None:
    recording = r.recorded(4)
    server, client = recording.programs
    (whole,) = build_timelines(recording)
    assert whole.failures == ()
    failed = replace(recording, programs=(server, replace(client, failure="exited with status 3")))
    (timeline,) = build_timelines(failed)
    assert timeline.failures == ("program client exited with status 3",)


def test_what_disturbed_the_run_is_a_sentence_of_its_step() -> None:
    recording = r.recorded(4)
    step = recording.programs[0].step
    noted = tuple(Disturbance(each, ("server",), "it is down") for each in (step, "another"))
    first, second = build_timelines(replace(recording, disturbances=noted))
    assert first.failures == ("program server disturbed the run: it is down",) == second.failures
    assert (first.step, second.step) == (step, "another")
