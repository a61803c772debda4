"""Checks of packets that are too large for a link on their way: cut, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.flows.changes import changes
from lab.analysis.packets.fragments import piece_of
from lab.analysis.packets.packet import IPv4, IPv6
from lab.checks.networks.too_big import ip_bytes, named_mtu, quotes, too_big_messages
from lab.model.claim import Verdict, broken, claim, first_of, frame_ids, holds, skipped, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing, Hop
    from lab.analysis.packets.packet import Packet
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

NOTHING_CUT = "no datagram was cut by a router"


@claim(
    "A router fragments what is too large for the next link; each fragment fits it.",
    source="RFC 791, 3.2; RFC 1812, 4.2.2.7",
    ipv6="No router fragments anything.",
    name="router",
)
def fragments_where_it_is_too_large(timeline: Timeline) -> Verdict:
    """The fragments that left a router for what came to it; over IPv6 that there are none."""
    cut = {crossing: hops for crossing in timeline.crossings if (hops := _cut(crossing))}
    seen = [crossing for crossing in timeline.crossings if crossing.packet.udp is not None]
    if not seen:
        return skipped("no datagram was seen")
    if all(isinstance(crossing.packet.ip, IPv6) for crossing in seen):
        fragments = [each for each in timeline.crossings if piece_of(each.packet)]
        at_routers = [each for each in fragments if each.sender in timeline.recording.routers]
        if cut or at_routers:
            return broken("a router made fragments", frame_ids(each.number for each in at_routers))
        return holds(
            f"{counted(len(fragments), 'fragment')}, all of them sent by hosts",
            frame_ids(each.number for each in fragments or seen),
        )
    said: list[str] = []
    for crossing, hops in cut.items():
        sizes = [ip_bytes(hop.packet) for hop in hops]
        whole = ip_bytes(crossing.packet)
        if crossing.lost:
            return broken(f"{crossing.id} did not arrive whole", [crossing.id])
        if _forbids(crossing.packet):
            return broken(f"{crossing.id} may not be fragmented, and was", [crossing.id])
        if max(sizes) >= whole:
            return broken(f"a fragment of {crossing.id} is no smaller than it", [crossing.id])
        cuts = " and ".join(map(str, sizes))
        said.append(f"{hops[0].sender} makes {cuts} bytes of {crossing.id}'s {whole}")
    if not said:
        return undecided(NOTHING_CUT)
    return holds(first_of(said), frame_ids(crossing.number for crossing in cut))


@claim(
    "The sender itself fragments nothing: it does not know of the smaller link.",
    source="RFC 791, 2.3; ip(7), IP_MTU_DISCOVER",
    ipv6="The sender fragments, once a router has told it the MTU by Packet Too Big.",
    name="source",
)
def fragments_at_the_source(timeline: Timeline) -> Verdict:
    """Over IPv6 fragments leave the sender behind a Packet Too Big, and none before."""
    fragments = [each for each in timeline.crossings if piece_of(each.packet)]
    errors = _too_big(timeline)
    evidence = frame_ids(each.number for each in (*errors, *fragments))
    seen = [crossing for crossing in timeline.crossings if crossing.packet.udp is not None]
    if not seen:
        return skipped("no datagram was seen")
    if isinstance(seen[0].packet.ip, IPv4):
        if fragments:
            return broken("the sender cut it itself", evidence)
        whole = f"{seen[0].id} left with {ip_bytes(seen[0].packet)} bytes, whole"
        return holds(whole, [seen[0].id])
    if not errors or not fragments:
        return broken("no Packet Too Big came, or no fragment behind it", evidence)
    mtu = named_mtu(errors[0])
    if fragments[0].number < errors[0].number or mtu is None:
        return broken(f"{fragments[0].id} left before {errors[0].id} came", evidence)
    if max(ip_bytes(each.packet) for each in fragments) > mtu:
        return broken(f"a fragment is larger than {mtu} bytes", evidence)
    said = f"{errors[0].id} names {mtu} bytes; {counted(len(fragments), 'fragment')} behind it"
    return holds(f"{said}, of at most that", evidence)


@claim(
    "The receiver puts the fragments together: one read returns all of it.",
    source="RFC 791, 3.2; RFC 8200, 4.5",
    name="whole",
)
def reads_it_whole(timeline: Timeline) -> Verdict:
    """A read with all bytes of a datagram that was cut on its way, or by its sender."""
    cut = [
        crossing for crossing in timeline.crossings
        if crossing.packet.reassembled or (_cut(crossing) and piece_of(crossing.packet) is None)
    ]  # fmt: skip
    if not cut:
        return undecided("no datagram went in fragments")
    if not _calls(timeline, "recvfrom"):
        return undecided("no program printed what it read", frame_ids(each.number for each in cut))
    said: list[str] = []
    evidence: list[EventId] = []
    for crossing in cut:
        reads = [
            call for call in _calls(timeline, "recvfrom") if call.data == crossing.packet.payload
        ]
        if not reads or reads[0].result != len(crossing.packet.payload):
            return broken(f"no read returned all of {crossing.id}", [crossing.id])
        said.append(f"{reads[0].id} returns the {reads[0].result} bytes of {crossing.id}")
        evidence += [crossing.id, reads[0].id]
    return holds(first_of(said), evidence)


@claim(
    "Where nobody may fragment it, the router throws it away and names the MTU of the next link.",
    source="RFC 792; RFC 1191, 4; RFC 4443, 3.2",
    name="names-mtu",
)
def names_the_mtu(timeline: Timeline) -> Verdict:
    """A Packet Too Big (fragmentation needed) from where the packet ended, which quotes it."""
    errors = _too_big(timeline)
    for crossing in timeline.crossings:
        packet = crossing.packet
        if not crossing.lost or not crossing.hops or (packet.udp is None and packet.tcp is None):
            continue
        error = next((each for each in errors if quotes(each, crossing)), None)
        if error is None:
            return broken(f"nothing says what became of {crossing.id}", [crossing.id])
        mtu = named_mtu(error)
        size, evidence = ip_bytes(crossing.packet), [crossing.id, error.id]
        if mtu is None or size <= mtu or error.sender != crossing.hops[-1].receiver:
            return broken(f"{error.id} names {mtu} bytes; {crossing.id} has {size}", evidence)
        said = f"{crossing.id} has {size} bytes and ends at {error.sender}; {error.id} names {mtu}"
        return holds(said, evidence)
    return undecided("every packet went on")


@claim(
    "From then on the sender's kernel refuses what is too large: EMSGSIZE, and nothing is sent.",
    source="ip(7), IP_MTU_DISCOVER and IP_MTU; ipv6(7)",
    name="refused",
)
def refuses_what_may_not_be_cut(timeline: Timeline) -> Verdict:
    """Behind the message: IP_MTU is what it named, and the same send() fails."""
    errors = _too_big(timeline)
    for printed in timeline.calls.values():
        sends = [call for call in printed if call.name == "send"]
        refused = next((call for call in sends if call.error == "EMSGSIZE"), None)
        known = next((call for call in printed if call.name == "getsockopt"), None)
        if not sends or known is None:
            continue
        if not errors:
            return undecided("no message named an MTU", [known.id])
        evidence = [errors[0].id, known.id, *([refused.id] if refused else [])]
        mtu = named_mtu(errors[0])
        if refused is None or known.argument(3) != [mtu]:
            return broken(f"{known.id} has {known.argument(3)} for {mtu}", evidence)
        seen = [each for each in timeline.crossings if each.packet.payload == refused.data]
        if seen:
            return broken(
                f"{refused.id} failed, and {seen[0].id} was sent", [*evidence, seen[0].id]
            )
        return holds(f"{known.id} has {mtu}, as {errors[0].id}; {refused.id} fails", evidence)
    return undecided("no program printed what it sent and what it knew of the MTU")


def _cut(crossing: Crossing) -> list[Hop]:
    """Its hops behind a router that cut it: the first fragments of it."""
    return [
        after
        for before, after in crossing.forwarded
        if any(each.field == "fragment" for each in changes(before.packet, after.packet))
    ]


def _forbids(packet: Packet) -> bool:
    return isinstance(packet.ip, IPv4) and packet.ip.dont_fragment


def _too_big(timeline: Timeline) -> list[Crossing]:
    """The messages that name an MTU and came to whom they are for."""
    return [message for message in too_big_messages(timeline) if not message.lost]


def _calls(timeline: Timeline, name: str) -> list[PrintedCall]:
    return [call for printed in timeline.calls.values() for call in printed if call.name == name]
