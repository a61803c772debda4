"""Claims of what the kernels counted: each holds of a recorded run, and decides nothing alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from timeline_edits import outcome, timeline_of, without_calls, without_segments

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Note, Segment
from lab.analysis.timeline import Timeline
from lab.checks.connections.counters import (
    counts_a_close_with_unread_bytes,
    counts_a_close_without_lingering,
    counts_its_keep_alives,
    counts_its_probes,
    counts_its_resets,
    counts_what_it_gave_up,
)
from lab.model.claim import Claim, Outcome

HOLDS, UNDECIDED = Outcome.HOLDS, Outcome.UNDECIDED


def is_rst(segment: Segment) -> object:
    return segment.flags & TcpFlags.RST


def is_probe(segment: Segment) -> object:
    return Note.ZERO_WINDOW_PROBE in segment.notes


def is_keep_alive(segment: Segment) -> object:
    return Note.KEEP_ALIVE in segment.notes


OF_SEGMENTS = (
    ("reset4", "unread", counts_its_resets, is_rst),
    ("reset4", "nobody", counts_its_resets, is_rst),
    ("reset4", "crash", counts_its_resets, is_rst),
    ("reset4", "unread", counts_a_close_with_unread_bytes, is_rst),
    ("reset4", "linger", counts_a_close_without_lingering, is_rst),
    ("zero-window4", "update", counts_its_probes, is_probe),
    ("zero-window4", "update-lost", counts_its_probes, is_probe),
    ("keepalive4", "alive", counts_its_keep_alives, is_keep_alive),
    ("keepalive4", "dead", counts_its_keep_alives, is_keep_alive),
)
OF_CALLS = (
    ("keepalive4", "dead", counts_what_it_gave_up),
    ("user-timeout4", "", counts_what_it_gave_up),
)
ALL = (*(each[:3] for each in OF_SEGMENTS), *OF_CALLS)
EACH = pytest.mark.parametrize(
    ("name", "step", "claim"),
    ALL,
    ids=[f"{step or name}-{claim.name}" for name, step, claim in ALL],
)


@EACH
def test_it_holds_of_a_recorded_run(name: str, step: str, claim: Claim) -> None:
    assert outcome(claim, timeline_of(name, step)) is HOLDS


@EACH
def test_it_is_undecided_where_nothing_was_counted(name: str, step: str, claim: Claim) -> None:
    timeline = timeline_of(name, step)
    unread = replace(timeline, recording=replace(timeline.recording, counters=()))
    assert outcome(claim, unread) is UNDECIDED


@pytest.mark.parametrize(
    ("name", "step", "claim", "is_one"),
    OF_SEGMENTS,
    ids=[f"{s}-{c.name}" for _, s, c, _ in OF_SEGMENTS],
)
def test_where_the_frames_say_otherwise_it_is_undecided(
    name: str, step: str, claim: Claim, is_one: Callable[[Segment], object]
) -> None:
    timeline = timeline_of(name, step)
    assert outcome(claim, without_segments(timeline, is_one)) is UNDECIDED


@pytest.mark.parametrize(("name", "step", "claim"), OF_CALLS, ids=["keepalive", "user-timeout"])
def test_where_the_calls_say_otherwise_it_is_undecided(name: str, step: str, claim: Claim) -> None:
    silent: Timeline = without_calls(timeline_of(name, step), error="ETIMEDOUT")
    assert outcome(claim, silent) is UNDECIDED
