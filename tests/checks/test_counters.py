from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.checks.counters import check_counted, check_segments
from lab.model.claim import Outcome
from lab.records import CountersSeen

COUNTER = "TcpOutSegs"


def counted(**changes: int) -> Timeline:
    """The recorded run of tcp, with what each of these hosts counted of it."""
    recording = s.recording_of("traced-tcp4")
    step = recording.programs[0].step
    seen = tuple(CountersSeen(host, {COUNTER: each}, step) for host, each in changes.items())
    recording = replace(recording, counters=seen, counter_names=(COUNTER,))
    (timeline,) = build_timelines(recording)
    return timeline


def of_host(timeline: Timeline, host: str) -> int:
    return sum(each.sender == host for each in timeline.crossings if each.packet.tcp)


def test_every_hosts_segments_are_compared_with_its_own_counter() -> None:
    timeline = counted()
    sent = {host: of_host(timeline, host) for host in ("client", "server")}
    verdict = check_segments(counted(**sent), COUNTER, lambda _: True)
    assert verdict.outcome is Outcome.HOLDS
    assert len(verdict.evidence) == sum(sent.values())
    wrong = {"client": sent["client"], "server": sent["server"] + 1}
    verdict = check_segments(counted(**wrong), COUNTER, lambda _: True)
    assert verdict.outcome is Outcome.UNDECIDED
    assert f"server is {sent['server'] + 1}, and {sent['server']} were seen" in verdict.why


@pytest.mark.parametrize("changes", [{}, {"client": 1}])
def test_what_was_not_read_decides_nothing(changes: dict[str, int]) -> None:
    timeline = counted(**changes)
    frame = timeline.crossings[-1].id
    verdict = check_counted(timeline, COUNTER, {"client": [frame], "server": []})
    assert verdict.outcome is Outcome.UNDECIDED
    assert "was not read" in verdict.why


def test_nothing_seen_and_nothing_counted_shows_nothing() -> None:
    timeline = counted(client=0, server=0)
    verdict = check_counted(timeline, COUNTER, {"client": [], "server": []})
    assert verdict.outcome is Outcome.UNDECIDED
    assert "nothing for TcpOutSegs to count" in verdict.why
