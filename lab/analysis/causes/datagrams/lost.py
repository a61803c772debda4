"""Why a datagram never came: a wire dropped it, or a fragment of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.packets.fragments import Piece, datagram_of, piece_of
from lab.model.counted import counted
from lab.model.event import EventId

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.strikes import Struck
    from lab.analysis.packets.packet import Packet

_UDP = 17
_COUNTERS = ("IpReasmFails", "Ip6ReasmFails", "IpReasmTimeout", "Ip6ReasmTimeout")


def lost_datagrams(facts: StepFacts) -> Iterator[Cause]:
    """The datagrams that a rule of a wire dropped, whole or a fragment of them."""
    ends = {each.id: each for each in facts.timeline.struck if each.strike.is_end}
    for flow in facts.timeline.flows:
        for crossing in flow.crossings if flow.protocol == "udp" else ():
            if crossing.head is None and _is_of_fragments(crossing.packet):
                continue
            struck = _struck(crossing, ends)
            if struck is not None:
                yield _lost(facts, crossing, struck)
    for pieces in _fragmented(facts).values():
        for piece in pieces:
            struck = _struck(piece, ends)
            if struck is not None:
                yield _never_whole(facts, pieces, piece, struck)
                break


def _is_of_fragments(packet: Packet) -> bool:
    return packet.reassembled or piece_of(packet) is not None


def _struck(crossing: Crossing, ends: dict[EventId, Struck]) -> Struck | None:
    """What dropped a frame that never arrived."""
    if not crossing.lost:
        return None
    return next((ends[each] for each in crossing.strikes if each in ends), None)


def _lost(facts: StepFacts, crossing: Crossing, struck: Struck) -> Cause:
    call = facts.sent_by.get(crossing.id)
    whose = "" if call is None else f" of {named(call)}"
    return Cause(
        "datagram-lost",
        f"The datagram ({crossing.id}){whose} never reached {crossing.receiver}: the wire's rule "
        f"{struck.rule.text!r} dropped it ({struck.id}). UDP sends nothing again and tells nobody.",
        call.program if call is not None else crossing.sender,
        known_ids(call, crossing.id, struck.id),
        "RFC 768; RFC 8085, 3.3",
        Surprise.ELSEWHERE,
    )


def _fragmented(facts: StepFacts) -> dict[Hashable, list[Crossing]]:
    """The fragments of UDP datagrams, by datagram."""
    found: defaultdict[Hashable, list[Crossing]] = defaultdict(list)
    for crossing in facts.timeline.crossings:
        if crossing.is_plain:
            continue
        piece, datagram = piece_of(crossing.packet), datagram_of(crossing.packet)
        if piece is not None and piece.protocol == _UDP:
            found[datagram].append(crossing)
    return dict(found)


def _never_whole(facts: StepFacts, pieces: list[Crossing], lost: Crossing, struck: Struck) -> Cause:
    piece = piece_of(lost.packet)
    assert piece is not None, "it is a fragment"
    call = next((facts.sent_by[each.id] for each in pieces if each.id in facts.sent_by), None)
    whose = "" if call is None else f" of {named(call)}"
    others = [each.id for each in pieces if not each.lost]
    total = max(each.end for each in map(_piece, pieces))
    came = ", ".join(map(str, others))
    rest = (
        f"; what came of it ({came}) waits for that, is read by nobody, and is thrown away in the "
        "end"
        if others
        else ""
    )
    return Cause(
        "fragment-lost",
        f"The datagram{whose} left in {counted(len(pieces), 'fragment')} and never came together: "
        f"the one with bytes {piece.start} to {piece.end - 1} of {total} ({lost.id}) never reached "
        f"{lost.receiver}, as the wire's rule {struck.rule.text!r} dropped it ({struck.id}){rest}.",
        call.program if call is not None else lost.sender,
        known_ids(call, lost.id, struck.id, *others),
        "RFC 791, 3.2"
        if lost.packet.ip is None or lost.packet.ip.source.version == 4
        else "RFC 8200, 4.5",
        Surprise.ELSEWHERE,
        facts.counted(lost.receiver, *_COUNTERS),
    )


def _piece(crossing: Crossing) -> Piece:
    piece = piece_of(crossing.packet)
    assert piece is not None, "it is a fragment"
    return piece
