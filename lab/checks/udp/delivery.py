"""Checks of what UDP does with datagrams, and what it does not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import Ethernet, IPv4, IPv6
from lab.checks.udp.datagrams import (
    PrintedAddress,
    both_ways,
    crossing_ids,
    ends_of,
    find_strangers,
    only_way,
)
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.timeline import Timeline
    from lab.checks.udp.datagrams import Way
    from lab.model.event import EventId


@claim(
    "There is no handshake: the first frame to the neighbour carries data.",
    source="RFC 768; udp(7)",
    statements=("T2", "I4"),
    name="no-handshake",
)
def begins_with_data(timeline: Timeline) -> Verdict:
    """The first frame after the neighbour is found is a datagram with payload."""
    first = next((c for c in timeline.crossings if not c.packet.resolves_neighbour), None)
    if first is None:
        return broken("no frame was seen but those that find the neighbour")
    evidence = crossing_ids([first])
    if first.packet.udp is None or not first.packet.payload:
        return broken(f"{first.id} comes first, and carries no payload in UDP", evidence)
    size = len(first.packet.payload)
    return holds(
        f"{first.id} comes first, and carries {counted(size, 'byte')} of payload", evidence
    )


@claim(
    "Each send is one datagram and one read: boundaries are kept, both ways.",
    source="RFC 768; udp(7); socket(2), SOCK_DGRAM",
    statements=("T2", "I1"),
    name="boundaries",
)
def keeps_message_boundaries(timeline: Timeline) -> Verdict:
    """One send, one datagram, one read: the same bytes in each, both ways."""
    findings: list[str] = []
    evidence: list[EventId] = []
    for way in both_ways(timeline):
        if not way.is_printed:
            return undecided(f"the programs printed no calls for {way.name}")
        evidence += way.evidence
        findings.append(
            f"{way.name}: {counted(len(way.sends), 'send')}, "
            f"{counted(len(way.datagrams), 'datagram')}, {counted(len(way.reads), 'read')}"
        )
        if not way.is_whole:
            return broken(f"not cut alike, {findings[-1]}", evidence)
    return holds(f"cut alike, {'; '.join(findings)}", evidence)


@claim(
    "An empty datagram arrives as any other; the 0 that its read returns is not the end.",
    source="recv(2), RETURN VALUE; RFC 768",
    name="empty",
)
def delivers_the_empty_datagram(timeline: Timeline) -> Verdict:
    """A datagram without payload crosses; a read returns 0, and a later one returns more."""
    ways = both_ways(timeline)
    if not any(way.is_printed for way in ways):
        return undecided("the programs printed no calls")
    way = next((way for way in ways if any(not call.data for call in way.sends)), None)
    if way is None:
        return broken("no program sent an empty datagram")
    sent = next(call for call in way.sends if not call.data)
    empty = next((c for c in way.datagrams if not c.packet.payload and not c.lost), None)
    read = next((call for call in way.reads if not call.result), None)
    if empty is None:
        return broken(f"no empty datagram arrived for {sent.id}", [sent.id])
    evidence = [sent.id, *crossing_ids([empty])]
    if read is None:
        return broken(f"no read returned 0 for {empty.id}", evidence)
    later = next((c for c in way.reads if c.number > read.number and c.result), None)
    evidence.append(read.id)
    if later is None:
        return broken(f"nothing was read after {read.id}, which returned 0", evidence)
    return holds(
        f"{sent.id} sends no byte in {empty.id} and {read.id} returns 0; "
        f"{later.id} returns {later.result}: it was not the end",
        [*evidence, later.id],
    )


@claim(
    "Each datagram carries its addresses: a reply goes to where recvfrom says it came from.",
    source="RFC 768; recvfrom(2)",
    name="addresses",
)
def names_where_it_came_from(timeline: Timeline) -> Verdict:
    """The addresses that sendto is given and recvfrom returns are those of the datagrams."""
    evidence: list[EventId] = []
    addresses: set[PrintedAddress] = set()
    for way in both_ways(timeline):
        if not way.is_printed:
            return undecided(f"the programs printed no calls for {way.name}")
        for calls, side, verb in ((way.sends, 1, "went to"), (way.reads, 0, "came from")):
            for call in calls:
                address = _address(call)
                if address is None:
                    return undecided(f"{call.id} names no address", [call.id])
                carriers = [
                    c
                    for c in way.datagrams
                    if c.packet.payload == call.data and ends_of(c)[side] == address
                ]
                evidence += [call.id, *crossing_ids(carriers[:1])]
                if not carriers:
                    return broken(f"no datagram {verb} where {call.id} says", evidence)
                addresses.add(address)
    pairs = " and ".join(f"{host} port {port}" for host, port in sorted(addresses))
    return holds(f"in the headers as in the calls: {pairs}", dict.fromkeys(evidence))


@claim(
    "Nothing is acknowledged and nothing is closed: every frame is a program's datagram.",
    source="RFC 768; udp(7)",
    statements=("T2", "I4"),
    name="unacknowledged",
)
def sends_nothing_but_data(timeline: Timeline) -> Verdict:
    """Every frame that does not find the neighbour is a datagram that a program sent."""
    ways = both_ways(timeline)
    sends = [call for way in ways for call in way.sends]
    datagrams = [crossing for way in ways for crossing in way.datagrams]
    if not sends:
        return undecided("the programs printed no calls that send")
    if fault := find_strangers(timeline, datagrams):
        return fault
    evidence = [*(call.id for call in sends), *crossing_ids(datagrams)]
    counts = f"{counted(len(sends), 'send')} and {counted(len(datagrams), 'frame')}"
    if len(datagrams) != len(sends):
        return broken(counts, evidence)
    return holds(f"{counts}: none acknowledges, none closes", evidence)


@claim(
    "AF_INET puts EtherType 0x0800 on the wire; so do IP's own errors.",
    source="ip(7); ipv6(7); RFC 894; RFC 2464, 3",
    statements=("D1", "I2"),
    ipv6="AF_INET6 puts EtherType 0x86dd on the wire; so do IP's own errors.",
    name="family",
)
def speaks_its_family_in_datagrams(*timelines: Timeline) -> Verdict:
    """Sockets of the domain, and every frame of IP with its EtherType and version."""
    family = timelines[0].recording.family
    if family is None:
        return undecided("the scenario has no internet sockets")
    calls = [call for t in timelines for printed in t.calls.values() for call in printed]
    sockets = [call for call in calls if call.name == "socket"]
    frames = [c for t in timelines for c in t.crossings if not c.packet.resolves_neighbour]
    if not sockets:
        return undecided("the programs printed no socket() call")
    wrong = [call for call in sockets if family.socket_domain not in call.arguments]
    if wrong:
        return broken(f"{wrong[0].text} made a socket of another domain", [wrong[0].id])
    if not frames:
        return broken("no frame was seen but those that find the neighbour")
    for crossing in frames:
        ethernet, ip = crossing.packet.layers[0], crossing.packet.ip
        fits = isinstance(ethernet, Ethernet) and ethernet.type == family.ethertype
        if not fits or not isinstance(ip, IPv4 if family.value == 4 else IPv6):
            return broken(f"{crossing.id} is no IPv{family.value} frame", crossing_ids([crossing]))
    return holds(
        f"{counted(len(sockets), f'{family.socket_domain} socket')}, and every frame "
        f"({len(frames)}) has EtherType {family.ethertype:#06x} and IP version {family.value}",
        [*(call.id for call in sockets), *crossing_ids(frames)],
    )


@claim(
    "A datagram larger than the reader's buffer loses its tail; MSG_TRUNC says so.",
    source="udp(7); recvmsg(2), MSG_TRUNC",
    name="truncation",
)
def loses_what_the_buffer_does_not_hold(timeline: Timeline) -> Verdict:
    """The wire carries all, the read a buffer full and MSG_TRUNC, the next read another one."""
    way = only_way(timeline)
    if not way.is_printed:
        return undecided(f"the programs printed no calls for {way.name}")
    if fault := find_strangers(timeline, way.datagrams) or _is_not_as_sent(way):
        return fault
    left = list(way.sends)
    lost: list[str] = []
    for read in way.reads:
        size = _buffer_bytes(read)
        send = next((call for call in left if call.data[:size] == read.data), None)
        if send is None:
            return broken(f"{read.id} returns the beginning of no datagram", way.evidence)
        left.remove(send)
        is_cut = len(send.data) > len(read.data)
        if ("MSG_TRUNC" in read.arguments) != is_cut:
            return broken(f"{read.id}: MSG_TRUNC does not say whether it lost some", way.evidence)
        if is_cut:
            missing = len(send.data) - len(read.data)
            cut = f"{read.id} gets {counted(len(read.data), 'byte')} and MSG_TRUNC"
            lost.append(f"{cut}, no read the other {missing}")
    if not lost:
        return broken("no datagram was larger than the reader's buffer", way.evidence)
    return holds(
        f"{counted(len(way.reads), 'datagram')}, {counted(len(way.reads), 'read')}: "
        f"{', '.join(lost)}",
        way.evidence,
    )


def _is_not_as_sent(way: Way) -> Verdict | None:
    """Broken where the wire did not carry each send whole, or it was not read just once."""
    carried = sorted(c.packet.payload for c in way.datagrams if not c.lost)
    if carried != sorted(call.data for call in way.sends):
        return broken("the wire did not carry what was sent", way.evidence)
    if len(way.reads) != len(way.sends):
        counts = f"{counted(len(way.sends), 'datagram')} sent, {counted(len(way.reads), 'read')}"
        return broken(counts, way.evidence)
    return None


def _address(call: PrintedCall) -> PrintedAddress | None:
    """The last address among a call's arguments."""
    for argument in reversed(call.arguments):
        match argument:
            case (str() as host, int() as port):
                return host, port
    return None


def _buffer_bytes(read: PrintedCall) -> int:
    """The size it was called with: the number after the data."""
    return next((number for number in read.arguments[1:] if isinstance(number, int)), 0)
