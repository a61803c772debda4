from __future__ import annotations

import recorded as r
from timeline_edits import timeline_of

from lab.analysis.assembly import build_timelines
from lab.expect.subject import subject_of_file, subjects_of_run


def test_a_run_is_its_steps_with_what_makes_them_doubtful() -> None:
    (subject,) = subjects_of_run([timeline_of("tcp4")])
    assert (len(subject.crossings), len(subject.conversations), subject.doubts) == (20, 1, ())
    (gaps,) = subjects_of_run(build_timelines(r.incomplete(r.recorded(4))))
    assert gaps.doubts


def test_a_file_that_is_cut_or_broken_is_doubtful() -> None:
    (subject,) = subjects_of_run([timeline_of("tcp4")])
    whole = subject_of_file(subject.crossings, subject.flows, subject.conversations, "")
    assert whole.doubts == ()
    assert subject_of_file((), (), (), "at byte 3").doubts == (
        "the file could not be read to its end: at byte 3",
    )
