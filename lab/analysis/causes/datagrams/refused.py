"""Why a datagram was refused: no socket takes what comes to its address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.elsewhere import Came, Elsewhere, where_else
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.flows.flow import ends_of
from lab.analysis.sockets.icmp_errors import errno_of, is_time_exceeded

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow

_MOVES = ("sendto", "sendmsg", "write", "writev", "recvfrom", "recvmsg", "read", "readv")


def refused_datagrams(facts: StepFacts) -> Iterator[Cause]:
    """The causes of a step's ICMP errors that say that a UDP port has no socket."""
    failed = {each.frame: facts.timeline.call_of[each.call] for each in facts.correlation.refusals}
    probing = _probing_hosts(facts)
    for flow in facts.timeline.flows:
        for error in flow.errors if flow.protocol == "udp" else ():
            icmp = error.packet.icmp
            refused = _refused_by(flow, error)
            if icmp is None or errno_of(icmp) != "ECONNREFUSED" or refused is None:
                continue
            if refused.sender in probing:
                continue
            came = _came(refused, error)
            other = where_else(facts, came)
            if other.takes:
                continue
            call = failed.get(error.id)
            if call is not None:
                yield _told(facts, refused, error, call, came, other)
            else:
                yield _told_nobody(facts, refused, error, came, other)


def _probing_hosts(facts: StepFacts) -> frozenset[str]:
    """Those that got errors of datagrams whose hops were used up: they look for a path.

    To such a program the refusal is the answer that it wants. Source: traceroute(8).
    """
    return frozenset(
        error.receiver
        for flow in facts.timeline.flows
        for error in flow.errors
        if flow.protocol == "udp"
        and error.packet.icmp is not None
        and is_time_exceeded(error.packet.icmp)
    )


def _refused_by(flow: Flow, error: Crossing) -> Crossing | None:
    """The last datagram that had come to the host that says so."""
    before = [
        each
        for each in flow.crossings
        if each.receiver == error.sender
        and each.received_ns is not None
        and each.received_ns <= error.time_ns
    ]
    return before[-1] if before else None


def _came(refused: Crossing, error: Crossing) -> Came:
    ends = ends_of(refused)
    assert ends is not None, "a flow's packets have endpoints"
    return Came(error.sender, "udp", *ends, refused.time_ns, error.time_ns)


def _decided_by(facts: StepFacts, host: str) -> str:
    if facts.is_traced:
        return ""
    return f"the sockets of {host} at that time (ss -lun); a firewall may answer so too"


def _told(
    facts: StepFacts,
    refused: Crossing,
    error: Crossing,
    call: SystemCall,
    came: Came,
    other: Elsewhere,
) -> Cause:
    """A call of the sender fails by it. Source: udp(7)."""
    later = " The call itself sends and receives nothing." if call.name in _MOVES else ""
    return Cause(
        "datagram-refused",
        f"{named(call)} fails with {call.error} by the ICMP error ({error.id}) of {came.host} "
        f"about a datagram sent before ({refused.id}): no UDP socket of {came.host} takes what "
        f"comes to {came.place}.{other.text}{later}",
        call.program,
        known_ids(call, refused.id, error.id, *other.evidence),
        "udp(7); RFC 1122, 4.1.3.3",
        Surprise.ELSEWHERE if other.text else Surprise.HIDDEN,
        decided_by=_decided_by(facts, came.host),
    )


def _told_nobody(
    facts: StepFacts, refused: Crossing, error: Crossing, came: Came, other: Elsewhere
) -> Cause:
    """No call fails by it: most often since its sender's socket is not connected."""
    call = facts.sent_by.get(refused.id)
    socket = None if call is None else facts.timeline.endpoint_of.get(call.socket)
    if call is None or socket is None:
        silence = ""
    elif error.lost:
        silence = " The ICMP error never reached its sender."
    elif any(facts.calls_on(socket, "connect")):
        silence = " It waits for the next call on the socket, and there was none."
    else:
        silence = (
            f" The socket of {named(call)} is not connected, so that no call on it fails by that: "
            f"{call.program} is told nothing."
        )
    return Cause(
        "datagram-nobody",
        f"No UDP socket of {came.host} takes what comes to {came.place}: its kernel answers the "
        f"datagram ({refused.id}) with an ICMP error ({error.id}).{other.text}{silence}",
        str(came.place),
        known_ids(call, refused.id, error.id, *other.evidence),
        "RFC 1122, 4.1.3.1 and 4.1.3.3; udp(7)",
        Surprise.ELSEWHERE if other.text else Surprise.HIDDEN,
        facts.counted(came.host, "UdpNoPorts", "Udp6NoPorts"),
        decided_by=_decided_by(facts, came.host),
    )
