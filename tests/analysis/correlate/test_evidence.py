"""A step's evidence: a value, made once."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any, cast

import pytest
import traced as t
import traced_tcp as w
from event_ids import event

from lab.analysis.correlate.evidence import Evidence, gather_evidence


def evidence(**more: Any) -> Evidence:
    timeline = w.timeline_of(w.traced(w.times_by(w.earliest)))
    parts: dict[str, Any] = {
        name: getattr(timeline, name)
        for name in ("crossings", "flows", "conversations", "system_calls", "endpoints", "states")
    }
    return gather_evidence(**parts | more)


def test_nothing_can_be_added_later() -> None:
    gathered = evidence()
    for field in fields(Evidence):
        with pytest.raises(FrozenInstanceError):
            setattr(gathered, field.name, None)
    for name in ("crossings", "conversations", "endpoints", "sides", "exits"):
        with pytest.raises(TypeError):
            cast(MutableMapping[object, object], getattr(gathered, name))["new"] = None
    for name in ("flows", "system_calls", "states", "queues", "drops"):
        assert isinstance(getattr(gathered, name), tuple)


def test_parts_that_are_read_only_once_are_kept() -> None:
    whole = evidence()
    once = evidence(
        flows=iter(whole.flows),
        system_calls=iter(whole.system_calls),
        endpoints=iter(whole.endpoints.values()),
    )
    assert (once.flows, once.system_calls) == (whole.flows, whole.system_calls)
    assert (once.endpoints, once.sides) == (whole.endpoints, whole.sides)
    assert [call.id for call in once.calls.on("s2")] == [call.id for call in whole.calls.on("s2")]


def test_processes_that_ended_are_distinguished_from_threads() -> None:
    pid = t.pid_of("client")
    ended = ((30, pid, pid + 1), (40, pid, pid), (20, pid + 9, pid + 9))
    ends = [t.task("client", "exit", at, pid=each, tid=tid) for at, each, tid in ended]
    gathered = evidence(tasks=ends)
    assert gathered.ended("client", 0, t.at_ns(100)) == [pid + 9, pid]
    assert gathered.ended("client", t.at_ns(20), t.at_ns(40)) == [pid + 9]
    assert gathered.ended("server", 0, t.at_ns(100)) == []


def test_times_of_a_frame_that_was_not_seen_are_not_known() -> None:
    whole = evidence()
    first = whole.crossings[event("f3")]
    lost = evidence(crossings=[replace(first, received_ns=None)])
    assert lost.departure_ns(event("f3")) == first.sent_ns
    assert lost.arrival_ns(event("f3")) is None
    assert (lost.arrival_ns(None), lost.departure_ns(None)) == (None, None)
