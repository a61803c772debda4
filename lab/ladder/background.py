"""What programs do beside what they have to say, left out of a ladder that is about more.

A shell that starts a program makes pipes by the dozen, before the first packet leaves; the C
library looks up names and addresses in caches and in the kernel before a connection is made.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.frozen import frozen
from lab.model.address import UnixName

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.order.events import Order
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

MOST_INNER_CALLS = 30
"""As many on pipes are in it: they may be what an experiment is about."""

PIPES = "on pipes within one program"
NETLINK = "on netlink sockets"
LOOK_UPS = "that ask for names"

_CACHES = frozenset(
    UnixName(path)
    for path in (
        "/var/run/nscd/socket",
        "/run/nscd/socket",
        "/run/systemd/userdb/io.systemd.DynamicUser",
        "/run/systemd/userdb/io.systemd.Multiplexer",
        "/run/systemd/resolve/io.systemd.Resolve",
    )
)
"""Where the C library asks for users and hosts. Source: nscd(8), nss-systemd(8)."""


@frozen
class Background:
    """Calls of one kind that are left out."""

    what: str
    """ "on pipes within one program"."""
    calls: int
    """Their number."""


def without_background(
    timeline: Timeline, most_events: int
) -> tuple[Timeline, tuple[Background, ...]]:
    """The timeline without the calls that are beside the matter, and what those were.

    It is given back as it is where nothing else went on: then they are what there is. Calls on
    pipes and socket pairs within one program are left out where they are many, and where there are
    more events than `most_events`, of which a ladder leaves some out.
    """
    inner = _inner_endpoints(timeline)
    of_kind = {
        PIPES: inner,
        NETLINK: _of_domain(timeline, "AF_NETLINK"),
        LOOK_UPS: _caches(timeline),
    }
    beside = set().union(*of_kind.values())
    has_other = any(each.id not in beside and each.domain != "pipe" for each in timeline.endpoints)
    if not (has_other or timeline.crossings):
        return timeline, ()
    most_inner = MOST_INNER_CALLS if len(timeline.order.events) <= most_events else 0
    background: list[Background] = []
    left_out: set[EventId] = set()
    gone: set[str] = set()
    for what, endpoints in of_kind.items():
        calls = {call.id for call in timeline.system_calls if _is_on(call, endpoints)}
        if len(calls) > (most_inner if what == PIPES else 0):
            background.append(Background(what, len(calls)))
            left_out |= calls
            gone |= endpoints
    if not left_out:
        return timeline, ()
    samples = {queue.id for queue in timeline.queues if queue.call.id in left_out}
    channels = timeline.correlation.channels
    outer = tuple(c for c in channels if not {c.sender, c.receiver} - {""} <= gone)
    calls_left = tuple(call for call in timeline.system_calls if call.id not in left_out)
    outer_timeline = replace(
        timeline,
        system_calls=calls_left,
        order=without_events(timeline.order, left_out | samples),
        correlation=replace(timeline.correlation, channels=outer),
    )
    return outer_timeline, tuple(background)


def _is_on(call: SystemCall, endpoints: set[str]) -> bool:
    return call.socket in endpoints or (bool(call.made) and endpoints.issuperset(call.made))


def _of_domain(timeline: Timeline, domain: str) -> set[str]:
    return {each.id for each in timeline.endpoints if each.domain == domain}


def _caches(timeline: Timeline) -> set[str]:
    """Unix sockets that asked a cache, or would have if there were one."""
    return {
        call.socket
        for call in timeline.system_calls
        if call.name == "connect"
        for address in [call.argument("addr")]
        if address is not None and address.address in _CACHES
    }


def _inner_endpoints(timeline: Timeline) -> set[str]:
    """Ends of pipes and socket pairs whose both ends one program alone has used."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for call in timeline.system_calls:
        for endpoint in (call.socket, *call.made):
            users[endpoint].add(call.program)
    return {
        end.id
        for end in timeline.endpoints
        if (end.domain == "pipe" or (end.domain == "AF_UNIX" and not end.local and end.peer))
        and len(users[end.id] | users[end.peer]) == 1
    }


def without_events(order: Order, left_out: set[EventId]) -> Order:
    """The order without these events."""
    kept = [place for place, event in enumerate(order.events) if event.id not in left_out]
    concurrent = {
        new
        for new, place in enumerate(kept)
        # What it was too close to must still be there.
        if place in order.concurrent and new and kept[new - 1] == place - 1
    }
    events = tuple(order.events[place] for place in kept)
    place_of = {place: new for new, place in enumerate(kept)}
    causes = tuple(
        (place_of[cause], place_of[effect])
        for cause, effect in order.causes
        if cause in place_of and effect in place_of
    )
    return replace(order, events=events, concurrent=frozenset(concurrent), causes=causes)
