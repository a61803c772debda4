"""What ENOBUFS means of a call: which room was used up. Source: send(2); udp(7); netlink(7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.options import (
    IP_ADD_MEMBERSHIP,
    IP_DROP_MEMBERSHIP,
    IP_RECVERR,
    IPV6_RECVERR,
)
from lab.analysis.causes.calls.why import INET, SENDS
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.sockets.socket_calls import room_of
from lab.linux.sysctl import sysctl_numbers
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why
    from lab.analysis.sockets.endpoint import Endpoint

_QUEUES = frozenset(
    {
        *("QDISC_DROP", "QDISC_OVERLIMIT", "QDISC_CONGESTED", "CAKE_FLOOD"),
        *("FQ_BAND_LIMIT", "FQ_FLOW_LIMIT"),
    }
)
"""The reasons of queues that had no room. Source: Linux, include/net/dropreason-core.h."""
_ONE_FRAME_BYTES = 1200
"""A datagram of so many is in no fragments, whose own room, SO_SNDBUF's, gives ENOBUFS too."""
_HEADERS = (28, 48)
"""What UDP and IPv4, or IPv6, put before a datagram's bytes."""
_COUNTERS = ("UdpSndbufErrors", "Udp6SndbufErrors", "IpOutDiscards", "Ip6OutDiscards")
_OPTMEM, _GROUPS = "net.core.optmem_max", "net.ipv4.igmp_max_memberships"
_GROUPS_BY_DEFAULT = 20
"""In each new network namespace. Source: ip(7), igmp_max_memberships."""
_MUCH_BYTES = 20_480
"""The default of optmem_max on x86-64 before Linux 6.7, and less than that since."""


def _no_room(facts: StepFacts, call: SystemCall) -> Cause | None:
    """A send with ENOBUFS: its queue, or the memory for its control messages."""
    return _queue_full(facts, call) or _control_too_long(facts, call) or _queue_likely(facts, call)


def _queue_full(facts: StepFacts, call: SystemCall) -> Cause | None:
    """The device's queue threw it away. Source: send(2), ENOBUFS; ip(7), IP_RECVERR."""
    endpoint, length = facts.timeline.endpoint_of.get(call.socket), room_of(call)
    if endpoint is None or endpoint.domain not in (*INET, "AF_PACKET"):
        return None
    for notice in facts.dropped_during(call):
        is_udp = endpoint.protocol == "udp"
        is_its = not is_udp or length is None or notice.length - length in _HEADERS
        if notice.reason in _QUEUES and is_its:
            return _of_queue(facts, call, f" ({notice.reason})")
    return None


def _queue_likely(facts: StepFacts, call: SystemCall) -> Cause | None:
    """The same where the kernel's drop notices are not read."""
    endpoint, length = facts.timeline.endpoint_of.get(call.socket), room_of(call)
    is_udp = endpoint is not None and endpoint.protocol == "udp"
    if length is None or length > _ONE_FRAME_BYTES:
        return None
    if facts.drops_are_told or not is_udp or not facts.counted(call.host, *_COUNTERS):
        return None
    return _of_queue(facts, call, "", decided_by="the kernel's drop notices, which root is given")


def _of_queue(
    facts: StepFacts, call: SystemCall, reason: str, decided_by: str = ""
) -> Cause | None:
    endpoint = facts.timeline.endpoint_of.get(call.socket)
    asked = None if endpoint is None else _asked_for_errors(facts, endpoint, call)
    if endpoint is None or (endpoint.protocol == "udp" and asked is None):
        return None
    why = ""
    if asked is not None:
        why = (
            f" The call fails by that since {named(asked)} asked for errors (IP_RECVERR): without "
            "it the send would have succeeded all the same."
        )
    return Cause(
        "device-queue-full",
        f"{named(call)} fails with ENOBUFS: the queue of the interface of {call.host} had no room, "
        f"and the kernel threw the packet away{reason}, so that nothing left.{why}",
        call.program,
        known_ids(asked, call),
        "send(2), ENOBUFS; ip(7), IP_RECVERR; tc(8)",
        Surprise.ELSEWHERE,
        facts.counted(call.host, *_COUNTERS),
        decided_by=decided_by,
    )


def _asked_for_errors(facts: StepFacts, socket: Endpoint, call: SystemCall) -> SystemCall | None:
    for option in (IP_RECVERR, IPV6_RECVERR):
        found = facts.option_call(socket, option, call.entry_ns)
        if found is not None and found.option_value:
            return found
    return None


def _control_too_long(facts: StepFacts, call: SystemCall) -> Cause | None:
    """More bytes of control messages than a socket may have. Source: sendmsg(2); socket(7)."""
    message = call.argument("msg")
    length = None if message is None else message.length
    set_to = facts.timeline.sysctl(call.host, _OPTMEM)
    limits = None if set_to is None else sysctl_numbers(set_to)
    if length is None or length <= (limits[0] if limits else _MUCH_BYTES):
        return None
    most = f" of {limits[0]} bytes" if limits else ""
    return Cause(
        "control-too-long",
        f"{named(call)} fails with ENOBUFS: it is to send {length} bytes of control messages, and "
        f"{_OPTMEM}{most} lets no socket have so many.",
        call.program,
        (call.id,),
        "sendmsg(2); socket(7), optmem_max",
        Surprise.HIDDEN,
        decided_by="" if limits else f"{_OPTMEM} on {call.host}",
    )


def _too_many_groups(facts: StepFacts, call: SystemCall) -> Cause | None:
    """One group more than a socket may join. Source: ip(7), igmp_max_memberships."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or call.option != IP_ADD_MEMBERSHIP:
        return None
    set_to = facts.timeline.sysctl(call.host, _GROUPS)
    most = _GROUPS_BY_DEFAULT if set_to is None else next(iter(sysctl_numbers(set_to) or ()), None)
    before = [
        each for each in facts.calls_on(socket, "setsockopt") if each.entry_ns < call.entry_ns
    ]
    joined = [each for each in before if each.option == IP_ADD_MEMBERSHIP]
    left = [each for each in before if each.option == IP_DROP_MEMBERSHIP]
    if most is None or len(joined) - len(left) < most or not joined:
        return None
    return Cause(
        "too-many-groups",
        f"{named(call)} fails with ENOBUFS: the socket has joined {counted(most, 'group')} "
        f"({joined[0].id} to {joined[-1].id}), and {_GROUPS} allows no more. Another socket may "
        "join the next.",
        call.program,
        known_ids(joined[0], joined[-1], call),
        "ip(7), igmp_max_memberships",
        Surprise.HIDDEN,
    )


def _overrun(facts: StepFacts, call: SystemCall) -> Cause | None:
    """A read of a netlink socket with ENOBUFS: messages were lost. Source: netlink(7)."""
    socket = facts.timeline.endpoint_of.get(call.socket)
    if socket is None or socket.domain != "AF_NETLINK":
        return None
    return Cause(
        "netlink-overrun",
        f"{named(call)} fails with ENOBUFS: its receive buffer had no room for what the kernel "
        "wrote to the netlink socket, and that is lost. What the program knows from it may be out "
        "of date.",
        call.program,
        known_ids(socket.made_by, call),
        "netlink(7), ENOBUFS",
        Surprise.HIDDEN,
    )


WHY: dict[tuple[str, str], Why] = {
    **{(name, "ENOBUFS"): _no_room for name in SENDS},
    **{(name, "ENOBUFS"): _overrun for name in ("recvfrom", "recvmsg", "read", "readv")},
    ("setsockopt", "ENOBUFS"): _too_many_groups,
}
