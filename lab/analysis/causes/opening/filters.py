"""Why a SYN that came is not taken: a packet filter drops or refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.elsewhere import Came, where_else
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids
from lab.analysis.causes.opening.connects import client_failed
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import DISCARDED, Note, Segment
from lab.model.counted import counted
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation

_SYN, _RST = int(TcpFlags.SYN), int(TcpFlags.RST)
_BY_FILTER = "NETFILTER_DROP"
"""In enum skb_drop_reason."""


def filtered_syn(facts: StepFacts, talk: TcpConversation, syns: list[Segment]) -> Cause | None:
    """A SYN that came to its host and was not taken, where only a filter can be why.

    A kernel answers a SYN by a SYN-ACK where a socket listens and has room in its accept queue,
    else by a RST. Source: RFC 9293, 3.10.7.
    """
    first, host = syns[0], facts.host_of(talk, False)
    came = facts.arrival_ns(first) is not None and not first.notes & DISCARDED
    if not came or not first.from_client or talk.handshake is not None:
        return None
    if any(int(each.flags) & _SYN and not each.from_client for each in talk.segments):
        return None
    dropped = facts.dropped.get(frame_id(first.crossing))
    if dropped is not None and dropped.notice.reason != _BY_FILTER:
        dropped = None
    answer = _answer(facts, talk, host)
    likely = _is_likely(facts, talk, syns, answer)
    if dropped is None and not likely:
        return None
    by = "" if dropped is None else f" ({dropped.id}, {_BY_FILTER})"
    did = "drops" if answer is None else "refuses"
    says = (
        f"and nothing answers; {counted(len(syns), 'SYN')} in all"
        if answer is None
        else f"and {answer} says so"
    )
    failed = client_failed(facts, talk, first)
    return Cause(
        "syn-filtered" if answer is None else "syn-refused-by-filter",
        f"{'T' if dropped else 't'}he packet filter of {host} {did} the SYN "
        f"({frame_id(first.crossing)}), which had come to it{by}, {says}"
        f"{'' if failed is None else f': {failed}'}. Without a filter the kernel would answer by a "
        "SYN-ACK where somebody listens, else by a RST.",
        str(talk.flow.id),
        known_ids(
            *(frame_id(each.crossing) for each in syns),
            None if dropped is None else dropped.id,
            answer,
            failed.call if failed else None,
        ),
        "nft(8); iptables(8); RFC 9293, 3.10.7",
        Surprise.ELSEWHERE,
        decided_by=""
        if dropped is not None
        else f"the kernel's reason for the drop (wirelab as root), or the rules of {host} "
        "(nft list ruleset)",
    )


def _answer(facts: StepFacts, talk: TcpConversation, host: str) -> EventId | None:
    """A RST of that host, or its ICMP error about a SYN."""
    for segment in talk.segments:
        if int(segment.flags) & _RST and not segment.from_client:
            return frame_id(segment.crossing)
    return next((each.id for each in talk.flow.errors if each.sender == host), None)


def _is_likely(
    facts: StepFacts, talk: TcpConversation, syns: list[Segment], answer: EventId | None
) -> bool:
    """Whether nothing else is known that does so."""
    if any(Note.DROPPED in each.notes for each in syns):
        return False
    if answer is None:
        # One SYN that is not answered may only be the run's last frame.
        is_all = all(each.from_client for each in talk.segments) and not talk.flow.errors
        return len(syns) > 1 and is_all
    is_icmp = any(each.id == answer for each in talk.flow.errors)
    return is_icmp or (facts.is_traced and _somebody_listens(facts, talk, syns, answer))


def _somebody_listens(
    facts: StepFacts, talk: TcpConversation, syns: list[Segment], answer: EventId
) -> bool:
    sent_ns, left_ns = facts.departure_ns(syns[0]), facts.evidence.departure_ns(answer)
    came = Came(
        facts.host_of(talk, False),
        "tcp",
        facts.place_of(talk, True),
        facts.place_of(talk, False),
        sent_ns,
        sent_ns if left_ns is None else left_ns,
    )
    return where_else(facts, came).takes
