"""Why no port of its own was left for a socket. Source: ip(7), ip_local_port_range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.calls.why import INET, ip_address_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.linux.sysctl import sysctl_numbers
from lab.model.address import SocketAddress
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why

_RANGE = "net.ipv4.ip_local_port_range"
_LIKELY = 10_000
"""With fewer, of an unknown range, something else is as likely."""


def _none_left(facts: StepFacts, call: SystemCall) -> Cause | None:
    """connect(2) with EADDRNOTAVAIL, or bind(2) to port 0 with EADDRINUSE."""
    socket, wanted = facts.timeline.endpoint_of.get(call.socket), ip_address_of(call)
    if socket is None or wanted is None or socket.domain not in INET:
        return None
    if call.name == "bind" and wanted.port:
        return None
    set_to = facts.timeline.sysctl(call.host, _RANGE)
    bounds = None if set_to is None else sysctl_numbers(set_to)
    used: dict[int, SystemCall] = {}
    for other in facts.sockets(call.host, socket.protocol):
        local, made = other.local, facts.timeline.call_of[other.made_by]
        if other.id == socket.id or other.listener or not isinstance(local, SocketAddress):
            continue
        is_same = call.name == "bind" or other.remote == wanted
        if is_same and made.entry_ns < call.entry_ns:
            used[local.port] = made
    for talk in facts.timeline.conversations if call.name == "connect" else ():
        place = facts.place_of(talk, True)
        if facts.host_of(talk, True) == call.host and facts.place_of(talk, False) == wanted:
            made_ns = talk.flow.crossings[0].time_ns
            if made_ns < call.entry_ns:
                used.setdefault(place.port, call)
    if bounds is None or len(bounds) != 2:
        return _likely(call, wanted, len(used))
    own = sorted(port for port in used if bounds[0] <= port <= bounds[1])
    total = bounds[1] - bounds[0] + 1
    # Of an odd number of ports but one the kernel leaves one out (inet_csk_find_open_port, 6.18).
    if not own or len(own) < max(total // 2 * 2, 1):
        return None
    first = used[own[0]]
    return Cause(
        "no-port-left",
        f"{named(call)} fails with {call.error}: {_told(call, wanted)} {_RANGE} is "
        f"{bounds[0]} to {bounds[1]}, and {call.host} uses {counted(len(own), 'port')} of that "
        "already, those of connections in TIME-WAIT with them.",
        call.program,
        known_ids(call, None if first is call else first),
        "ip(7), ip_local_port_range; connect(2), EADDRNOTAVAIL",
        Surprise.HIDDEN,
    )


def _told(call: SystemCall, wanted: SocketAddress) -> str:
    if call.name == "bind":
        return "no port is left that the kernel could choose."
    return f"the kernel has no port left for one more connection to {wanted}."


def _likely(call: SystemCall, wanted: SocketAddress, used: int) -> Cause | None:
    """Where the range is unknown."""
    if used < _LIKELY:
        return None
    return Cause(
        "no-port-left",
        f"{named(call)} fails with {call.error}: {_told(call, wanted)} {call.host} uses "
        f"{counted(used, 'port')} already.",
        call.program,
        (call.id,),
        "ip(7), ip_local_port_range; connect(2), EADDRNOTAVAIL",
        Surprise.HIDDEN,
        decided_by=f"{_RANGE} on {call.host}",
    )


def _no_source(facts: StepFacts, call: SystemCall) -> Cause | None:
    """connect(2) with EADDRNOTAVAIL: the host has no address of that version to come from."""
    wanted = ip_address_of(call)
    if wanted is None:
        return None
    version = wanted.address.version
    own = {
        address.version
        for seen in facts.timeline.recording.interfaces
        if seen.host == call.host
        for address in seen.addresses
    }
    if version in own:
        return None
    return Cause(
        "no-source-address",
        f"{named(call)} fails with EADDRNOTAVAIL: {call.host} has no address of IPv{version} from "
        f"which it could reach {wanted.address}.",
        call.program,
        (call.id,),
        "connect(2), EADDRNOTAVAIL; RFC 6724",
        Surprise.HIDDEN,
    )


WHY: dict[tuple[str, str], Why] = {
    ("connect", "EADDRNOTAVAIL"): lambda facts, call: (
        _no_source(facts, call) or _none_left(facts, call)
    ),
    ("bind", "EADDRINUSE"): _none_left,
}
