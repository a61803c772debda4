from __future__ import annotations

from dataclasses import replace

import recorded as r

from lab.analysis.assembly import build_timelines


def test_the_programs_that_failed_have_a_sentence_each() -> None:
    recording = r.recorded(4)
    server, client = recording.programs
    (whole,) = build_timelines(recording)
    assert whole.failures == ()
    failed = replace(recording, programs=(server, replace(client, failure="exited with status 3")))
    (timeline,) = build_timelines(failed)
    assert timeline.failures == ("program client exited with status 3",)
