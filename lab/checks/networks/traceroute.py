"""Checks of probes whose TTL ends on their way, and of what comes back for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.packets.packet import Icmp, IPv4, IPv6, Udp, UdpStart
from lab.analysis.story import PORT_UNREACHABLE
from lab.model.claim import Verdict, broken, claim, first_of, holds, skipped, undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import Layer, Packet
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

TIME_EXCEEDED = frozenset({(4, 11, 0), (6, 3, 0)})
"""Version, type, code. Source: RFC 792; RFC 4443, 3.3."""
ECHO_REQUESTS = frozenset({(4, 8, 0), (6, 128, 0)})
ECHO_REPLIES = frozenset({(4, 0, 0), (6, 129, 0)})
_NO_PROBES = "nobody sent a packet that was to die on its way"
_HOSTS_OWN_LIFETIMES = 32
"""No host's own default is smaller (RFC 1122, 3.2.1.7: 64): what has less was made to die."""


class _Probe(NamedTuple):
    """A packet that was sent to go so many hops, and what came back for it."""

    crossing: Crossing
    hops: int
    answer: Crossing | None

    @property
    def evidence(self) -> list[EventId]:
        return [self.crossing.id, *([self.answer.id] if self.answer else [])]


@claim(
    "A packet goes as many hops as its TTL says; who counts it down to 0 answers Time Exceeded.",
    source="RFC 792; RFC 1812, 5.3.1",
    ipv6="A packet goes as many hops as its hop limit says; who counts it down to 0 answers "
    "Time Exceeded.",
    name="time-exceeded",
)
def answers_where_the_ttl_ends(timeline: Timeline) -> Verdict:
    """The nth router answers what had TTL n, and its answer quotes that packet."""
    probes = [each for each in _probes(timeline) if each.crossing.lost]
    said: list[str] = []
    evidence: list[EventId] = []
    for probe in probes:
        crossing, answer = probe.crossing, probe.answer
        if crossing.strikes:
            continue
        if answer is None:
            return broken(f"nothing came back for {crossing.id}", [crossing.id])
        last = crossing.hops[-1]
        if len(crossing.hops) != probe.hops or last.received_ns is None:
            went = f"{crossing.id} was to go {probe.hops} hops, and went {len(crossing.hops)}"
            return broken(went, probe.evidence)
        if _kind(answer.packet) not in TIME_EXCEEDED or answer.sender != last.receiver:
            return broken(
                f"{crossing.id} ended at {last.receiver}; {answer.id} of {answer.sender} is "
                "no Time Exceeded of its",
                probe.evidence,
            )
        said.append(f"{crossing.id}, {probe.hops}: {answer.sender} answers {answer.id}")
        evidence += probe.evidence
    if not said:
        return skipped(_why_none(timeline))
    return holds(first_of(said), evidence)


@claim(
    "What comes as far as the host is answered by the host: port unreachable, or an echo reply.",
    source="RFC 1122, 3.2.2.6 and 4.1.3.1; RFC 4443, 3.1 and 4.2",
    name="arrives",
)
def is_answered_by_the_host(timeline: Timeline) -> Verdict:
    """Of the first probe that arrived: some hosts limit how often they answer."""
    probe = next((each for each in _probes(timeline) if not each.crossing.lost), None)
    if probe is None:
        return skipped(_why_none(timeline))
    crossing, answer = probe.crossing, probe.answer
    if answer is None:
        return broken(f"nothing came back for {crossing.id}", [crossing.id])
    wanted = PORT_UNREACHABLE if crossing.packet.udp else ECHO_REPLIES
    if _kind(answer.packet) not in wanted or answer.sender != crossing.receiver:
        return broken(f"{answer.id} of {answer.sender} is no such answer", probe.evidence)
    how = "port unreachable" if crossing.packet.udp else "an echo reply"
    said = f"{crossing.id} came to {crossing.receiver}, which answers {how}: {answer.id}"
    return holds(said, probe.evidence)


@claim(
    "The socket's error queue has each answer: the datagram it is about, its type and its sender.",
    source="ip(7), IP_RECVERR; ipv6(7), IPV6_RECVERR",
    name="error-queue",
)
def reads_the_error_queue(timeline: Timeline) -> Verdict:
    """What recvmsg(MSG_ERRQUEUE) returned, beside the ICMP messages."""
    probes = [each for each in _probes(timeline) if each.crossing.packet.udp is not None]
    reads = [
        call for printed in timeline.calls.values() for call in printed
        if call.name == "recvmsg" and "MSG_ERRQUEUE" in call.arguments
    ]  # fmt: skip
    if not reads:
        return undecided("no program printed what it read of an error queue")
    evidence: list[EventId] = []
    said: list[str] = []
    for call in reads:
        probe = next((each for each in probes if each.crossing.packet.payload == call.data), None)
        answer = probe and probe.answer
        if probe is None or answer is None:
            return broken(f"{call.id} has an error that no packet brought", [call.id])
        icmp, ip = answer.packet.icmp, answer.packet.ip
        found = [*probe.evidence, call.id]
        if icmp is None or ip is None or _error_of(call) != (str(ip.source), icmp.type, icmp.code):
            return broken(f"{call.id} says otherwise than {answer.id}", found)
        said.append(f"{call.id} has {answer.id} of {ip.source}")
        evidence += found
    return holds(first_of(said), evidence)


def _why_none(timeline: Timeline) -> str:
    """Which command a program looked for in vain; else that nobody sent a probe."""
    for printed in timeline.calls.values():
        for call in printed:
            if call.name == "access" and call.error:
                return f"there is no {call.argument(0)} on this machine"
    return _NO_PROBES


def _error_of(call: PrintedCall) -> tuple[object, ...]:
    """Sender, type and code, as `recvmsg(3, data, MSG_ERRQUEUE, sender, type, code)` has them."""
    return call.arguments[3:6]


def _probes(timeline: Timeline) -> list[_Probe]:
    """The datagrams and echo requests with a TTL of few hops, in order."""
    found: list[_Probe] = []
    taken: set[int] = set()
    for crossing in timeline.crossings:
        packet = crossing.packet
        hops = packet.lifetime
        is_probe = packet.udp is not None or _kind(packet) in ECHO_REQUESTS
        if not is_probe or hops is None or hops >= _HOSTS_OWN_LIFETIMES:
            continue
        answer = next(_answers(crossing, timeline.crossings, taken), None)
        if answer is not None:
            taken.add(answer.number)
        found.append(_Probe(crossing, hops, answer))
    return found


def _answers(probe: Crossing, crossings: Sequence[Crossing], taken: set[int]) -> Iterator[Crossing]:
    """What came back to a probe's sender that quotes it, or replies to it."""
    for crossing in crossings:
        is_back = crossing.receiver == probe.sender and not crossing.lost
        if not is_back or crossing.number < probe.number or crossing.number in taken:
            continue
        icmp = crossing.packet.icmp
        if icmp is None:
            continue
        is_reply = _kind(crossing.packet) in ECHO_REPLIES
        if _quotes(icmp.quoted, probe.packet) or (is_reply and _is_same_echo(icmp, probe.packet)):
            yield crossing


def _quotes(quoted: Sequence[Layer], packet: Packet) -> bool:
    """Whether the headers of that packet are quoted."""
    ip, udp, icmp = packet.ip, packet.udp, packet.icmp
    same_ip = same = False
    for layer in quoted:
        match layer:
            case IPv4() | IPv6() if ip is not None:
                same_ip = (layer.source, layer.destination) == (ip.source, ip.destination)
            case Udp() | UdpStart() if udp is not None:
                ports = udp.source_port, udp.destination_port
                same = (layer.source_port, layer.destination_port) == ports
            case Icmp() if icmp is not None:
                same = (layer.identifier, layer.sequence) == (icmp.identifier, icmp.sequence)
    return same_ip and same


def _is_same_echo(reply: Icmp, packet: Packet) -> bool:
    icmp = packet.icmp
    return icmp is not None and (icmp.identifier, icmp.sequence) == (
        reply.identifier,
        reply.sequence,
    )


def _kind(packet: Packet) -> tuple[int, int, int] | None:
    icmp = packet.icmp
    return None if icmp is None else (icmp.version, icmp.type, icmp.code)
