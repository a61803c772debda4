"""Why a datagram was too long to be sent. Source: udp(7); ip(7), IP_MTU_DISCOVER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.options import IP_MTU_DISCOVER, IPV6_DONTFRAG, IPV6_MTU_DISCOVER
from lab.analysis.causes.calls.why import SENDS, ip_address_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.packets.packet import IPv4, IPv6
from lab.analysis.sockets.socket_calls import room_of
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why
    from lab.analysis.packets.packet import IPAddress
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.model.event import EventId

_MOST = {"AF_INET": 65_507, "AF_INET6": 65_527}
"""What an IP packet's length of 16 bits leaves for a datagram's bytes: over IPv4 without its header
of 20 bytes, over IPv6 the length is that of what follows it; without UDP's 8 bytes."""
_HEADERS = {"AF_INET": 28, "AF_INET6": 48}


def _too_long(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EMSGSIZE of a send on a UDP socket. Source: send(2), EMSGSIZE; RFC 768."""
    socket, length = facts.timeline.endpoint_of.get(call.socket), room_of(call)
    if socket is None or socket.protocol != "udp" or length is None:
        return None
    if length > _MOST[socket.domain]:
        return Cause(
            "datagram-too-long",
            f"{named(call)} fails with EMSGSIZE: it is to send {length} bytes, and a datagram of "
            f"{'IPv4' if socket.domain == 'AF_INET' else 'IPv6'} has {_MOST[socket.domain]} at "
            "most.",
            call.program,
            (call.id,),
            "RFC 768; RFC 791, 3.1; udp(7)",
            Surprise.HIDDEN,
        )
    asked = facts.option_call(
        socket, IP_MTU_DISCOVER if socket.domain == "AF_INET" else IPV6_MTU_DISCOVER
    ) or facts.option_call(socket, IPV6_DONTFRAG)
    found = _mtu(facts, call, socket)
    if asked is None or found is None:
        return None
    whose, mtu_bytes, frame = found
    total = length + _HEADERS[socket.domain]
    if total <= mtu_bytes:
        return None
    return Cause(
        "packet-too-big",
        f"{named(call)} fails with EMSGSIZE: with its headers the datagram has {total} bytes, "
        f"{whose} takes {mtu_bytes}, and {named(asked)} forbids to cut it into fragments. At most "
        f"{mtu_bytes - _HEADERS[socket.domain]} bytes go so.",
        call.program,
        known_ids(call, asked, frame),
        "ip(7), IP_MTU_DISCOVER; RFC 1191" if socket.domain == "AF_INET" else "ipv6(7); RFC 8201",
        Surprise.ELSEWHERE if frame else Surprise.HIDDEN,
    )


def _mtu(
    facts: StepFacts, call: SystemCall, socket: Endpoint
) -> tuple[str, int, EventId | None] | None:
    """The MTU that the call met: whose, its bytes, and the ICMP error that said it."""
    given = ip_address_of(call) or socket.remote
    target = given.address if isinstance(given, SocketAddress) else None
    for crossing in reversed(facts.timeline.crossings):
        icmp = crossing.packet.icmp
        if icmp is None or icmp.mtu is None or crossing.receiver != call.host:
            continue
        came_ns = crossing.received_ns
        about = next((each for each in icmp.quoted if isinstance(each, IPv4 | IPv6)), None)
        if came_ns is None or came_ns > (call.exit_ns or 0) or about is None:
            continue
        if target is None or about.destination == target:
            whose = f"the path, as {crossing.sender} said ({crossing.id}),"
            return whose, icmp.mtu, crossing.id
    return None if target is None else _of_the_interface(facts, call.host, target)


def _of_the_interface(
    facts: StepFacts, host: str, target: IPAddress
) -> tuple[str, int, EventId | None] | None:
    """That of the interface in whose network the target is; of the only one, if it has only one."""
    own = [
        each
        for each in facts.timeline.recording.interfaces
        if each.host == host and not any(address.is_loopback for address in each.addresses)
    ]
    near = [each for each in own if any(target in address.network for address in each.addresses)]
    likely = near or own
    found = likely[0] if len(likely) == 1 else None
    if found is None or found.mtu_bytes is None:
        return None
    return f"the interface {found.name} of {host}", found.mtu_bytes, None


WHY: dict[tuple[str, str], Why] = {(name, "EMSGSIZE"): _too_long for name in SENDS}
