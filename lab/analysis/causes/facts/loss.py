"""Why a frame did not come to who it was for, or was thrown away there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import DISCARDED, Note
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.causes.facts.step_facts import StepFacts
    from lab.analysis.correlate.correlation import Dropped
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.strikes import Struck
    from lab.analysis.tcp.segment import Segment
    from lab.model.event import EventId

_FILTERED = {
    "NETFILTER_DROP": "its packet filter",
    "IP_RPFILTER": "its check of the way back (rp_filter)",
    "TCP_CSUM": "its checksum, which was wrong",
    "BPF_CGROUP_EGRESS": "a BPF program",
    "SOCKET_FILTER": "a socket's filter",
    "TC_INGRESS": "its traffic control",
    "XDP": "an XDP program",
}
"""What throws away segments that nothing is wrong with, by skb_drop_reason; a full buffer does
that as well, which has causes of its own."""


@frozen
class NotTaken:
    """Why a segment was not taken."""

    text: str
    """A clause: "the wire's rule 'client>server drop SYN 1' dropped it (strike 1)"."""
    evidence: tuple[EventId, ...]
    """Besides the frame."""


def loss_of(facts: StepFacts, segment: Segment) -> NotTaken | None:
    """Why its receiver's TCP never had a segment; None where it had, or had no room for it."""
    crossing = facts.crossing(segment)
    struck = _struck(facts, crossing)
    if crossing.lost and struck is not None:
        changed = (facts.carried.get(each.number) for each in struck.made)
        if any(found and loss_of(facts, found[1]) is None for found in changed):
            return None  # it came, as another
        return NotTaken(_by_wire(struck), (struck.id,))
    dropped = facts.dropped.get(crossing.id)
    if crossing.lost:
        return _on_its_way(facts, crossing, dropped)
    if Note.DROPPED in segment.notes and dropped is not None:
        by = _FILTERED.get(dropped.notice.reason)
        if by is None:
            return None
        text = f"the kernel of {crossing.receiver} threw it away ({dropped.id}), by {by}"
        return NotTaken(text, (dropped.id,))
    if segment.notes & DISCARDED:
        return NotTaken(f"its checksum is wrong, so that TCP of {crossing.receiver} drops it", ())
    return None


def _on_its_way(facts: StepFacts, crossing: Crossing, dropped: Dropped | None) -> NotTaken:
    """Where it was seen last, and what a router says of that."""
    last = crossing.last_seen
    text = f"it was last seen at {crossing.sender if last is None else last[0]}"
    evidence: tuple[EventId, ...] = ()
    if dropped is not None:
        text += f", whose kernel threw it away ({dropped.id}, {dropped.notice.reason})"
        evidence = (dropped.id,)
    talk, _ = facts.carried[crossing.number]
    for error in talk.flow.errors:
        icmp = error.packet.icmp
        is_its = last is not None and error.sender == last[0]
        if icmp is None or not is_its or error.time_ns < crossing.time_ns:
            continue
        why = f": {icmp.mtu} bytes are the most that it can send on" if icmp.mtu else ""
        lost = f", which never came to {error.receiver}" if error.lost else ""
        return NotTaken(f"{text}{why} (ICMP error {error.id}{lost})", (*evidence, error.id))
    return NotTaken(text, evidence)


def _struck(facts: StepFacts, crossing: Crossing) -> Struck | None:
    """What ended a frame, or made another of it."""
    found = (facts.struck.get(each) for each in crossing.strikes)
    return next((each for each in found if each and _ends(each)), None)


def _ends(struck: Struck) -> bool:
    return struck.strike.is_end or bool(struck.strike.changed)


def _by_wire(struck: Struck) -> str:
    rule = repr(struck.rule.text)
    if struck.rule.action == "down":
        return f"the link was down, by the wire's rule {rule} ({struck.id})"
    if struck.strike.changed:
        return f"the wire's rule {rule} has {struck.text} it on its way ({struck.id})"
    why = {"rate": ", since its queue was full", "loss": ", by lot"}.get(struck.rule.action, "")
    return f"the wire's rule {rule} dropped it ({struck.id}){why}"
