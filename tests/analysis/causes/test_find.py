"""Which recordings have causes, in which order, and what a gap makes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import recorded as r
import step_edits as s
from outside import wirelab

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


OF_SCENARIOS = {
    ("backlog", "a SYN too many"): ["accept-queue-full"],
    ("broadcast", "everybody"): ["broadcast-not-asked-for"],
    ("buffers", "fill"): ["unix-queue-full"],
    ("calls", "datagram-flags"): ["message-cut"],
    ("fragments", "forbidden"): ["packet-too-big"],
    ("half-close", "close"): ["reset-after-close"],
    ("half-close", "shutdown"): ["sending-was-ended"],
    ("multicast", "group"): ["group-not-joined"],
    ("nagle", "nagle"): ["nagle"],
    ("nat", "unsolicited"): ["datagram-nobody"],
    ("raw", "permission"): ["socket-needs-right"],
    ("raw", "uninvited"): ["reset-handshake-by-hand"],
    ("reset", "crash"): ["reset-linger", "reset-half-open"],
    ("reset", "linger"): ["reset-linger"],
    ("reset", "nobody"): ["reset-nobody-listens"],
    ("reset", "unread"): ["reset-unread"],
    ("congestion", "cubic"): ["segment-lost"],
    ("congestion", "reno"): ["segment-lost"],
    ("corrupt", "conversation"): ["segment-lost"],
    ("keepalive", "dead"): ["keep-alive-unanswered"],
    ("loss-data", "fast retransmit"): ["segment-lost"],
    ("loss-data", "tail loss probe"): ["segment-lost"],
    ("loss-data", "timeout"): ["segment-lost"],
    ("loss-fin", "conversation"): ["segment-lost"],
    ("loss-syn", "conversation"): ["syn-lost"],
    ("loss-syn-ack", "conversation"): ["syn-ack-lost"],
    ("pmtu", "black-hole"): ["segment-lost"],
    ("pmtu", "told"): ["segment-lost"],
    ("zero-window", "update"): ["zero-window"],
    ("zero-window", "update-lost"): ["zero-window"],
    ("time-wait", "waiting"): ["address-in-use"],
    ("types", "table"): ["type-and-protocol", "ping-needs-group", "socket-needs-right"],
    ("types", "unconnected"): ["not-listening", "not-connected"],
    ("udp", "nobody"): ["datagram-nobody", "datagram-refused"],
    ("udp", "truncation"): ["message-cut"],
    ("udp-loss", "conversation"): ["datagram-lost"],
    ("unix", "abstract"): ["unix-nobody"],
    ("unix", "names"): [
        *("unix-nobody", "unix-not-allowed", "unix-name-in-use", "unix-name-in-use"),
    ],
    ("unix-types", "datagram"): [
        *["message-cut"] * 3,
        *["no-connections"] * 2,
        *["not-connected"] * 2,
    ],
    ("unix-types", "queue"): ["unix-queue-full"] * 2,
    ("unix-types", "seqpacket"): [*["message-cut"] * 3, *["not-connected"] * 2],
    ("unix-types", "stream"): ["not-connected"] * 2,
    ("user-timeout", "conversation"): ["reset-linger", "segment-lost"],
}
"""The steps whose subject is a cause. No other has one."""


@pytest.mark.kernel
def test_every_scenario_has_the_causes_that_are_its_subject_and_no_other(tmp_path: Path) -> None:
    """In whoever's name it runs, and by whichever instrument: IPv4 says as much as both."""
    wirelab("scenarios", "--family", "4", "--out", tmp_path)
    reports = {
        folder.name: json.loads((folder / "latest" / "report.json").read_text())
        for folder in tmp_path.iterdir()
    }
    assert len(reports) >= len({scenario for scenario, _ in OF_SCENARIOS})
    found: dict[tuple[str, str], list[str]] = {}
    for name, report in reports.items():
        for cause in report["causes"]:
            found.setdefault((name, cause["step"]), []).append(cause["name"])
    # Which of two programs comes first, no cause depends on.
    assert {step: sorted(names) for step, names in found.items()} == {
        step: sorted(names) for step, names in OF_SCENARIOS.items()
    }
