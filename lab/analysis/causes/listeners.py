"""Where else a program listens than where it was asked for."""

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
    from lab.analysis.sockets.endpoint import Endpoint

_MOST = 3
"""With more sockets on other ports than these, none is more likely meant than another."""


@frozen
class Elsewhere:
    """What there is to say of sockets that do not take what came to an address."""

    text: str
    """ " server listens on 37392, which is htons(4242)."; "" where there is nothing."""
    evidence: tuple[EventId, ...] = ()
    listens: bool = False
    """Whether a socket takes it after all."""


def where_else(
    facts: StepFacts, host: str, place: SocketAddress, sent_ns: int, answered_ns: int
) -> Elsewhere:
    """What the run's programs have bound near an address that a SYN came to.

    `sent_ns` and `answered_ns` are when the SYN left and when its answer did.
    """
    found = list(_of_host(facts, host, place, sent_ns, answered_ns))
    taken = next((each for each in found if each.listens), None)
    if taken is not None:
        return taken
    if found:
        return found[0]
    return _of_other_hosts(facts, host, place)


def _of_host(
    facts: StepFacts, host: str, place: SocketAddress, sent_ns: int, answered_ns: int
) -> Iterator[Elsewhere]:
    others: list[tuple[bool, Elsewhere]] = []
    swapped = int.from_bytes(place.port.to_bytes(2, "big"), "little")
    for socket in facts.sockets(host, "tcp"):
        local, listen = socket.local, facts.listen_call(socket)
        if not isinstance(local, SocketAddress) or socket.listener:
            continue
        if local.port != place.port:
            if listen is not None:
                said = _on_another_port(facts, socket, local, place, swapped)
                others.append((local.port != swapped, said))
            continue
        bind = next(facts.calls_on(socket, "bind"), None)
        if not _takes(facts, socket, place):
            if listen is not None:
                yield Elsewhere(
                    f" {socket.program} listens on {local} ({bind.id if bind else listen.id}), "
                    f"which takes {_only(local)}.",
                    known_ids(bind, listen),
                )
        elif bind is None and listen is None:
            continue  # a socket that connects: its port is as another's by chance
        elif listen is None:
            yield Elsewhere(
                f" {socket.program} has bound a socket to {local} and never called listen().",
                known_ids(bind),
            )
        elif (listen.exit_ns or 0) > answered_ns:
            late = (
                ms(listen.entry_ns - answered_ns) if listen.entry_ns > answered_ns else "a moment"
            )
            yield Elsewhere(
                f" {named(listen)} of {socket.program} came {late} later.", known_ids(listen)
            )
        elif facts.ended_ns(socket) < sent_ns:
            closed = facts.last_close(socket)
            how = f"{socket.program} had ended" if closed is None else f"{named(closed)} closed it"
            yield Elsewhere(
                f" {socket.program} had listened there, and {how} "
                f"{ms(sent_ns - facts.ended_ns(socket))} before.",
                known_ids(listen, closed),
            )
        else:
            yield Elsewhere("", listens=True)
    for socket in facts.sockets(host, "udp"):
        if isinstance(socket.local, SocketAddress) and socket.local.port == place.port:
            bind = next(facts.calls_on(socket, "bind"), None)
            if bind is not None:
                yield Elsewhere(
                    f" {socket.program} has a UDP socket at that port ({bind.id}): its ports are "
                    "not TCP's.",
                    known_ids(bind),
                )
    if len(others) <= _MOST:
        yield from (said for _, said in sorted(others, key=lambda each: each[0]))


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


def _on_another_port(
    facts: StepFacts, socket: Endpoint, local: SocketAddress, place: SocketAddress, swapped: int
) -> Elsewhere:
    listen, bind = facts.listen_call(socket), next(facts.calls_on(socket, "bind"), None)
    if local.port == swapped:
        why = f", which is htons({place.port}): the bytes of the port are swapped"
    elif bind is None:
        why = ", which its kernel chose: listen() came without a bind()"
    else:
        why = ""
    return Elsewhere(
        f" {socket.program} listens on port {local.port}{why}.", known_ids(bind, listen)
    )


def _of_other_hosts(facts: StepFacts, host: str, place: SocketAddress) -> Elsewhere:
    for endpoint in facts.timeline.endpoints:
        listen = facts.listen_call(endpoint)
        local = endpoint.local
        if listen is None or endpoint.host == host or not isinstance(local, SocketAddress):
            continue
        if endpoint.protocol == "tcp" and local.port == place.port:
            return Elsewhere(
                f" {endpoint.program} listens on that port of another host, {endpoint.host}.",
                known_ids(listen),
            )
    return Elsewhere("")
