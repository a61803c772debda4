from __future__ import annotations

from dataclasses import replace

import traced_runs as t

from lab.analysis.timeline import Timeline
from lab.ladder.inner_calls import MOST_INNER_CALLS, without_inner_calls


def with_pipe(count: int, users: tuple[str, str] = ("client", "client")) -> Timeline:
    """The conversation, and that many calls of each user at its end of a pipe."""
    timeline = t.talk()
    ends = tuple(
        replace(t.endpoint(name, program, peer=peer), domain="pipe", protocol="pipe")
        for name, peer, program in zip(("s8", "s9"), ("s9", "s8"), users, strict=True)
    )
    inner = []
    for place in range(count):
        user = users[place % 2]
        at = (-700 + place, -699.5 + place)
        call = t.system_call(user, 100 + place, at, "read(8, 'x', 1)", "1")
        inner.append(replace(call, socket=("s8", "s9")[place % 2]))
    timeline = replace(
        timeline,
        system_calls=(*timeline.system_calls, *inner),
        endpoints=(*timeline.endpoints, *ends),
    )
    return replace(timeline, order=t.order_of(timeline))


def test_many_calls_within_one_program_are_left_out() -> None:
    outer, count = without_inner_calls(with_pipe(MOST_INNER_CALLS + 1))
    assert count == MOST_INNER_CALLS + 1
    assert outer.system_calls == t.talk().system_calls
    assert outer.order.events == t.order_of(t.talk()).events


def test_few_are_kept() -> None:
    timeline = with_pipe(MOST_INNER_CALLS)
    assert without_inner_calls(timeline) == (timeline, 0)


def test_calls_on_a_pipe_between_programs_are_kept() -> None:
    timeline = with_pipe(90, ("client", "server"))
    assert without_inner_calls(timeline) == (timeline, 0)


def test_where_nothing_else_goes_on_they_are_all_there_is() -> None:
    timeline = replace(with_pipe(90), crossings=())
    timeline = replace(timeline, correlation=replace(timeline.correlation, channels=()))
    assert without_inner_calls(timeline) == (timeline, 0)


def test_a_concurrent_event_stays_so_only_beside_what_it_was_too_close_to() -> None:
    timeline = with_pipe(MOST_INNER_CALLS + 1)
    everything = frozenset(range(1, len(timeline.order.events)))
    marked = replace(timeline, order=replace(timeline.order, concurrent=everything))
    outer, _ = without_inner_calls(marked)
    events = timeline.order.events
    for place in outer.order.concurrent:
        before, here = outer.order.events[place - 1 : place + 1]
        assert events.index(here) == events.index(before) + 1
    assert 0 < len(outer.order.concurrent) < len(outer.order.events) - 1
