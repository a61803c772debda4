"""Why a call was not permitted: a right that is missing, or SO_BROADCAST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.constants import SOCK_TYPE_MASK, TYPES
from lab.analysis.calls.options import SO_BROADCAST
from lab.analysis.causes.calls.why import INET, ip_address_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, named
from lab.linux.sysctl import sysctl_numbers

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why

_PRIVILEGED = 1024
_PING_GROUPS = "net.ipv4.ping_group_range"
_PINGS = ((2, 1), (2, 58))
"""SOCK_DGRAM of IPPROTO_ICMP and of IPPROTO_ICMPV6."""
_BIND_LOW, _RAW = "CAP_NET_BIND_SERVICE", "CAP_NET_RAW"


def _low_port(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EACCES to a port below 1024. Source: ip(7), EACCES; capabilities(7)."""
    wanted, who = ip_address_of(call), facts.timeline.recording.ran_as
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
    target = ip_address_of(call)
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
    is_raw = domain.text in INET and name == "SOCK_RAW"
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


def _no_ping(facts: StepFacts, call: SystemCall) -> Cause | None:
    """socket(2) with EACCES for a datagram socket of ICMP. Source: icmp(7), ping_group_range."""
    domain, kind, protocol = (call.argument(name) for name in ("domain", "type", "protocol"))
    if domain is None or kind is None or protocol is None or domain.text not in INET:
        return None
    if (kind.number & SOCK_TYPE_MASK, protocol.number) not in _PINGS:
        return None
    if _gets_raw(facts, call):
        return None
    set_to = facts.timeline.sysctl(call.host, _PING_GROUPS)
    what = f" ({' to '.join(map(str, sysctl_numbers(set_to)))})" if set_to is not None else ""
    return Cause(
        "ping-needs-group",
        f"{named(call)} fails with EACCES: a datagram socket of {protocol.text} is for groups in "
        f"{_PING_GROUPS}{what}, and {call.program} is in none of them. A raw socket takes {_RAW}.",
        call.program,
        (call.id,),
        "icmp(7), ping_group_range",
        Surprise.HIDDEN,
    )


def _gets_raw(facts: StepFacts, refused: SystemCall) -> bool:
    """Whether the next socket of its program is a raw one of the same protocol: so ping(8) does."""
    for each in facts.timeline.system_calls:
        is_next = each.program == refused.program and each.entry_ns > refused.entry_ns
        if is_next and each.name == "socket":
            kind = each.number("type")
            return (
                not each.error
                and kind is not None
                and TYPES.get(kind & SOCK_TYPE_MASK) == "SOCK_RAW"
                and all(
                    each.number(name) == refused.number(name) for name in ("domain", "protocol")
                )
            )
    return False


WHY: dict[tuple[str, str], Why] = {
    ("bind", "EACCES"): _low_port,
    ("socket", "EPERM"): _no_raw,
    ("socket", "EACCES"): _no_ping,
    ("connect", "EACCES"): _no_broadcast,
    **{(name, "EACCES"): _no_broadcast for name in ("sendto", "sendmsg")},
}
