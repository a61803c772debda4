"""Checks of how a host without an address gets one: four messages, and what it then speaks from."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from lab.analysis.messages.dhcp import (
    ACK,
    CLIENT_PORT,
    DISCOVER,
    NAMES,
    OFFER,
    REQUEST,
    SERVER_PORT,
    DhcpMessage,
)
from lab.analysis.messages.message import messages_of
from lab.analysis.packets.packet import Arp, Ethernet
from lab.frozen import frozen
from lab.model.claim import Verdict, broken, claim, holds, undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

NOBODY, EVERYBODY = IPv4Address("0.0.0.0"), IPv4Address("255.255.255.255")
ETHERNET_EVERYBODY = "ff:ff:ff:ff:ff:ff"
FOUR = (DISCOVER, OFFER, REQUEST, ACK)
NO_MESSAGE = "no message of DHCP was seen"


@frozen
class Lease:
    """The four messages of one client's talk, those that came."""

    messages: dict[int, DhcpMessage]
    """By kind, the first of each."""
    crossings: dict[int, Crossing]

    @property
    def evidence(self) -> list[EventId]:
        """Their frames, in order."""
        return [crossing.id for crossing in self.crossings.values()]


@claim(
    "Who has no address asks from 0.0.0.0, and asks everybody on the link.",
    source="RFC 2131, 4.1; RFC 1122, 3.2.1.3",
    name="from-nobody",
)
def asks_everybody_from_nowhere(timeline: Timeline) -> Verdict:
    """Each message of the client: from 0.0.0.0 port 68 to 255.255.255.255 port 67.

    As a broadcast of Ethernet too.
    """
    asked = [(c, m) for c, m in _said(timeline) if not m.is_reply]
    if not asked:
        return undecided(NO_MESSAGE)
    evidence = [crossing.id for crossing, _ in asked]
    for crossing, _ in asked:
        packet = crossing.packet
        ip, udp, ethernet = packet.ip, packet.udp, packet.layers[0]
        if ip is None or udp is None or not isinstance(ethernet, Ethernet):
            return undecided(f"{crossing.id} was not seen on Ethernet", evidence)
        ends = (ip.source, udp.source_port, ip.destination, udp.destination_port)
        if ends != (NOBODY, CLIENT_PORT, EVERYBODY, SERVER_PORT):
            way = f"{ip.source} port {udp.source_port} to {ip.destination}"
            return broken(f"{crossing.id} is from {way} port {udp.destination_port}", evidence)
        if ethernet.destination != ETHERNET_EVERYBODY:
            return broken(f"{crossing.id} goes to {ethernet.destination} alone", evidence)
    names = " and ".join(f"{crossing.id} {NAMES[message.kind]}" for crossing, message in asked)
    return holds(f"{names} from {NOBODY} to {EVERYBODY}", evidence)


@claim(
    "Four messages with one number: DISCOVER, OFFER, REQUEST, ACK.",
    source="RFC 2131, 3.1 and 4.1",
    name="four",
)
def takes_four_messages(timeline: Timeline) -> Verdict:
    """In that order, from the client and the server in turn, all with the client's xid."""
    said = list(_said(timeline))
    if not said:
        return undecided(NO_MESSAGE)
    evidence = [crossing.id for crossing, _ in said]
    kinds = tuple(message.kind for _, message in said)
    names = ", ".join(NAMES.get(kind, str(kind)) for kind in kinds)
    if kinds != FOUR or [m.is_reply for _, m in said] != [False, True, False, True]:
        return broken(f"there were {names}", evidence)
    if lost := [crossing.id for crossing, _ in said if crossing.lost]:
        return broken(f"{lost[0]} did not arrive", evidence)
    numbers = {message.identifier for _, message in said}
    if len(numbers) > 1:
        return broken("their numbers differ", evidence)
    return holds(f"{names}, all of {numbers.pop():#010x}", evidence)


@claim(
    "The client is known by its hardware address: no other one is in the messages.",
    source="RFC 2131, 2 (chaddr) and 4.1",
    name="hardware",
)
def is_known_by_its_hardware_address(timeline: Timeline) -> Verdict:
    """All four are about the address that the client's frames come from (chaddr).

    Answers that it asks to have by broadcast go to everybody.
    """
    lease = _lease(timeline)
    if lease is None or DISCOVER not in lease.messages:
        return undecided(NO_MESSAGE)
    ethernet = lease.crossings[DISCOVER].packet.layers[0]
    own = ethernet.source if isinstance(ethernet, Ethernet) else ""
    for kind, message in lease.messages.items():
        crossing = lease.crossings[kind]
        if message.hardware != own:
            why = f"{crossing.id} is about {message.hardware}, and {own} asked"
            return broken(why, lease.evidence)
        ip = crossing.packet.ip
        is_for_all = ip is not None and ip.destination == EVERYBODY
        if message.is_reply and message.wants_broadcast and not is_for_all:
            return broken(f"{crossing.id} is for {ip and ip.destination} alone", lease.evidence)
    return holds(f"{len(lease.messages)} messages about {own}", lease.evidence)


@claim(
    "The client requests what was offered, and says by whom; that is what it gets.",
    source="RFC 2131, 3.1, 4.3.1 and 4.3.2",
    name="requested",
)
def gets_what_was_offered(timeline: Timeline) -> Verdict:
    """The address of OFFER, REQUEST and ACK is one, and so is the server."""
    lease = _lease(timeline)
    if lease is None:
        return undecided(NO_MESSAGE)
    if missing := [NAMES[kind] for kind in (OFFER, REQUEST, ACK) if kind not in lease.messages]:
        return broken(f"there was no {missing[0]}", lease.evidence)
    offer, request, ack = (lease.messages[kind] for kind in (OFFER, REQUEST, ACK))
    evidence = [lease.crossings[kind].id for kind in (OFFER, REQUEST, ACK)]
    addresses = (offer.given, request.requested, ack.given)
    servers = (offer.server, request.server, ack.server)
    said = f"{', '.join(map(str, addresses))} by {', '.join(map(str, servers))}"
    if len({*addresses}) > 1 or len({*servers}) > 1 or None in (*addresses, *servers):
        return broken(said, evidence)
    return holds(f"{offer.given} of {offer.server}, for {ack.lease_s} s", evidence)


@claim(
    "With the ACK the address is the client's: it speaks from it, and is answered there.",
    source="RFC 2131, 3.1; netdevice(7), SIOCSIFADDR",
    name="used",
)
def speaks_from_its_new_address(lease_step: Timeline, use: Timeline) -> Verdict:
    """Nothing is from it before the ACK; behind it a datagram is, and one back to it arrives."""
    lease = _lease(lease_step)
    if lease is None or ACK not in lease.messages:
        return undecided("no ACK was seen")
    own, ack = lease.messages[ACK].given, lease.crossings[ACK]
    before = [c for c in lease_step.crossings if _speaks_from(c, own) and c.number < ack.number]
    if before:
        return broken(f"{before[0].id} is from {own} before {ack.id}", [before[0].id, ack.id])
    asked = next((c for c in use.crossings if c.packet.udp and _speaks_from(c, own)), None)
    if asked is None:
        return broken(f"nothing was sent from {own} after {ack.id}", [ack.id])
    evidence = [ack.id, asked.id]
    back = [
        c
        for c in use.crossings
        if c.number > asked.number and c.packet.udp and c.packet.ip
        and c.packet.ip.destination == own
    ]  # fmt: skip
    if not back or back[0].lost or back[0].receiver != asked.sender:
        return broken(f"nothing came back to {own}", evidence)
    said = f"{ack.id} gives {own}; {asked.id} is from it, {back[0].id} comes to it"
    return holds(said, [*evidence, back[0].id])


def _said(timeline: Timeline) -> Iterator[tuple[Crossing, DhcpMessage]]:
    """Every message, in order."""
    for crossing in timeline.crossings:
        for message in messages_of(crossing.packet):
            if isinstance(message, DhcpMessage):
                yield crossing, message


def _lease(timeline: Timeline) -> Lease | None:
    """The talk that the first message begins; None where there is none."""
    messages: dict[int, DhcpMessage] = {}
    crossings: dict[int, Crossing] = {}
    for crossing, message in _said(timeline):
        if not crossing.lost:
            messages.setdefault(message.kind, message)
            crossings.setdefault(message.kind, crossing)
    return Lease(messages, crossings) if messages else None


def _speaks_from(crossing: Crossing, address: IPv4Address) -> bool:
    """Whether an IP packet or an ARP one says that its sender has that address."""
    ip = crossing.packet.ip
    if ip is not None:
        return ip.source == address
    return any(
        isinstance(layer, Arp) and layer.sender == address for layer in crossing.packet.layers
    )
