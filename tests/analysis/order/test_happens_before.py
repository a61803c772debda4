from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import pytest
import traced as t
import traced_tcp as w
from event_ids import event
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st

from lab.analysis.order.events import EventPart
from lab.analysis.timeline import Timeline
from lab.model.event import EventId
from lab.records import (
    Instrument,
    InstrumentKind,
    Obtained,
    Recording,
    RingUse,
    SocketState,
    Syscall,
)

some = examples(40)


def at_shares(shares: bytes, fixed: Mapping[int, tuple[float, float]] | None = None) -> w.Times:
    """The times that lie each at a share of what it may be, in 65536ths: 2 bytes."""
    left = (share / 65_536 for (share,) in struct.iter_unpack("!H", shares))
    return w.times_by(lambda low, high: low + next(left) * (high - low), fixed)


TIMES = 2 * len(w.planned())
"""An entry and an exit of each call."""

# One draw of bytes: a draw for each time took longer than all that is made of them.
some_shares = st.binary(min_size=2 * TIMES, max_size=2 * TIMES)
legal_times = some_shares.map(at_shares)
"""Times of all calls that keep every cause before its effect."""


def places(timeline: Timeline) -> dict[tuple[EventId, EventPart], int]:
    return {(each.id, each.part): at for at, each in enumerate(timeline.order.events)}


@given(legal_times)
@some
def test_what_can_have_happened_violates_nothing(times: w.Times) -> None:
    timeline = w.timeline_of(w.traced(times))
    assert timeline.order.violations == ()
    assert timeline.bracket.incomplete == ()
    assert len(timeline.order.events) == 2 * (len(times) + len(timeline.crossings))
    assert [each.time_ns for each in timeline.order.events] == sorted(
        each.time_ns for each in timeline.order.events
    )


def number_of(place: int) -> str:
    """The id of a planned call."""
    program = w.planned()[place].program
    before = [each for each in w.planned()[: place + 1] if each.program == program]
    return f"{program}#{len(before)}"


def room_ns(place: int) -> float:
    """From the earliest entry of a call that waits to what it waits for."""
    awaited = w.planned()[place].awaits
    earliest = w.times_by(w.earliest)[place][0]
    return (w.us_of(awaited, arrival=True) - earliest) * 1000 if awaited else 0


WAITING = [place for place, each in enumerate(w.planned()) if room_ns(place) > 1000]
CAUSING = [place for place, each in enumerate(w.planned()) if each.causes]


@given(some_shares, st.sampled_from(WAITING), st.integers(1, 500), st.floats(0, 0.99))
@some
def test_a_return_before_what_was_waited_for_is_the_one_violation(
    shares: bytes, place: int, early_ns: int, entered: float
) -> None:
    awaited = w.planned()[place].awaits
    assert awaited is not None
    end = w.us_of(awaited, arrival=True) - early_ns / 1000
    first = w.times_by(w.earliest)[place][0]
    times = at_shares(shares, {place: (first + entered * (end - first), end)})
    (violation,) = w.timeline_of(w.traced(times)).order.violations
    assert violation == (
        f"{number_of(place)} returned {early_ns / 1000:.3f} µs before f{awaited} arrived, "
        f"which must come first"
    )


@given(legal_times, st.sampled_from(CAUSING), st.integers(1, 500))
@some
def test_an_entry_after_what_it_caused_is_the_one_violation(
    times: w.Times, place: int, late_ns: int
) -> None:
    caused = w.planned()[place].causes
    assert caused is not None
    entry, end = w.us_of(caused, arrival=False) + late_ns / 1000, times[place][1]
    assume(entry < end)
    changed = (*times[:place], (entry, end), *times[place + 1 :])
    (violation,) = w.timeline_of(w.traced(changed)).order.violations
    assert violation == (
        f"f{caused} left {late_ns / 1000:.3f} µs before {number_of(place)} was entered, "
        f"which must come first"
    )


def test_a_violation_makes_the_step_incomplete_and_keeps_the_cause_first() -> None:
    times = list(w.times_by())
    place = next(at for at, each in enumerate(w.planned()) if each.name == "connect")
    left = w.us_of(3, arrival=False)
    times[place] = (left + 5, times[place][1])
    timeline = w.timeline_of(w.traced(tuple(times)))
    told = "f3 left 5.000 µs before client#2 was entered, which must come first"
    assert timeline.bracket.incomplete == (f"instrument error: {told}",)
    at = places(timeline)
    assert at[event("client#2"), EventPart.ENTRY] < at[event("f3"), EventPart.DEPARTURE]


def test_a_thread_that_does_two_things_at_once_is_a_violation() -> None:
    times = list(w.times_by(w.earliest))
    times[1] = (times[1][0], times[2][0] + 0.5)
    times[2] = (times[2][0], times[2][0] + 1)
    times[3] = (times[2][1], times[3][1])
    (violation,) = w.timeline_of(w.traced(tuple(times))).order.violations
    assert violation.startswith("server#3 was entered 0.500 µs before server#2 returned")


def test_operations_in_a_ring_are_at_work_at_once() -> None:
    times = list(w.times_by(w.earliest))
    times[1] = (times[1][0], times[2][0] + 0.5)
    times[2] = (times[2][0], times[2][0] + 1)
    times[3] = (times[2][1], times[3][1])

    def by_ring(call: Syscall) -> Syscall:
        return replace(call, ring=RingUse(1, call.name))

    assert w.timeline_of(w.traced(tuple(times), change=by_ring)).order.violations == ()


def test_a_call_in_a_signals_handler_is_within_the_restarted_one() -> None:
    times = w.times_by(w.earliest)
    accept = next(at for at, each in enumerate(w.planned()) if each.name == "accept4")
    entry, end = times[accept]
    handled = t.call("server", "close", 77, at=(entry + 1, end - 1), step="conversation")
    recording = w.traced(times)
    calls = sorted((*recording.trace.syscalls, handled), key=lambda call: call.entry_ns)
    trace = replace(recording.trace, syscalls=tuple(calls))
    timeline = w.timeline_of(replace(recording, trace=trace))
    assert timeline.order.violations == ()


def test_calls_that_never_returned_have_an_entry_only() -> None:
    def unfinished(call: Syscall) -> Syscall:
        is_last = call.name == "close" and call.program == "server"
        return replace(call, exit_ns=None, result=None) if is_last else call

    timeline = w.timeline_of(w.traced(w.times_by(), change=unfinished))
    at = places(timeline)
    assert (event("server#13"), EventPart.ENTRY) in at
    assert (event("server#13"), EventPart.EXIT) not in at


def state(
    new: str, at: float, *, old: str = "", client: bool = True, sampled: bool = False
) -> SocketState:
    ends = [("198.51.100.1", 40858), ("198.51.100.2", 4242)]
    local, remote = ends if client else ends[::-1]
    obtained = Obtained.SAMPLED if sampled else Obtained.MEASURED
    socket = "sk 1" if client else "sk 2"
    tid = t.pid_of("client") if sampled else 0
    return t.state(
        socket, new, local, remote, at, old=old, obtained=obtained, tid=tid, step="conversation"
    )


def left(number: int) -> float:
    return w.us_of(number, arrival=False)


def came(number: int) -> float:
    return w.us_of(number, arrival=True)


@pytest.mark.parametrize(
    ("seen", "violation"),
    [
        (state("SYN_SENT", left(3) + 1, old="CLOSE"), "f3 left 1.000 µs before state 1 was"),
        (
            state("ESTABLISHED", came(4) - 1, old="SYN_SENT"),
            "state 1 was reached 1.000 µs before f4 arrived",
        ),
        (
            state("SYN_RECV", came(5) - 1, old="LISTEN", client=False),
            "state 1 was reached 1.000 µs before f5 arrived",
        ),
        (
            state("ESTABLISHED", came(5) - 1, old="SYN_RECV", client=False),
            "state 1 was reached 1.000 µs before f5 arrived",
        ),
        (state("FIN_WAIT1", left(12) + 1, old="ESTABLISHED"), "f12 left 1.000 µs before state 1"),
        (
            state("CLOSE_WAIT", came(12) - 1, old="ESTABLISHED", client=False),
            "state 1 was reached 1.000 µs before f12 arrived",
        ),
        (
            state("LAST_ACK", left(19) + 1, old="CLOSE_WAIT", client=False),
            "f19 left 1.000 µs before state 1",
        ),
    ],
    ids=lambda value: value.new if hasattr(value, "new") else "",
)
def test_a_measured_state_has_its_place_among_the_segments(
    seen: SocketState, violation: str
) -> None:
    timeline = w.timeline_of(w.traced(w.times_by(), seen))
    assert len(timeline.states) == 1
    (found,) = timeline.order.violations
    assert found.startswith(violation)


def test_a_sampled_state_says_nothing_of_the_time_before_it() -> None:
    late = state("SYN_SENT", left(6), sampled=True)
    timeline = w.timeline_of(w.traced(w.times_by(), late))
    assert timeline.order.violations == ()
    assert [seen.state.new for seen in timeline.states] == ["SYN_SENT"]


def test_a_state_before_the_socket_has_a_port_is_its_connections() -> None:
    unbound = t.state(
        "sk 1", "SYN_SENT", ("198.51.100.1", 0), ("198.51.100.2", 4242), left(3) - 1,
        old="CLOSE", step="conversation",
    )  # fmt: skip
    known = state("ESTABLISHED", came(4) + 1, old="SYN_SENT")
    timeline = w.timeline_of(w.traced(w.times_by(), unbound, known))
    at = places(timeline)
    assert at[event("client#2"), EventPart.ENTRY] < at[event("state 1"), EventPart.STATE]
    assert at[event("state 1"), EventPart.STATE] < at[event("f3"), EventPart.DEPARTURE]


def test_states_of_other_sockets_are_left_out() -> None:
    other = t.state("sk 9", "LISTEN", ("10.0.0.1", 22), ("0.0.0.0", 0), 20, step="conversation")
    assert w.timeline_of(w.traced(w.times_by(), other)).states == ()


def test_lost_events_make_the_step_incomplete() -> None:
    recording = w.traced(w.times_by())
    incomplete = replace(recording, trace=replace(recording.trace, lost=3))
    assert w.timeline_of(incomplete).bracket.incomplete == ("the tracer lost 3 events",)


def test_an_untraced_recording_has_its_frames_in_order() -> None:
    timeline = w.wire_timeline()
    assert len(timeline.order.events) == 2 * len(timeline.crossings)
    assert timeline.order.edges == len(timeline.crossings)
    assert (
        timeline.system_calls == timeline.correlation.channels == timeline.correlation.remarks == ()
    )


@pytest.mark.parametrize(("slacks_ns", "slack_ns"), [((1_000, 20_000, 0), 20_000), ((), 0)])
def test_the_slack_is_the_most_that_an_instrument_has(
    slacks_ns: tuple[int, ...], slack_ns: int
) -> None:
    instruments = tuple(
        Instrument(InstrumentKind.CALLS, Obtained.MEASURED, each_ns, "x") for each_ns in slacks_ns
    )
    recording: Recording = replace(w.wire(), instruments=instruments)
    assert w.timeline_of(recording).order.slack_ns == slack_ns
