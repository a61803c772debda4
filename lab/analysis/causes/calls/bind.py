"""Why bind(2) failed on a socket of the internet: an address in use, or not here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.calls.why import INET, ip_address_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.sockets.facts import takes
from lab.analysis.sockets.time_wait import time_wait_of
from lab.analysis.tcp.state import State
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation

_GONE = (State.CLOSED, State.LISTEN)


def _in_use(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EADDRINUSE: the socket, or what is left of a connection, that has the port."""
    wanted, socket = ip_address_of(call), facts.timeline.endpoint_of.get(call.socket)
    if wanted is None or socket is None or socket.domain not in INET:
        return None
    for other in facts.sockets(call.host, socket.protocol):
        if other.id != socket.id and (cause := _has_it(facts, call, wanted, other)) is not None:
            return cause
    for talk in facts.timeline.conversations if socket.protocol == "tcp" else ():
        seen = _state_at(facts, talk, call.host, wanted.port, call.entry_ns)
        if seen is None or seen[0] in _GONE:
            continue
        state, peer = seen
        last = talk.segments[-1]
        since = ms(call.entry_ns - facts.departure_ns(last))
        until = _until(facts, call, talk, wanted)
        return Cause(
            "address-in-use",
            f"{named(call)} fails with EADDRINUSE: port {wanted.port} is still that of the "
            f"connection with {peer}. Its side here is in {state.value}, {since} after its last "
            f"segment ({facts.crossing(last).id}){until}. With SO_REUSEADDR on the sockets of both "
            "bind() would succeed.",
            call.program,
            known_ids(call, facts.crossing(last).id),
            "socket(7), SO_REUSEADDR; RFC 9293, 3.6.1",
            Surprise.ELSEWHERE,
        )
    return None


def _until(facts: StepFacts, call: SystemCall, talk: TcpConversation, wanted: SocketAddress) -> str:
    """How much longer its kernel keeps a connection in TIME-WAIT, where that is known."""
    for is_client in (True, False):
        own, other = (facts.place_of(talk, each) for each in (is_client, not is_client))
        if own.port == wanted.port and facts.host_of(talk, is_client) == call.host:
            wait = time_wait_of(facts.timeline.held, call.host, own, other)
            if wait is not None and wait.until_ns > call.entry_ns:
                return f", for {ms(wait.until_ns - call.entry_ns)} more, by its kernel"
    return ""


def _has_it(
    facts: StepFacts, call: SystemCall, wanted: SocketAddress, other: Endpoint
) -> Cause | None:
    """The cause, where this other socket is bound to the address at that time."""
    local = other.local
    if not isinstance(local, SocketAddress) or other.listener or local.port != wanted.port:
        return None
    overlaps = takes(local, wanted) or takes(wanted, local)
    bind = next(facts.calls_on(other, "bind"), None)
    if not overlaps or bind is None or bind.entry_ns > call.entry_ns:
        return None
    if facts.ended_ns(other) < call.entry_ns:
        return None
    listen = facts.listen_call(other)
    listens = listen is not None and listen.entry_ns < call.entry_ns
    does = f"listens on {local}" if listens else f"is bound to {local}"
    change = ""
    if listens:
        change = " SO_REUSEADDR changes nothing while a socket listens there."
    return Cause(
        "address-in-use",
        f"{named(call)} fails with EADDRINUSE: another socket of {other.program} {does} "
        f"({(listen if listens and listen else bind).id}).{change}",
        call.program,
        known_ids(call, bind, listen if listens else None),
        "bind(2), EADDRINUSE; socket(7), SO_REUSEADDR",
        Surprise.HIDDEN,
    )


def _state_at(
    facts: StepFacts, talk: TcpConversation, host: str, port: int, time_ns: int
) -> tuple[State, SocketAddress] | None:
    """The state of the side with that port on that host, if the last segment was before a time.

    Beside it the address of the other side.
    """
    if talk.flow.crossings[-1].time_ns > time_ns:
        return None
    for is_client in (True, False):
        if facts.host_of(talk, is_client) == host and facts.place_of(talk, is_client).port == port:
            state = talk.client_state if is_client else talk.server_state
            return state, facts.place_of(talk, not is_client)
    return None


def _not_here(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EADDRNOTAVAIL: no interface of the host has the address. Source: bind(2)."""
    wanted = ip_address_of(call)
    by_host = {
        (seen.host, each.ip)
        for seen in facts.timeline.recording.interfaces
        for each in seen.addresses
    }
    if wanted is None or (call.host, wanted.address) in by_host:
        return None
    owners = sorted(host for host, address in by_host if address == wanted.address)
    version = wanted.address.version
    own = sorted(
        str(address)
        for host, address in by_host
        if host == call.host and address.version == version and not address.is_loopback
    )
    whose = f": it is {owners[0]}'s" if owners else ""
    return Cause(
        "address-not-here",
        f"{named(call)} fails with EADDRNOTAVAIL: {call.host} has no interface with "
        f"{wanted.address}{whose}. It has {', '.join(own) or 'none of that family'}.",
        call.program,
        (call.id,),
        "bind(2), EADDRNOTAVAIL; ip(7)",
        Surprise.SAID,
    )


WHY: dict[tuple[str, str], Why] = {
    ("bind", "EADDRINUSE"): _in_use,
    ("bind", "EADDRNOTAVAIL"): _not_here,
}
