"""Calls of which the wire shows the same as the tracer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.checks.wire_witness import is_on_the_wire
from lab.records import Recording


def shown(recording: Recording, program: str) -> dict[str, list[bool]]:
    """Of each call of a program, by name, whether the wire shows it."""
    timeline = build_timelines(recording)[0]
    found: dict[str, list[bool]] = {}
    for call in timeline.system_calls:
        if call.program == program:
            found.setdefault(call.name, []).append(is_on_the_wire(timeline, call))
    return found


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-tcp6"])
def test_of_a_stream_the_wire_shows_its_opening_and_its_bytes(name: str) -> None:
    found = shown(s.recording_of(name), "client")
    assert found["connect"] == [True]
    assert found["sendto"] == [True] * 3
    assert found["recvfrom"] == [True, False]  # the last returned nothing
    assert found["close"] == [False]


def test_of_datagrams_the_wire_shows_each() -> None:
    found = shown(s.recording_of("traced-udp4"), "client")
    assert found["sendto"] == [True] * len(found["sendto"])
    assert all(found["recvfrom"])


@pytest.mark.parametrize(
    "edit",
    [
        t.changed("client", "sendto", t.more_result(1), nth=2),
        t.changed("client", "sendto", t.not_there, nth=1),
        t.changed("client", "sendto", t.with_data(lambda data: b"?" * len(data))),
    ],
)
def test_calls_that_the_wire_contradicts_it_does_not_show(edit: r.Edit) -> None:
    assert not all(shown(edit(s.recording_of("traced-tcp4")), "client")["sendto"])


def test_a_read_that_returned_more_than_it_had_room_for_is_not_shown() -> None:
    edit = t.changed("server", "recvfrom", lambda call: replace(call, result=17))
    assert shown(edit(s.recording_of("traced-tcp4")), "server")["recvfrom"][0] is False
