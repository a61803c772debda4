"""Why nobody was reached: no route, no answer to who has an address, or a router that said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.calls.why import MOVES, ip_address_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.neighbours import unanswered
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.model.address import SocketAddress
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why


def _unreachable(facts: StepFacts, call: SystemCall) -> Cause | None:
    """ENETUNREACH or EHOSTUNREACH. Source: connect(2); RFC 1122, 3.2.2.1."""
    return _told(facts, call) or _no_neighbour(facts, call) or _no_route(facts, call)


def _wanted(facts: StepFacts, call: SystemCall) -> SocketAddress | None:
    """The address that the call, or the socket, is about."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    remote = None if socket is None else socket.remote
    return ip_address_of(call) or (remote if isinstance(remote, SocketAddress) else None)


def _told(facts: StepFacts, call: SystemCall) -> Cause | None:
    """An ICMP error of another host says so."""
    refusal = next((each for each in facts.correlation.refusals if each.call == call.id), None)
    error = None if refusal is None else facts.timeline.crossing_of[refusal.frame.number]
    if error is None or error.sender == call.host:
        return None
    asked = unanswered(facts, error.sender, 0, error.time_ns)
    why = ""
    if asked:
        why = (
            f" Nobody had answered {error.sender}, which asked who has {asked[0].target} "
            f"({asked[0].frame})."
        )
    return Cause(
        "unreachable-by-icmp",
        f"{named(call)} fails with {call.error} by the ICMP error ({error.id}) of {error.sender}: "
        f"what was sent got no further than there.{why}",
        call.program,
        known_ids(call, error.id, asked[0].frame if asked else None),
        "RFC 1122, 3.2.2.1; icmp(7)",
        Surprise.ELSEWHERE,
    )


def _no_neighbour(facts: StepFacts, call: SystemCall) -> Cause | None:
    """Nobody on the link has the address. Source: arp(7); RFC 826; RFC 4861, 7.2."""
    wanted = _wanted(facts, call)
    if call.error != "EHOSTUNREACH" or call.exit_ns is None:
        return None
    asked = unanswered(facts, call.host, 0, call.exit_ns)
    same = [each for each in asked if wanted is not None and each.target == wanted.address]
    asked = same or asked
    if not asked:
        return None
    target, first = asked[0].target, asked[0].frame
    times = counted(len([each for each in asked if each.target == target]), "time")
    what = "" if wanted is None or target == wanted.address else f", its way to {wanted.address}"
    return Cause(
        "no-neighbour",
        f"{named(call)} fails with {call.error}: nobody on the link answers who has "
        f"{target}{what}. {call.host} asked {times} (from {first} on), and nothing else left.",
        call.program,
        known_ids(call, *[each.frame for each in asked if each.target == target]),
        "arp(7); RFC 826" if target.version == 4 else "RFC 4861, 7.2.2",
        Surprise.HIDDEN,
    )


def _no_route(facts: StepFacts, call: SystemCall) -> Cause | None:
    """The host knows no way to the address. Source: connect(2), ENETUNREACH; ip-route(8)."""
    wanted = _wanted(facts, call)
    if call.error != "ENETUNREACH" or wanted is None or call.name not in ("connect", *MOVES):
        return None
    own = [
        address
        for seen in facts.timeline.recording.interfaces
        if seen.host == call.host
        for address in seen.addresses
    ]
    near = [each for each in own if each.version == wanted.address.version]
    if any(wanted.address in each.network for each in near) or _tries_on(facts, call, wanted):
        return None
    networks = [str(each.network) for each in near if not each.is_loopback]
    if wanted.address.is_multicast:
        more = " A socket may name the interface by IP_MULTICAST_IF or IPV6_MULTICAST_IF."
    elif not near:
        more = f" It has no address of IPv{wanted.address.version}."
    else:
        more = f" It is in {', '.join(networks) or 'no network'}, and has no route beyond that."
    return Cause(
        "no-route",
        f"{named(call)} fails with ENETUNREACH at once, and nothing leaves: {call.host} has no "
        f"route to {wanted.address}.{more}",
        call.program,
        (call.id,),
        "connect(2), ENETUNREACH; ip-route(8)",
        Surprise.SAID,
    )


def _tries_on(facts: StepFacts, call: SystemCall, wanted: SocketAddress) -> bool:
    """Whether it only asks which way there is, or tries one address of several.

    The C library connects UDP sockets to port 0 to put addresses in order (RFC 6724, 6).
    """
    if call.name != "connect":
        return False
    return not wanted.port or any(
        each.name == "connect" and not each.error and _port(each) == wanted.port
        for each in facts.timeline.system_calls
        if each.program == call.program and each.entry_ns > call.entry_ns
    )


def _port(call: SystemCall) -> int | None:
    address = ip_address_of(call)
    return None if address is None else address.port


WHY: dict[tuple[str, str], Why] = {
    (name, error): _unreachable
    for name in ("connect", "getsockopt", *MOVES)
    for error in ("EHOSTUNREACH", "ENETUNREACH")
}
