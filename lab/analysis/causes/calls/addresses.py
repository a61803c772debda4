"""Why an address or a socket was not of the kind that the call takes. Source: ip(7); ipv6(7)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from lab.analysis.calls.address import AF_INET, AF_INET6, AF_UNIX
from lab.analysis.calls.constants import DOMAINS, SOCK_TYPE_MASK, TYPES
from lab.analysis.calls.options import IP_ADD_MEMBERSHIP, IPV6_ADD_MEMBERSHIP
from lab.analysis.causes.calls.why import INET, ip_address_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import Argument, SystemCall
    from lab.analysis.causes.calls.why import Why

_NAMES = ("connect", "bind", "sendto")
_LENGTHS = {AF_INET: 16, AF_INET6: 28}
"""Of a struct sockaddr_in and a struct sockaddr_in6."""
_FAMILIES = {"AF_INET": AF_INET, "AF_INET6": AF_INET6, "AF_UNIX": AF_UNIX}


def _argument(call: SystemCall) -> Argument | None:
    """Its socket address."""
    return next((each for each in call.arguments if each.family is not None), None)


def _another_family(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EAFNOSUPPORT, or EINVAL as IPv4's address is too short for an IPv6 socket."""
    socket, given = facts.timeline.endpoint_of.get(call.socket), _argument(call)
    if socket is None or given is None or given.family is None or socket.domain not in _FAMILIES:
        return None
    if given.family == _FAMILIES[socket.domain]:
        return None
    family = DOMAINS.get(given.family, str(given.family))
    more = ""
    if (socket.domain, given.family) == ("AF_INET6", AF_INET):
        more = " IPv4's addresses are mapped there: ::ffff:198.51.100.2."
    return Cause(
        "address-of-another-family",
        f"{named(call)} fails with {call.error}: the address is one of {family}, and the socket "
        f"({socket.made_by}) one of {socket.domain}.{more}",
        call.program,
        known_ids(call, socket.made_by),
        "connect(2), EAFNOSUPPORT; ipv6(7)",
        Surprise.HIDDEN,
    )


def _no_scope(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EINVAL: an address of every link, and no interface named. Source: ipv6(7); RFC 4007, 6."""
    given = _argument(call)
    wanted = ip_address_of(call)
    value = None if given is None else given.value
    if wanted is None or value is None or not isinstance(wanted.address, IPv6Address):
        return None
    if not wanted.address.is_link_local or any(value[24:28]):
        return None
    return Cause(
        "scope-missing",
        f"{named(call)} fails with EINVAL: {wanted.address} is a link-local address, which each "
        "link has of its own, and sin6_scope_id names no interface "
        f"({wanted.address}%eth0 does).",
        call.program,
        (call.id,),
        "ipv6(7), sin6_scope_id; RFC 4007, 6",
        Surprise.HIDDEN,
    )


def _bound_already(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EINVAL: the socket has an address. Source: bind(2), EINVAL."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None:
        return None
    before = [
        each
        for each in facts.calls_on(socket, "bind", "connect", "listen")
        if each.entry_ns < call.entry_ns
    ]
    if not before:
        return None
    return Cause(
        "bound-already",
        f"{named(call)} fails with EINVAL: {named(before[0])} had given this socket its address.",
        call.program,
        known_ids(call, before[0]),
        "bind(2), EINVAL",
        Surprise.HIDDEN,
    )


def _too_short(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EINVAL: addrlen is shorter than the address. Source: ip(7), EINVAL."""
    socket, length = facts.timeline.endpoint_of.get(call.socket), call.number("addrlen")
    family = None if socket is None else _FAMILIES.get(socket.domain)
    if socket is None or family not in _LENGTHS or length is None or length >= _LENGTHS[family]:
        return None
    return Cause(
        "address-too-short",
        f"{named(call)} fails with EINVAL: addrlen is {length}, and an address of {socket.domain} "
        f"has {_LENGTHS[family]} bytes.",
        call.program,
        (call.id,),
        "ip(7), EINVAL; bind(2)",
        Surprise.HIDDEN,
    )


def _from_loopback(facts: StepFacts, call: SystemCall) -> Cause | None:
    """connect(2) with EINVAL of a socket bound to 127.0.0.1, to another host. Source: ip(7)."""
    socket, wanted = facts.timeline.endpoint_of.get(call.socket), ip_address_of(call)
    bind = None if socket is None else next(facts.calls_on(socket, "bind"), None)
    own = None if bind is None else ip_address_of(bind)
    if bind is None or own is None or wanted is None or not isinstance(own.address, IPv4Address):
        return None
    if not own.address.is_loopback or wanted.address.is_loopback:
        return None
    return Cause(
        "bound-to-loopback",
        f"{named(call)} fails with EINVAL: {named(bind)} bound the socket to {own.address}, from "
        f"which nothing reaches another host, and {wanted.address} is no address of this one.",
        call.program,
        known_ids(call, bind),
        "ip(7); RFC 1122, 3.2.1.3",
        Surprise.HIDDEN,
    )


def _invalid(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EINVAL of a call that names an address."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.domain not in INET:
        return None
    bound = _bound_already(facts, call) if call.name == "bind" else None
    return (
        bound
        or _another_family(facts, call)
        or _too_short(facts, call)
        or _no_scope(facts, call)
        or _from_loopback(facts, call)
    )


def _not_listening(facts: StepFacts, call: SystemCall) -> Cause | None:
    """accept(2) with EINVAL: listen(2) had not been called. Source: accept(2), EINVAL."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None:
        return None
    listen = facts.listen_call(socket)
    if listen is not None and listen.entry_ns < call.entry_ns:
        return None
    return Cause(
        "not-listening",
        f"{named(call)} fails with EINVAL: listen() had not been called on the socket.",
        call.program,
        known_ids(call, listen),
        "accept(2), EINVAL",
        Surprise.HIDDEN,
    )


def _not_of_this_type(facts: StepFacts, call: SystemCall) -> Cause | None:
    """listen(2) or accept(2) with EOPNOTSUPP: not a stream. Source: listen(2), EOPNOTSUPP."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.type in ("SOCK_STREAM", "SOCK_SEQPACKET"):
        return None
    return Cause(
        "no-connections",
        f"{named(call)} fails with EOPNOTSUPP: the socket is a {socket.type} ({socket.made_by}), "
        "which has no connections to wait for. It receives without that.",
        call.program,
        known_ids(call, socket.made_by),
        "listen(2), EOPNOTSUPP; accept(2), EOPNOTSUPP",
        Surprise.HIDDEN,
    )


def _no_such_protocol(_: StepFacts, call: SystemCall) -> Cause | None:
    """socket(2) with EPROTONOSUPPORT: type and protocol do not go together. Source: socket(2)."""
    kind, protocol = call.argument("type"), call.argument("protocol")
    if kind is None or protocol is None or not protocol.number:
        return None
    name = TYPES.get(kind.number & SOCK_TYPE_MASK, kind.text)
    return Cause(
        "type-and-protocol",
        f"{named(call)} fails with {call.error}: a {name} cannot be of {protocol.text}. 0 takes "
        "the protocol that goes with the type.",
        call.program,
        (call.id,),
        "socket(2), EPROTONOSUPPORT; ip(7)",
        Surprise.HIDDEN,
    )


def _no_interface(facts: StepFacts, call: SystemCall) -> Cause | None:
    """Joining a group with ENODEV: no interface. Source: ip(7), IP_ADD_MEMBERSHIP."""
    given = call.argument("optval")
    value = b"" if given is None or given.value is None else given.value
    if call.option == IP_ADD_MEMBERSHIP and len(value) >= 8:
        group, on = str(IPv4Address(value[:4])), IPv4Address(value[4:8])
        named_on = "" if on.is_unspecified and not any(value[8:12]) else f" on {on}"
    elif call.option == IPV6_ADD_MEMBERSHIP and len(value) >= 20:
        group = str(IPv6Address(value[:16]))
        index = int.from_bytes(value[16:20], "little")
        named_on = f" on the interface {index}" if index else ""
    else:
        return None
    what = f"and {call.host} has no such interface"
    if not named_on:
        what = f"names no interface for that, and {call.host} has no route to it that would"
    return Cause(
        "group-without-interface",
        f"{named(call)} fails with ENODEV: it is to join {group}{named_on}, {what}.",
        call.program,
        (call.id,),
        "ip(7), IP_ADD_MEMBERSHIP",
        Surprise.HIDDEN,
    )


WHY: dict[tuple[str, str], Why] = {
    **{(name, "EINVAL"): _invalid for name in _NAMES},
    **{(name, "EAFNOSUPPORT"): _another_family for name in _NAMES},
    **{(name, "EINVAL"): _not_listening for name in ("accept", "accept4")},
    **{(name, "EOPNOTSUPP"): _not_of_this_type for name in ("listen", "accept", "accept4")},
    ("socket", "EPROTONOSUPPORT"): _no_such_protocol,
    ("setsockopt", "ENODEV"): _no_interface,
}
