"""Claims of what kernels count: each holds of a recorded run, and is undecided of another count."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.checks.faults.counters import counts_what_it_sends_again
from lab.model.claim import Outcome
from lab.records import CountersSeen

NAMES = ("TcpRetransSegs",)


def counted(name: str, changes: dict[str, dict[str, int]]) -> Timeline:
    """The recorded run, with what each host's kernel counted."""
    recording = s.recording_of(name)
    step = recording.programs[0].step
    seen = tuple(CountersSeen(host, each, step) for host, each in changes.items())
    recording = replace(recording, counters=seen, counter_names=NAMES)
    timeline, *_ = build_timelines(recording)
    return timeline


def test_as_many_are_counted_as_were_seen() -> None:
    timeline = counted("loss-data4", {"client": {"TcpRetransSegs": 1}, "server": {}})
    verdict = counts_what_it_sends_again(timeline)
    assert verdict.outcome is Outcome.HOLDS
    assert "client 1; server 0" in verdict.why
    assert len(verdict.evidence) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"client": {"TcpRetransSegs": 2}, "server": {}},
        {"client": {}, "server": {}},
        {"client": {"TcpRetransSegs": 1}, "server": {"TcpRetransSegs": 1}},
        {"client": {"TcpRetransSegs": 1}},
        {"server": {}},
        {},
    ],
)
def test_another_number_or_none_decides_nothing(changes: dict[str, dict[str, int]]) -> None:
    verdict = counts_what_it_sends_again(counted("loss-data4", changes))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "TcpRetransSegs" in verdict.why


def test_where_nothing_was_sent_again_nothing_was_shown() -> None:
    verdict = counts_what_it_sends_again(counted("traced-tcp4", {"client": {}, "server": {}}))
    assert verdict.outcome is Outcome.UNDECIDED
