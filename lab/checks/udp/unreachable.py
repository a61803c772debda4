"""Checks of a datagram that nobody listens for: what comes back, and which socket learns of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import READ_CALLS, sends_of
from lab.analysis.packets.packet import IPv4, IPv6, Payload, Udp
from lab.analysis.story import PORT_UNREACHABLE
from lab.checks.udp.datagrams import crossing_ids, datagrams_of, find_strangers
from lab.model.claim import Verdict, broken, claim, holds, undecided

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.timeline import Timeline

"""Version, type, code. Source: RFC 792; RFC 4443, 3.1."""


@claim(
    "Where nobody listens, ICMP port unreachable comes back and quotes the datagram.",
    source="RFC 1122, 4.1.3.1; RFC 792; RFC 4443, 3.1",
    statements=("I4",),
    name="unreachable",
)
def answers_port_unreachable(timeline: Timeline) -> Verdict:
    """For each datagram an error that quotes it, and no other frame."""
    datagrams = datagrams_of(timeline)
    if not datagrams:
        return broken("no datagram was seen")
    errors: list[Crossing] = []
    for datagram in datagrams:
        error = _error_about(timeline, datagram, errors)
        if error is None:
            why = f"no port unreachable came back that quotes {datagram.id}"
            return broken(why, crossing_ids([datagram]))
        errors.append(error)
    if stranger := find_strangers(timeline, [*datagrams, *errors]):
        return stranger
    icmp = errors[0].packet.icmp
    assert icmp is not None, "errors are found by it"
    protocol = "ICMP" if icmp.version == 4 else "ICMPv6"
    quotes = [f"{e.id} quotes {d.id}" for d, e in zip(datagrams, errors, strict=True)]
    return holds(
        f"{protocol} type {icmp.type}, code {icmp.code}: {', '.join(quotes)}",
        crossing_ids([*datagrams, *errors]),
    )


@claim(
    "Only a connected socket learns of it, by ECONNREFUSED; an unconnected one never is.",
    source="udp(7), ERRORS; connect(2)",
    statements=("I4",),
    name="refused",
)
def reports_to_only_the_connected_socket(timeline: Timeline) -> Verdict:
    """ECONNREFUSED on the connected one; no error on the other, which is asked afterwards."""
    calls = [call for printed in timeline.calls.values() for call in printed]
    connections = [call for call in calls if call.name == "connect" and not call.result]
    sends = sends_of(calls)
    to_others = [call for call in sends if not _is_on(call, connections)]
    to_peer = [call for call in sends if _is_on(call, connections)]
    if not to_others or not to_peer:
        return undecided("the programs printed no sends on both kinds of socket")
    evidence = [call.id for call in sends]
    refused = next((c for c in calls if c.error == "ECONNREFUSED" and _is_on(c, to_peer)), None)
    if refused is None:
        return broken("no call on the connected socket failed with ECONNREFUSED", evidence)
    asked = [call for call in calls if _asks_for_errors(call) and _is_on(call, to_others)]
    evidence += [refused.id, *(call.id for call in asked)]
    if answer := next(filter(_is_answer, asked), None):
        return broken(f"the unconnected socket learnt of it, by {answer.id}", evidence)
    errors = [_error_of(timeline, call) for call in (*to_others, *to_peer)]
    arrived = [error for error in errors if error is not None]
    evidence += crossing_ids(arrived)
    if len(arrived) < len(errors):
        return broken("not every datagram brought a port unreachable back", evidence)
    before = arrived[: len(to_others)]
    is_late = max(e.time_ns for e in before) > arrived[-1].time_ns
    if not asked or asked[0].number < refused.number or is_late:
        return undecided("the unconnected socket was not asked once its error was there", evidence)
    return holds(
        f"{refused.id} fails with ECONNREFUSED; the unconnected socket, whose error came before, "
        "has SO_ERROR 0 and nothing to read",
        evidence,
    )


def _error_about(
    timeline: Timeline, datagram: Crossing, taken: Sequence[Crossing] = ()
) -> Crossing | None:
    """The port unreachable that came back for a datagram, none of those that are `taken`."""
    for crossing in timeline.crossings:
        back = (crossing.sender, crossing.receiver) == (datagram.receiver, datagram.sender)
        after = crossing.number > datagram.number and not crossing.lost
        if back and after and crossing not in taken and _quotes(crossing, datagram):
            return crossing
    return None


def _quotes(error: Crossing, datagram: Crossing) -> bool:
    """Whether it is a port unreachable that quotes the datagram's headers, and its payload."""
    icmp, ip, udp = error.arrived.icmp, datagram.packet.ip, datagram.packet.udp
    if icmp is None or (icmp.version, icmp.type, icmp.code) not in PORT_UNREACHABLE:
        return False
    payload = b""
    same_ip = same_udp = False
    for layer in icmp.quoted:
        match layer:
            case IPv4() | IPv6() if ip is not None:
                same_ip = (layer.source, layer.destination) == (ip.source, ip.destination)
            case Udp() if udp is not None:
                same_udp = (layer.source_port, layer.destination_port, layer.length) == (
                    udp.source_port,
                    udp.destination_port,
                    udp.length,
                )
            case Payload(data=data):
                payload = data
    return same_ip and same_udp and datagram.packet.payload.startswith(payload)


def _error_of(timeline: Timeline, send: PrintedCall) -> Crossing | None:
    """The port unreachable that came back for what a call sent."""
    for datagram in datagrams_of(timeline):
        if datagram.packet.payload == send.data:
            return _error_about(timeline, datagram)
    return None


def _is_on(call: PrintedCall, others: list[PrintedCall]) -> bool:
    """Whether it was made on one of the sockets that those others were made on."""
    return call.arguments[:1] in [other.arguments[:1] for other in others]


def _asks_for_errors(call: PrintedCall) -> bool:
    return call.name in READ_CALLS or "SO_ERROR" in call.arguments


def _is_answer(call: PrintedCall) -> bool:
    """Whether it returned an error, or gave anything to read."""
    if call.name in READ_CALLS:
        return call.error != "EAGAIN"
    return [0] not in call.arguments
