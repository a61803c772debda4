from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.comparison import Column, compare_steps
from lab.records import Recording

UDP = r.recording_of("udp4")
UNIX = r.recording_of("unix4")


def columns(recording: Recording) -> dict[str, Column]:
    return {column.step: column for column in compare_steps(build_timelines(recording))}


@pytest.mark.parametrize(("family", "wire_bytes"), [(4, 1295), (6, 1295 + 18 * 20)])
def test_a_connection_costs_frames_to_open_and_close_and_a_round_trip(
    family: int, wire_bytes: int
) -> None:
    column = columns(r.recorded(family))["conversation"]
    assert (column.frames, column.neighbour_frames) == (20, 2)
    assert (column.opening_frames, column.closing_frames, column.round_trips) == (3, 6, 1)
    # An IPv6 header has 20 bytes more than an IPv4 header, in each of 18 frames.
    assert (column.payload_bytes, column.wire_bytes) == (48 + 43, wire_bytes)
    assert column.bytes_a_byte == wire_bytes / 91


def test_a_stream_keeps_order_and_no_boundaries() -> None:
    column = columns(r.recorded(4))["conversation"]
    assert (column.keeps_order, column.keeps_boundaries) == (True, False)


def test_datagrams_cost_no_frame_but_themselves() -> None:
    column = columns(UDP)["conversation"]
    assert (column.frames, column.neighbour_frames) == (8, 2)
    assert (column.opening_frames, column.closing_frames, column.round_trips) == (0, 0, 0)


def test_boundaries_are_kept_where_every_read_is_as_long_as_its_send() -> None:
    found = columns(UDP)
    assert found["fragments"].keeps_boundaries
    assert not found["truncation"].keeps_boundaries and not found["truncation"].keeps_order


def test_what_stays_on_its_host_reaches_no_other_and_has_no_wire() -> None:
    found = columns(UNIX)
    unix, loopback = found["conversation"], found["loopback"]
    assert (unix.frames, unix.wire_bytes, unix.round_trips, unix.bytes_a_byte) == (0, 0, None, 0)
    assert not unix.reaches_another_host and not loopback.reaches_another_host
    assert columns(r.recorded(4))["conversation"].reaches_another_host


def test_programs_that_print_nothing_sent_nothing_and_cost_no_calls() -> None:
    column = columns(r.silent(r.recorded(4)))["conversation"]
    assert (column.calls, column.payload_bytes, column.bytes_a_byte) == (0, 0, 0)
    assert column.frames == 20


def test_of_more_than_two_programs_it_is_not_known_who_talked_to_whom() -> None:
    recording = r.recorded(4)
    third = replace(recording.programs[0], name="third")
    column = columns(replace(recording, programs=(*recording.programs, third)))["conversation"]
    assert column.payload_bytes == 0


def test_an_incomplete_step_says_why() -> None:
    assert columns(r.recorded(4))["conversation"].incomplete == ()
    incomplete = columns(r.incomplete(r.recorded(4)))["conversation"].incomplete
    assert incomplete and all("dropped" in why for why in incomplete)
