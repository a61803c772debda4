"""Which recordings have causes, in which order, and what a gap makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.find import find_causes

EXPECTED = {
    ("backlog4", "a SYN too many"): ["accept-queue-full"],
    ("reset4", "nobody"): ["reset-nobody-listens"],
    ("reset4", "crash"): ["reset-half-open"],
    ("nat4", "unsolicited"): ["datagram-nobody"],
    ("nat6", "unsolicited"): ["datagram-nobody"],
    ("traced-calls4", "datagram-flags"): ["message-cut"],
    ("traced-udp4", "nobody"): ["datagram-nobody", "datagram-refused"],
    ("traced-udp4", "truncation"): ["message-cut"],
    ("traced-unix4", "abstract"): ["unix-nobody"],
    ("traced-unix4", "names"): [
        *("unix-nobody", "unix-not-allowed", "unix-name-in-use", "unix-name-in-use"),
    ],
    ("udp4", "nobody"): ["datagram-nobody"],
    ("udp6", "nobody"): ["datagram-nobody"],
    ("udp-loss4", "conversation"): ["datagram-lost"],
    ("traced-reset4", "unread"): ["reset-unread"],
    ("traced-reset4", "nobody"): ["reset-nobody-listens"],
    ("traced-reset4", "crash"): ["reset-linger", "reset-half-open"],
    ("traced-reset4", "linger"): ["reset-linger"],
    ("corrupt4", "conversation"): ["segment-lost"],
    ("keepalive4", "dead"): ["keep-alive-unanswered"],
    ("loss-data4", "fast retransmit"): ["segment-lost"],
    ("loss-data4", "tail loss probe"): ["segment-lost"],
    ("loss-data4", "timeout"): ["segment-lost"],
    ("loss-syn4", "conversation"): ["syn-lost"],
    ("loss-syn-ack4", "conversation"): ["syn-ack-lost"],
    ("pmtu4", "black-hole"): ["segment-lost"],
    ("pmtu4", "told"): ["segment-lost"],
    ("pmtu6", "black-hole"): ["segment-lost"],
    ("pmtu6", "told"): ["segment-lost"],
    ("user-timeout4", "conversation"): ["segment-lost"],
    ("wired-tcp4", "conversation"): ["segment-lost"],
    ("zero-window4", "update"): ["zero-window"],
    ("zero-window4", "update-lost"): ["zero-window"],
}
"""The recordings' steps whose subject is a cause. No other has one."""


@pytest.mark.parametrize("name", sorted(path.name for path in r.FOLDER.iterdir()))
def test_a_run_has_the_causes_that_are_its_subject_and_no_other(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        found = [cause.name for cause in find_causes(timeline)]
        assert found == EXPECTED.get((name, timeline.step), []), timeline.step


def test_the_most_surprising_comes_first_and_each_names_what_shows_it() -> None:
    for timeline in build_timelines(s.recording_of("traced-reset4")):
        causes = find_causes(timeline)
        order = [cause.surprise for cause in causes]
        assert order == sorted(order, reverse=True)
        known = {event.id for event in timeline.order.events}
        assert all(cause.evidence and known.issuperset(cause.evidence) for cause in causes)
        assert all(cause.source and cause.is_certain for cause in causes)


def test_where_the_recording_has_gaps_a_cause_is_only_likely() -> None:
    (timeline, *_) = build_timelines(s.recording_of("traced-reset4"))
    gaps = replace(timeline.bracket, incomplete=("a point dropped 3 frames",))
    (cause,) = find_causes(replace(timeline, bracket=gaps))
    assert not cause.is_certain
    assert "a point dropped 3 frames" in cause.decided_by


def test_what_happens_again_by_the_same_doing_is_counted() -> None:
    (timeline, *_) = build_timelines(s.recording_of("traced-reset4"))
    twice = replace(timeline, conversations=timeline.conversations * 2)
    (cause,) = find_causes(twice)
    assert cause.times == 2
