"""Where else a program has a socket than where something came that none took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.calls.options import IPV6_V6ONLY
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.sockets.facts import takes
from lab.frozen import frozen
from lab.model.address import SocketAddress
from lab.model.event import EventId

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint

_MOST = 3
"""With more sockets on other ports than these, none is more likely meant than another."""


@frozen
class Elsewhere:
    """What there is to say of sockets that do not take what came to an address."""

    text: str
    """ " server listens on 37392, which is htons(4242)."; "" where there is nothing."""
    evidence: tuple[EventId, ...] = ()
    takes: bool = False
    """Whether a socket takes it after all."""


@frozen
class Came:
    """A SYN or a datagram that came to a host."""

    host: str
    protocol: str
    """ "tcp" or "udp"."""
    source: SocketAddress
    place: SocketAddress
    """Where it came to."""
    sent_ns: int
    answered_ns: int
    """When the answer left that says that nobody took it."""


def where_else(facts: StepFacts, came: Came) -> Elsewhere:
    """What the run's programs have bound near the address that something came to."""
    found = list(_of_host(facts, came))
    taken = next((each for each in found if each.takes), None)
    if taken is not None:
        return taken
    if found:
        return found[0]
    return _of_other_hosts(facts, came)


def _of_host(facts: StepFacts, came: Came) -> Iterator[Elsewhere]:
    others: list[tuple[bool, Elsewhere]] = []
    for socket in facts.sockets(came.host, came.protocol):
        local = socket.local
        if not isinstance(local, SocketAddress) or socket.listener:
            continue
        if local.port == came.place.port:
            yield from _at_its_port(facts, came, socket, local)
        elif _opened(facts, socket) is not None:
            is_swapped = local.port == _swapped(came.place.port)
            others.append((not is_swapped, _on_another_port(facts, came, socket, local)))
    other, word = ("udp", "UDP") if came.protocol == "tcp" else ("tcp", "TCP")
    for socket in facts.sockets(came.host, other):
        if isinstance(socket.local, SocketAddress) and socket.local.port == came.place.port:
            bind = next(facts.calls_on(socket, "bind"), None)
            if bind is not None and not socket.listener:
                yield Elsewhere(
                    f" {socket.program} has a {word} socket at that port ({bind.id}): its ports "
                    f"are not {came.protocol.upper()}'s.",
                    known_ids(bind),
                )
    if len(others) <= _MOST:
        yield from (said for _, said in sorted(others, key=lambda each: each[0]))


def _at_its_port(
    facts: StepFacts, came: Came, socket: Endpoint, local: SocketAddress
) -> Iterator[Elsewhere]:
    """Why a socket with that port did not take it, or that it does."""
    bind, opened = next(facts.calls_on(socket, "bind"), None), _opened(facts, socket)
    if not _takes(facts, socket, came.place):
        if opened is not None:
            does = "listens on" if came.protocol == "tcp" else "is bound to"
            yield Elsewhere(
                f" {socket.program} {does} {local} ({bind.id if bind else opened.id}), "
                f"which takes {_only(local)}.",
                known_ids(bind, opened),
            )
    elif bind is None and opened is None:
        yield from _of_a_connected_one(facts, came, socket)
    elif opened is None:
        yield Elsewhere(
            f" {socket.program} has bound a socket to {local} and never called listen().",
            known_ids(bind),
        )
    elif (opened.exit_ns or 0) > came.answered_ns:
        late_ns = opened.entry_ns - came.answered_ns
        late = ms(late_ns) if late_ns > 0 else "a moment"
        yield Elsewhere(f" {named(opened)} of {socket.program} came {late} later.", (opened.id,))
    elif facts.ended_ns(socket) < came.sent_ns:
        closed = facts.last_close(socket)
        how = f"{socket.program} had ended" if closed is None else f"{named(closed)} closed it"
        had = "had listened there" if came.protocol == "tcp" else "had been bound there"
        yield Elsewhere(
            f" {socket.program} {had}, and {how} "
            f"{ms(came.sent_ns - facts.ended_ns(socket))} before.",
            known_ids(opened, closed),
        )
    else:
        connected = list(_of_a_connected_one(facts, came, socket))
        yield from connected or (Elsewhere("", takes=True),)


def _of_a_connected_one(facts: StepFacts, came: Came, socket: Endpoint) -> Iterator[Elsewhere]:
    """Of a datagram socket that is connected to somebody else. Source: connect(2)."""
    connect = next(facts.calls_on(socket, "connect"), None)
    if came.protocol == "udp" and connect is not None and connect.entry_ns < came.sent_ns:
        if socket.remote is not None and socket.remote != came.source:
            yield Elsewhere(
                f" The socket of {socket.program} with that port is connected to {socket.remote} "
                f"({connect.id}), and takes nothing that comes from {came.source}.",
                (connect.id,),
            )
        else:
            yield Elsewhere("", takes=True)


def _opened(facts: StepFacts, socket: Endpoint) -> SystemCall | None:
    """The call since which it takes what comes to its address."""
    if socket.protocol == "tcp":
        return facts.listen_call(socket)
    return next(facts.calls_on(socket, "bind"), None)


def _takes(facts: StepFacts, socket: Endpoint, place: SocketAddress) -> bool:
    """Whether it takes what comes to the address; IPV6_V6ONLY keeps IPv4 out. Source: ipv6(7)."""
    local = socket.local
    if isinstance(local, SocketAddress) and local.address.version > place.address.version:
        asked = facts.option_call(socket, IPV6_V6ONLY)
        if asked is not None and asked.option_value is not None:
            return not asked.option_value and takes(local, place)
    return takes(local, place)


def _only(local: SocketAddress) -> str:
    """What a socket bound so takes."""
    if local.address.is_loopback:
        return "only what programs of the same host send there"
    if local.is_wildcard:
        version = local.address.version
        return f"only IPv{version}{', by IPV6_V6ONLY' if version == 6 else ''}"
    return "only what is for that address"


def _swapped(port: int) -> int:
    return int.from_bytes(port.to_bytes(2, "big"), "little")


def _on_another_port(
    facts: StepFacts, came: Came, socket: Endpoint, local: SocketAddress
) -> Elsewhere:
    opened, bind = _opened(facts, socket), next(facts.calls_on(socket, "bind"), None)
    if local.port == _swapped(came.place.port):
        why = f", which is htons({came.place.port}): the bytes of the port are swapped"
    elif bind is None:
        why = ", which its kernel chose: listen() came without a bind()"
    else:
        why = ""
    does = "listens on" if came.protocol == "tcp" else "is bound to"
    return Elsewhere(f" {socket.program} {does} port {local.port}{why}.", known_ids(bind, opened))


def _of_other_hosts(facts: StepFacts, came: Came) -> Elsewhere:
    for endpoint in facts.timeline.endpoints:
        opened = _opened(facts, endpoint)
        local = endpoint.local
        if opened is None or endpoint.host == came.host or not isinstance(local, SocketAddress):
            continue
        if endpoint.protocol == came.protocol and local.port == came.place.port:
            does = "listens on" if came.protocol == "tcp" else "is bound to"
            return Elsewhere(
                f" {endpoint.program} {does} that port of another host, {endpoint.host}.",
                (opened.id,),
            )
    return Elsewhere("")
