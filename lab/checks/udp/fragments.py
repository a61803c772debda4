"""Checks of a datagram that is too large for the link: cut by IP, made whole by IP."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lab.analysis.packets.fragments import piece_of
from lab.analysis.packets.packet import IPv4, IPv6
from lab.checks.udp.datagrams import crossing_ids, datagrams_of, find_strangers, only_way
from lab.model.claim import Verdict, broken, claim, holds, undecided

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.fragments import Piece
    from lab.analysis.timeline import Timeline

MTU_BYTES = 1500
"""Of the lab's links, as of Ethernet. Source: RFC 894; RFC 2464, 2."""


@claim(
    "IP cuts a datagram larger than the MTU; the first fragment alone has the UDP header.",
    source="RFC 791, 3.2; RFC 8200, 4.5; ip(7), IP_MTU_DISCOVER",
    name="fragments",
)
def cuts_into_fragments(timeline: Timeline) -> Verdict:
    """Fragments that fit the link and each other; the first alone has the UDP header."""
    pieces = {c.number: piece for c in timeline.crossings if (piece := piece_of(c.packet))}
    fragments = [c for c in timeline.crossings if c.number in pieces]
    evidence = crossing_ids(fragments)
    if not fragments:
        return broken("no fragment was seen")
    ordered = sorted(pieces.values(), key=lambda piece: piece.start)
    whole = [c for c in datagrams_of(timeline) if c.packet.reassembled]
    fault = next(filter(None, map(_misfortune, fragments)), "") or _misfit(ordered)
    if fault or len(whole) != 1:
        return broken(fault or "they do not make up one UDP datagram", evidence)
    udp = whole[0].packet.udp
    assert udp is not None, "datagrams have it"
    first = next(c for c in fragments if not pieces[c.number].start)
    if udp.length != ordered[-1].end:
        return broken(f"UDP says {udp.length} bytes, the last fragment {ordered[-1].end}", evidence)
    if stranger := find_strangers(timeline, [*fragments, *only_way(timeline).datagrams]):
        return stranger
    places = ", ".join(f"{piece.start}-{piece.end - 1}" for piece in ordered)
    return holds(
        f"{len(fragments)} fragments of datagram {ordered[0].identification:#06x}, bytes {places}; "
        f"the UDP header in {first.id} says {udp.length} bytes",
        evidence,
    )


@claim(
    "The receiver's IP makes it whole again: one read returns all of it.",
    source="RFC 791, 3.2; RFC 8200, 4.5; udp(7)",
    statements=("T2",),
    name="reassembly",
)
def reads_fragments_as_one(timeline: Timeline) -> Verdict:
    """One read returns what one send was given, though it crossed in several frames."""
    way = only_way(timeline)
    if not way.is_printed:
        return undecided(f"the programs printed no calls for {way.name}")
    fragments = [c for c in timeline.crossings if piece_of(c.packet)]
    evidence = [*way.evidence, *crossing_ids(fragments)]
    whole = [c.packet.payload for c in way.datagrams if c.packet.reassembled]
    read = next((call for call in way.reads if call.data in whole), None)
    if len(fragments) < 2:
        return broken("nothing crossed in fragments", evidence)
    if read is None or not way.is_whole:
        return broken("what was sent, made whole and read differs", evidence)
    return holds(
        f"{len(fragments)} fragments, and {read.id} returns all {read.result} bytes",
        dict.fromkeys(evidence),
    )


def _misfortune(fragment: Crossing) -> str:
    """What is wrong with one fragment alone; "" if nothing."""
    ip = fragment.packet.ip
    size = 0
    if isinstance(ip, IPv4):
        size = ip.total_bytes
    elif isinstance(ip, IPv6):
        size = 40 + ip.payload_bytes
    if fragment.lost:
        return f"{fragment.id} never arrived"
    if size > MTU_BYTES:
        return f"{fragment.id} has {size} bytes of IP, over the MTU of {MTU_BYTES}"
    return ""


def _misfit(ordered: list[Piece]) -> str:
    """What keeps the pieces from being one datagram's; "" if nothing."""
    *others, last = ordered
    if len({piece.identification for piece in ordered}) > 1:
        return "they are not of one datagram"
    if ordered[0].start or any(a.end != b.start for a, b in pairwise(ordered)):
        return "they do not fit each other"
    if last.more or not all(piece.more for piece in others):
        return "more is not set in all but the last"
    return ""
