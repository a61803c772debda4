"""SYNs that met a full SYN queue of a kernel that sends no cookies."""

from __future__ import annotations

from dataclasses import replace

import step_edits as s
from causes_found import causes_in

from lab.analysis.assembly import build_timelines
from lab.records import Recording

STEP = "flood"
RUN = s.recording_of("syn-flood4")
(TIMELINE,) = build_timelines(RUN)


def ignoring(since: int, dropped: int | None) -> Recording:
    """The run whose server answers the first `since` SYNs alone, and counts that."""
    answers = {
        segment.crossing for talk in TIMELINE.conversations[since:] for segment in talk.segments[1:]
    }
    run = RUN
    if answers:
        run = s.without(STEP, lambda crossing: crossing.number in answers)(RUN)
    changes = {} if dropped is None else {"TcpExtTCPReqQFullDrop": dropped}
    seen = tuple(
        replace(each, changes=changes) if each.host == "server" else each for each in run.counters
    )
    return replace(run, counters=seen)


def test_what_the_kernel_counts_is_the_cause() -> None:
    ignored = len(TIMELINE.conversations) - 2
    found = causes_in(ignoring(2, ignored), STEP)
    cause = found["syn-queue-full"]
    assert cause.is_certain
    assert list(map(str, cause.counters)) == [f"TcpExtTCPReqQFullDrop +{ignored} on server"]
    assert cause.times == ignored
    assert "As many handshakes are unfinished at server" in cause.text
    assert "syn-filtered" not in found


def test_a_kernel_that_did_not_count_it_had_room() -> None:
    assert "syn-queue-full" not in causes_in(ignoring(2, 0), STEP)
    assert "syn-queue-full" not in causes_in(ignoring(2, None), STEP)


def test_what_is_answered_by_a_cookie_was_not_ignored() -> None:
    assert "syn-queue-full" not in causes_in(ignoring(len(TIMELINE.conversations), 3), STEP)
