"""Why datagrams that had come were never read: the socket's receive buffer was full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.calls.options import SO_RCVBUF
from lab.analysis.causes.facts.cause import Cause, Counted, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids
from lab.analysis.flows.flow import ends_of
from lab.analysis.sockets.facts import takes
from lab.model.address import SocketAddress
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.sockets.endpoint import Endpoint

_COUNTERS = ("UdpRcvbufErrors", "Udp6RcvbufErrors")
_REASON = "SOCKET_RCVBUFF"


def full_buffers(facts: StepFacts) -> Iterator[Cause]:
    """The sockets whose receive buffer had no room for a datagram that came. Source: udp(7)."""
    dropped = {each.frame: each for each in facts.timeline.drops if each.notice.reason == _REASON}
    came: defaultdict[tuple[str, str], list[Crossing]] = defaultdict(list)
    for flow in facts.timeline.flows:
        for crossing in flow.crossings if flow.protocol == "udp" else ():
            if crossing.received_ns is not None:
                for socket in _takers(facts, crossing):
                    came[crossing.receiver, socket.id].append(crossing)
    if not facts.is_traced:
        yield from _of_hosts(facts)
    for host in dict.fromkeys(of for of, _ in came):
        risen = facts.counted(host, *_COUNTERS)
        unread = {
            id: crossings
            for (of, id), crossings in came.items()
            if of == host and any(each.id not in facts.was_read for each in crossings)
        }
        noticed = {id: [each for each in unread[id] if each.id in dropped] for id in unread}
        alone = sum(bool(each) for each in noticed.values()) == 1
        for id, crossings in unread.items():
            endpoint = facts.timeline.endpoint_of[id]
            if noticed[id]:
                yield _full(facts, endpoint, crossings, noticed[id], risen if alone else ())
            elif risen and len(unread) == 1 and facts.is_traced:
                yield _full(facts, endpoint, crossings, [], risen)


def _of_hosts(facts: StepFacts) -> Iterator[Cause]:
    """By host, of what is not traced."""
    came: defaultdict[str, list[Crossing]] = defaultdict(list)
    places: defaultdict[str, set[SocketAddress]] = defaultdict(set)
    for flow in facts.timeline.flows:
        for crossing in flow.crossings if flow.protocol == "udp" else ():
            ends = ends_of(crossing)
            if crossing.received_ns is not None and ends is not None:
                came[crossing.receiver].append(crossing)
                places[crossing.receiver].add(ends[1])
    for host, crossings in came.items():
        yield from _untraced(host, places[host], crossings, facts.counted(host, *_COUNTERS))


def _untraced(
    host: str, places: set[SocketAddress], came: list[Crossing], risen: tuple[Counted, ...]
) -> Iterator[Cause]:
    """Where only the kernel's count is known: of all that came to one port of a host."""
    if risen and len(places) == 1:
        count = sum(each.change for each in risen)
        yield Cause(
            "receive-buffer-full",
            f"The receive buffer of the socket on {next(iter(places))} was full when {count} of "
            f"{counted(len(came), 'datagram')} came ({came[0].id} to {came[-1].id}): the kernel of "
            f"{host} dropped them and told nobody. Its program reads too late, or more slowly than "
            "they come.",
            host,
            known_ids(came[0].id, came[-1].id),
            "socket(7), SO_RCVBUF; udp(7)",
            Surprise.ELSEWHERE,
            risen,
        )


def _takers(facts: StepFacts, crossing: Crossing) -> Iterator[Endpoint]:
    ends = ends_of(crossing)
    assert ends is not None, "a flow's packets have endpoints"
    for socket in facts.sockets(crossing.receiver, "udp"):
        if socket.local is not None and takes(socket.local, ends[1]):
            yield socket


def _full(
    facts: StepFacts,
    socket: Endpoint,
    came: list[Crossing],
    dropped: list[Crossing],
    risen: tuple[Counted, ...],
) -> Cause:
    """The cause for one socket; `dropped` are the datagrams known to have met a full buffer."""
    bind = next(facts.calls_on(socket, "bind"), None)
    # An instrument may lose notices: what the kernel counts is all. Which ones it was, notices say.
    count = max(len(dropped), sum(each.change for each in risen))
    first = f" (the first is {dropped[0].id})" if dropped else ""
    asked = facts.option_call(socket, SO_RCVBUF)
    size = ""
    if asked is not None and asked.option_value is not None:
        size = (
            f" {socket.program} had set SO_RCVBUF to {asked.option_value} ({asked.id}), of which "
            "the kernel makes twice as much, and each datagram takes more of it than its bytes."
        )
    return Cause(
        "receive-buffer-full",
        f"The receive buffer of {socket.program}'s socket on {socket.local} was full when "
        f"{count} of {counted(len(came), 'datagram')} came{first}: the kernel of {socket.host} "
        f"dropped them and told nobody. {socket.program} reads too late, or more "
        f"slowly than they come.{size}",
        socket.program,
        known_ids(bind or socket.made_by, *[each.id for each in dropped[:1]], asked),
        "socket(7), SO_RCVBUF; udp(7)",
        Surprise.ELSEWHERE,
        risen,
    )
