from __future__ import annotations

from dataclasses import replace

import pytest
import traced_runs as t
from event_ids import event

from lab.analysis.calls.system_call import Argument
from lab.analysis.timeline import Timeline
from lab.ladder.background import (
    LOOK_UPS,
    MOST_INNER_CALLS,
    NETLINK,
    PIPES,
    Background,
)
from lab.ladder.background import without_background as without
from lab.ladder.repetition import MOST_ROWS
from lab.model.address import UnixName


def without_background(timeline: Timeline) -> tuple[Timeline, tuple[Background, ...]]:
    return without(timeline, MOST_ROWS)


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
    outer, background = without_background(with_pipe(MOST_INNER_CALLS + 1))
    assert background == (Background(PIPES, MOST_INNER_CALLS + 1),)
    assert outer.system_calls == t.talk().system_calls
    assert outer.order.events == t.order_of(t.talk()).events


def test_few_are_kept() -> None:
    timeline = with_pipe(MOST_INNER_CALLS)
    assert without_background(timeline) == (timeline, ())


def test_few_are_left_out_of_a_ladder_that_would_leave_other_events_out() -> None:
    timeline = with_pipe(1)
    (pipe_call,) = (call for call in timeline.system_calls if call.socket == "s8")
    first = next(call for call in timeline.system_calls if call is not pipe_call)
    more = tuple(replace(first, id=event(f"client#{n}")) for n in range(200, 200 + MOST_ROWS))
    long = replace(timeline, system_calls=(*timeline.system_calls, *more))
    outer, background = without_background(replace(long, order=t.order_of(long)))
    assert background == (Background(PIPES, 1),)
    assert pipe_call not in outer.system_calls and set(more) <= set(outer.system_calls)


def test_calls_on_a_pipe_between_programs_are_kept() -> None:
    timeline = with_pipe(90, ("client", "server"))
    assert without_background(timeline) == (timeline, ())


def test_where_nothing_else_goes_on_they_are_all_there_is() -> None:
    timeline = replace(with_pipe(90), crossings=())
    timeline = replace(timeline, correlation=replace(timeline.correlation, channels=()))
    pipes = tuple(end for end in timeline.endpoints if end.domain == "pipe")
    timeline = replace(timeline, endpoints=pipes)
    assert without_background(timeline) == (timeline, ())


def test_a_concurrent_event_stays_so_only_beside_what_it_was_too_close_to() -> None:
    timeline = with_pipe(MOST_INNER_CALLS + 1)
    everything = frozenset(range(1, len(timeline.order.events)))
    marked = replace(timeline, order=replace(timeline.order, concurrent=everything))
    outer, _ = without_background(marked)
    events = timeline.order.events
    for place in outer.order.concurrent:
        before, here = outer.order.events[place - 1 : place + 1]
        assert events.index(here) == events.index(before) + 1
    assert 0 < len(outer.order.concurrent) < len(outer.order.events) - 1


def test_sockets_that_nothing_came_through_are_something_else() -> None:
    timeline = replace(with_pipe(90), crossings=())
    timeline = replace(timeline, correlation=replace(timeline.correlation, channels=()))
    outer, background = without_background(timeline)
    assert background == (Background(PIPES, 90),)
    assert outer.system_calls == t.talk().system_calls


def with_one_of(domain: str, *told: str) -> Timeline:
    """The conversation, and calls of the client's on a socket of that domain."""
    timeline = t.talk()
    other = replace(t.endpoint("s8", "client"), domain=domain, protocol="0", flow=None)
    calls = tuple(
        replace(t.system_call("client", 100 + n, (-700 + n, -699.5 + n), text, "0"), socket="s8")
        for n, text in enumerate(told)
    )
    calls = (*timeline.system_calls, *calls)
    timeline = replace(timeline, system_calls=calls, endpoints=(*timeline.endpoints, other))
    return replace(timeline, order=t.order_of(timeline))


def test_calls_on_netlink_sockets_are_left_out_however_few() -> None:
    outer, background = without_background(with_one_of("AF_NETLINK", "close(8)"))
    assert background == (Background(NETLINK, 1),)
    assert outer.system_calls == t.talk().system_calls


def test_calls_on_a_unix_socket_of_the_programs_are_kept() -> None:
    timeline = with_one_of("AF_UNIX", "close(8)")
    assert without_background(timeline) == (timeline, ())


@pytest.mark.parametrize(
    ("path", "is_background"),
    [
        ("/var/run/nscd/socket", True),
        ("/run/systemd/userdb/io.systemd.DynamicUser", True),
        ("/run/mine", False),
    ],
)
def test_asking_a_cache_for_names_is_left_out(path: str, is_background: bool) -> None:
    timeline = with_one_of("AF_UNIX", "close(8)", "close(8)")
    *others, asking, closing = timeline.system_calls
    asking = replace(
        asking, name="connect", arguments=(Argument("addr", path, 1, False, 1, UnixName(path)),)
    )
    timeline = replace(timeline, system_calls=(*others, asking, closing))
    _, background = without_background(timeline)
    assert background == ((Background(LOOK_UPS, 2),) if is_background else ())
