"""Why a call failed: an address in use or not here, a right that is missing, no connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lab.analysis.calls.constants import SOCK_TYPE_MASK, TYPES
from lab.analysis.calls.options import SO_BROADCAST
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.sockets.facts import takes
from lab.analysis.tcp.state import State
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation

_INET = ("AF_INET", "AF_INET6")
_SENDS = ("sendto", "sendmsg", "write", "writev")
_MOVES = (*_SENDS, "recvfrom", "recvmsg", "read", "readv", "shutdown")
_GOES_ON = ("", "EINPROGRESS", "EINTR")
"""With these connect(2) has connected, or goes on with it."""
_GONE = (State.CLOSED, State.LISTEN)
_PRIVILEGED = 1024
_BIND_LOW, _RAW = "CAP_NET_BIND_SERVICE", "CAP_NET_RAW"


def failed_calls(facts: StepFacts) -> Iterator[Cause]:
    """The causes of a step's failed calls on TCP, UDP, raw and packet sockets."""
    for call in facts.timeline.system_calls:
        explain = _WHY.get((call.name, call.error)) if call.error else None
        if explain is not None and (cause := explain(facts, call)) is not None:
            yield cause


def _in_use(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EADDRINUSE: the socket, or what is left of a connection, that has the port."""
    wanted, socket = _address(call), facts.timeline.endpoint_of.get(call.socket)
    if wanted is None or socket is None or socket.domain not in _INET:
        return None
    for other in facts.sockets(call.host, socket.protocol):
        if other.id != socket.id and (cause := _has_it(facts, call, wanted, other)) is not None:
            return cause
    for talk in facts.timeline.conversations if socket.protocol == "tcp" else ():
        state = _state_at(facts, talk, call.host, wanted.port, call.entry_ns)
        if state is None or state in _GONE:
            continue
        last = talk.segments[-1]
        since = ms(call.entry_ns - facts.departure_ns(last))
        return Cause(
            "address-in-use",
            f"{named(call)} fails with EADDRINUSE: {talk.flow.id} is in its way. This side of that "
            f"connection is in {state.value}, {since} after its last segment "
            f"({facts.crossing(last).id}), and has port {wanted.port}. With SO_REUSEADDR on the "
            "sockets of both it would not be.",
            call.program,
            known_ids(call, facts.crossing(last).id),
            "socket(7), SO_REUSEADDR; RFC 9293, 3.6.1",
            Surprise.ELSEWHERE,
        )
    return None


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
) -> State | None:
    """The state of the side with that port on that host, if the last segment was before a time."""
    if talk.flow.crossings[-1].time_ns > time_ns:
        return None
    for is_client in (True, False):
        if facts.host_of(talk, is_client) == host and facts.place_of(talk, is_client).port == port:
            return talk.client_state if is_client else talk.server_state
    return None


def _not_here(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EADDRNOTAVAIL: no interface of the host has the address. Source: bind(2)."""
    wanted = _address(call)
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


def _low_port(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EACCES to a port below 1024. Source: ip(7), EACCES; capabilities(7)."""
    wanted, who = _address(call), facts.timeline.recording.ran_as
    if wanted is None or wanted.port >= _PRIVILEGED or who is None or _BIND_LOW in who.capabilities:
        return None
    return Cause(
        "port-needs-right",
        f"{named(call)} fails with EACCES: port {wanted.port} is below {_PRIVILEGED}, which takes "
        f"{_BIND_LOW}, and {call.program} has it not.",
        call.program,
        (call.id,),
        "ip(7), EACCES; capabilities(7)",
        Surprise.SAID,
    )


def _no_broadcast(facts: StepFacts, call: SystemCall) -> Cause | None:
    """A send with EACCES to a broadcast address. Source: socket(7), SO_BROADCAST."""
    target = _address(call)
    socket = facts.timeline.endpoint_of.get(call.socket)
    if target is None or socket is None or target.address.version != 4:
        return None
    networks = [
        each.network
        for seen in facts.timeline.recording.interfaces
        for each in seen.addresses
        if seen.host == call.host and each.version == 4
    ]
    is_broadcast = str(target.address) == "255.255.255.255" or any(
        target.address == network.broadcast_address for network in networks
    )
    asked = facts.option_call(socket, SO_BROADCAST, call.entry_ns)
    allowed = asked is not None and asked.option_value != 0
    if not is_broadcast or allowed:
        return None
    return Cause(
        "broadcast-not-asked-for",
        f"{named(call)} fails with EACCES: {target.address} is a broadcast address, and "
        f"SO_BROADCAST is not set on the socket.",
        call.program,
        (call.id,),
        "socket(7), SO_BROADCAST; ip(7), EACCES",
        Surprise.HIDDEN,
    )


def _no_raw(facts: StepFacts, call: SystemCall) -> Cause | None:
    """socket(2) with EPERM for a raw or a packet socket. Source: raw(7); packet(7)."""
    domain, kind = (call.argument(name) for name in ("domain", "type"))
    who = facts.timeline.recording.ran_as
    if domain is None or kind is None or (who is not None and _RAW in who.capabilities):
        return None
    name = TYPES.get(kind.number & SOCK_TYPE_MASK, kind.text)
    is_raw = domain.text in _INET and name == "SOCK_RAW"
    if not is_raw and domain.text != "AF_PACKET":
        return None
    return Cause(
        "socket-needs-right",
        f"{named(call)} fails with EPERM: a socket of {domain.text} and "
        f"{name} takes {_RAW}, and {call.program} has it not.",
        call.program,
        (call.id,),
        "raw(7); packet(7); capabilities(7)",
        Surprise.SAID,
    )


def _not_connected(facts: StepFacts, call: SystemCall) -> Cause | None:
    """ENOTCONN, or EPIPE of a stream that never was connected. Source: send(2); recv(2)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.protocol != "tcp" or socket.listener:
        return None
    begun = (
        each
        for each in facts.evidence.calls.on(socket.id)
        if each.name == "connect" and each.entry_ns < call.entry_ns
    )
    if any(each.error in _GOES_ON for each in begun):
        return None
    what = (
        "the socket listens: data goes over what accept() returns"
        if facts.listen_call(socket) is not None
        else "connect() had not been called on the socket, or had not succeeded"
    )
    return Cause(
        "not-connected",
        f"{named(call)} fails with {call.error}: {what}.",
        call.program,
        known_ids(call, facts.listen_call(socket)),
        "send(2), ENOTCONN; recv(2), ENOTCONN",
        Surprise.HIDDEN if call.error == "EPIPE" else Surprise.SAID,
    )


def _own_shutdown(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EPIPE since the program itself has ended the sending. Source: shutdown(2); send(2)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.protocol != "tcp":
        return None
    for each in facts.calls_on(socket, "shutdown"):
        if each.entry_ns < call.entry_ns and each.number("how") in (1, 2):
            return Cause(
                "sending-was-ended",
                f"{named(call)} fails with EPIPE: {named(each)} had ended the sending on this "
                "socket.",
                call.program,
                known_ids(each, call),
                "shutdown(2); send(2), EPIPE",
                Surprise.HIDDEN,
            )
    return None


def _broken_pipe(facts: StepFacts, call: SystemCall) -> Cause | None:
    return _own_shutdown(facts, call) or _not_connected(facts, call)


def _already(facts: StepFacts, call: SystemCall) -> Cause | None:
    """connect(2) with EISCONN: it is connected already. Source: connect(2)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.protocol != "tcp":
        return None
    before = [
        each
        for each in facts.evidence.calls.on(socket.id)
        if each.name == "connect" and each.entry_ns < call.entry_ns
    ]
    # A program that asks again until EISCONN asks how its EINPROGRESS ended.
    if not before or before[0].error:
        return None
    return Cause(
        "already-connected",
        f"{named(call)} fails with EISCONN: {named(before[0])} had connected this socket to "
        f"{socket.remote or 'its peer'}; a new connection needs a new socket.",
        call.program,
        known_ids(before[0], call),
        "connect(2), EISCONN",
        Surprise.SAID,
    )


def _address(call: SystemCall) -> SocketAddress | None:
    """The IP address and port that a call names."""
    for argument in call.arguments:
        if isinstance(argument.address, SocketAddress):
            return argument.address
    return None


_Why = Callable[[StepFacts, "SystemCall"], Cause | None]
_WHY: dict[tuple[str, str], _Why] = {
    ("bind", "EADDRINUSE"): _in_use,
    ("bind", "EADDRNOTAVAIL"): _not_here,
    ("bind", "EACCES"): _low_port,
    ("socket", "EPERM"): _no_raw,
    ("connect", "EACCES"): _no_broadcast,
    ("connect", "EISCONN"): _already,
    **{(name, "EACCES"): _no_broadcast for name in ("sendto", "sendmsg")},
    **{(name, "EPIPE"): _broken_pipe for name in _SENDS},
    **{(name, "ENOTCONN"): _not_connected for name in _MOVES},
}
