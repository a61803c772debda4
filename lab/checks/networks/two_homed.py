"""Checks of a host with several links: the address that a datagram has, and the way it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.model.claim import Verdict, broken, claim, first_of, holds, undecided

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import IPAddress
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId


@claim(
    "A datagram has the address of the interface that it leaves by, unless its socket has one.",
    source="RFC 1122, 3.3.4.3; RFC 6724, 5, rule 5; ip(7)",
    name="own-address",
)
def has_the_address_of_its_way(timeline: Timeline) -> Verdict:
    """Of what one host sent by different interfaces."""
    said: list[str] = []
    evidence: list[EventId] = []
    left_by: set[str] = set()
    for crossing in _questions(timeline):
        ip = crossing.packet.ip
        interface, own = _left_by(crossing, timeline)
        evidence.append(crossing.id)
        if ip is None or ip.source not in own:
            source = ip.source if ip else "nothing"
            return broken(f"{crossing.id} left by {interface} from {source}", evidence)
        left_by.add(interface)
        said.append(f"{crossing.id} by {interface} from {ip.source}")
    if len(left_by) < 2:
        return undecided("nobody sent by two interfaces", evidence)
    return holds(first_of(said), evidence)


@claim(
    "The destination alone decides the way: one from the other link's address goes the same way.",
    source="RFC 1122, 3.3.4.2 (weak ES model); RFC 1812, 5.2.4",
    name="by-destination",
)
def goes_by_the_destination(chosen: Timeline, bound: Timeline) -> Verdict:
    """A datagram from an address that its interface does not have, and one before from its own."""
    for crossing in _questions(bound):
        ip = crossing.packet.ip
        interface, own = _left_by(crossing, bound)
        if ip is None or ip.source in own:
            continue
        before = next((each for each in _questions(chosen) if _to(each) == ip.destination), None)
        if before is None:
            continue
        evidence = [before.id, crossing.id]
        way, as_before = _routers(crossing, bound), _routers(before, chosen)
        if crossing.lost or way != as_before or not way:
            by = " and ".join(way) or "no router"
            return broken(f"{crossing.id} went by {by}, {before.id} by {as_before}", evidence)
        said = f"{crossing.id} from {ip.source} leaves by {interface} and goes by {way[0]}"
        return holds(f"{said}, as {before.id} did", evidence)
    return undecided("nobody sent from an address that the interface does not have")


@claim(
    "The answer goes by its own way, and from the address of that way: not from the one asked.",
    source="RFC 1122, 3.3.4.2 and 4.1.3.5; ip(7), IP_PKTINFO",
    name="answer",
)
def answers_by_its_own_way(timeline: Timeline) -> Verdict:
    """What answers a question that came by another interface than the answer leaves by.

    Of a server whose socket has no address: RFC 1122 wants it to answer from the one asked.
    """
    for question in _questions(timeline):
        answer = _answer(question, timeline)
        if answer is None:
            return broken(f"nothing answers {question.id}", [question.id])
        evidence = [question.id, answer.id]
        there, back = _routers(question, timeline), _routers(answer, timeline)
        came_by = _arrived_by(question, timeline)
        interface, own = _left_by(answer, timeline)
        ip = answer.packet.ip
        if interface == came_by:
            return broken(f"{answer.id} leaves by {interface}, as {question.id} came", evidence)
        if ip is None or ip.source not in own or ip.source == _to(question):
            return broken(f"{answer.id} is from {ip and ip.source}", evidence)
        read = [
            call
            for printed in timeline.calls.values()
            for call in printed
            if call.name == "recvfrom" and call.data == answer.packet.payload
        ]
        if answer.lost:
            return broken(f"{answer.id} did not arrive", evidence)
        if not read:
            return undecided(f"no program printed that it read {answer.id}", evidence)
        said = f"{question.id} to {_to(question)} went by {there[0]}"
        return holds(
            f"{said}, {answer.id} comes back by {back[0]}, from {ip.source}",
            [*evidence, read[0].id],
        )
    return undecided("nobody asked")


def _questions(timeline: Timeline) -> list[Crossing]:
    """The first datagram of each UDP flow."""
    return [flow.crossings[0] for flow in timeline.flows if flow.protocol == "udp"]


def _answer(question: Crossing, timeline: Timeline) -> Crossing | None:
    """The first datagram that goes back to where a question came from; of whatever flow."""
    udp, ip = question.packet.udp, question.packet.ip
    for crossing in timeline.crossings:
        back, to = crossing.packet.udp, crossing.packet.ip
        if None in (udp, ip, back, to) or crossing.number < question.number:
            continue
        assert udp and ip and back and to, "all four are there"
        if (to.destination, back.destination_port, back.source_port) == (
            ip.source,
            udp.source_port,
            udp.destination_port,
        ):
            return crossing
    return None


def _to(crossing: Crossing) -> IPAddress | None:
    return None if crossing.packet.ip is None else crossing.packet.ip.destination


def _left_by(crossing: Crossing, timeline: Timeline) -> tuple[str, frozenset[IPAddress]]:
    """The interface that its sender sent it by, and that interface's addresses."""
    name = crossing.packet.frame.point
    point = next(each for each in timeline.recording.points if each.name == name)
    addresses = frozenset(
        address.ip
        for seen in timeline.recording.interfaces
        if (seen.host, seen.name) == (point.host, point.interface)
        for address in seen.addresses
    )
    return point.interface, addresses


def _arrived_by(crossing: Crossing, timeline: Timeline) -> str:
    """The interface by which it came to its receiver."""
    points = timeline.recording.points
    link = next(each.link for each in points if each.name == crossing.arrived.frame.point)
    ends = (each for each in points if each.link == link and each.host == crossing.receiver)
    return next((each.interface for each in ends), "")


def _routers(crossing: Crossing, timeline: Timeline) -> tuple[str, ...]:
    """Those that forwarded it, in order."""
    passed = (hop.sender for hop in crossing.hops[1:])
    return tuple(each for each in passed if each in timeline.recording.routers)
