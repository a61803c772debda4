from __future__ import annotations

from dataclasses import replace

import recorded as r
import traced as t
import traced_tcp as w
from event_ids import event
from shown import flow_id

from lab.analysis.assembly import build_timelines
from lab.records import Recording, Syscall

FAST_OPEN_COOKIE = b"\x22\x0a" + b"cookie!!" + b"\1\1"
MULTIPATH = b"\x1e\x0c" + b"\0" * 10


def violations(recording: Recording) -> tuple[str, ...]:
    return w.timeline_of(recording).order.violations


def early_end(arrived: int) -> w.Times:
    """The server's read that returned 0 does so 2 µs before a segment arrives."""
    place = w.place_of("recvfrom", 4, "server")
    came = w.us_of(arrived, arrival=True)
    return w.times_by(w.earliest, {place: (came - 3, came - 2)})


def test_the_end_of_the_stream_is_not_read_before_the_fin() -> None:
    (violation,) = violations(w.traced(early_end(12)))
    assert violation.startswith("server#9 returned 2.000 µs before f12 arrived")


def test_a_program_that_shut_its_reading_needs_no_fin() -> None:
    recording = w.traced(early_end(12))
    shut = t.call("server", "shutdown", 4, 0, at=(10_140, 10_141), tid=9, step="conversation")
    calls = sorted((*recording.trace.syscalls, shut), key=lambda call: call.entry_ns)
    trace = replace(recording.trace, syscalls=tuple(calls))
    assert violations(replace(recording, trace=trace)) == ()


def test_after_a_reset_a_read_returns_nothing_without_a_fin() -> None:
    reset = r.changed(10, r.set_tcp(flags=r.RST | r.ACK))(w.wire())
    assert not any("f12" in each for each in violations(w.traced(early_end(12), base=reset)))


def early_connect(change: r.Change | None = None, number: int = 3) -> tuple[str, ...]:
    """What is violated where connect() returned before the SYN-ACK arrived."""
    came = w.us_of(4, arrival=True)
    base = r.changed(number, change)(w.wire()) if change else w.wire()
    place = w.place_of("connect")
    times = w.times_by(w.earliest, {place: (w.us_of(3, arrival=False) - 5, came - 1)})
    return violations(w.traced(times, base=base))


def test_with_fast_open_connect_waits_for_nothing() -> None:
    assert len(early_connect()) == 1
    assert early_connect(r.add_options(FAST_OPEN_COOKIE)) == ()


def test_a_connection_in_progress_was_not_waited_for() -> None:
    def in_progress(call: Syscall) -> Syscall:
        return replace(call, result=-115) if call.name == "connect" else call

    came = w.us_of(4, arrival=True)
    times = w.times_by(w.earliest, {w.place_of("connect"): (w.us_of(3, False) - 5, came - 1)})
    timeline = w.timeline_of(w.traced(times, change=in_progress))
    assert timeline.order.violations == ()
    assert timeline.correlation.connects == ((event("client#2"), flow_id("tcp 0")),)


def test_a_multipath_connection_is_not_one_flows() -> None:
    base = r.changed(4, lambda data: r.add_options(MULTIPATH)(r.drop_option(8)(data)))(w.wire())
    timeline = w.timeline_of(w.traced(w.times_by(), base=base))
    assert timeline.correlation.channels == timeline.correlation.closed == ()
    assert timeline.order.violations == ()


def test_in_a_simultaneous_open_each_side_follows_from_its_own_connect() -> None:
    (timeline,) = build_timelines(r.recording_of("simultaneous-open4"))
    assert timeline.order.violations == ()
    assert [seen.state.new for seen in timeline.states].count("SYN_SENT") == 2
    assert len(timeline.correlation.connects) == 2
