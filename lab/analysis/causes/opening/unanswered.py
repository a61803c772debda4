"""Why connect() waits: the SYN or its answer is lost, filtered, or has nobody to go to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.loss import loss_of
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms
from lab.analysis.causes.opening.connects import client_failed
from lab.analysis.causes.opening.filters import filtered_syn
from lab.analysis.causes.opening.syn_queues import full_syn_queues
from lab.analysis.order.accept_queue import ignored_by_full_queues
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Segment
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation

_SYN = int(TcpFlags.SYN)


def unanswered(facts: StepFacts) -> Iterator[Cause]:
    """Why openings took long or failed."""
    full = {each.syn for each in ignored_by_full_queues(facts.evidence, facts.correlation)}
    openings = []
    for talk in facts.timeline.conversations:
        syns = [
            each
            for each in talk.segments
            if int(each.flags) & _SYN and not facts.crossing(each).is_made
        ]
        if syns and frame_id(syns[0].crossing) not in full:
            openings.append((talk, syns))
    no_room = full_syn_queues(facts, openings)
    yield from no_room.values()
    for talk, syns in openings:
        cause = None
        if facts.host_of(talk, False) not in no_room:
            cause = filtered_syn(facts, talk, syns)
        cause = cause or _lost_syn(facts, talk, syns)
        if cause is not None:
            yield cause


def _lost_syn(facts: StepFacts, talk: TcpConversation, syns: list[Segment]) -> Cause | None:
    """A SYN or SYN-ACK that never came, and was sent again or never."""
    lost = [(each, loss) for each in syns if (loss := loss_of(facts, each)) is not None]
    lost = [(each, loss) for each, loss in lost if not facts.is_over(facts.departure_ns(each))]
    if not lost:
        return None
    first, loss = lost[0]
    own = [each for each in syns if each.from_client == first.from_client]
    later = [each for each in own if each.crossing > first.crossing]
    later = [each for each in later if not facts.is_over(facts.departure_ns(each))]
    name = "SYN" if first.from_client else "SYN-ACK"
    other = facts.host_of(talk, not first.from_client)
    copies = [each for each, _ in lost[1:] if each.from_client == first.from_client]
    nor = f", nor did the {len(copies)} after it" if len(copies) > 1 else ""
    nor = ", nor did the one after it" if len(copies) == 1 else nor
    came = [each for each in later if loss_of(facts, each) is None]
    last = came[0] if came else later[-1] if later else first
    waited = ms(facts.departure_ns(last) - facts.departure_ns(first))
    if came:
        ended = f" The one that came ({frame_id(last.crossing)}) left {waited} after it."
    else:
        ended = f" The last left {waited} after the first." if later else ""
    failed = client_failed(facts, talk, first)
    ended += f" {failed}." if failed is not None else ""
    return Cause(
        "syn-lost" if first.from_client else "syn-ack-lost",
        f"The {name} ({frame_id(first.crossing)}) never came to {other}{nor}: {loss.text}.{ended}",
        str(talk.flow.id),
        known_ids(
            frame_id(first.crossing), *loss.evidence,
            *(frame_id(each.crossing) for each in later), failed.call if failed else None,
        ),
        "RFC 9293, 3.8.3; RFC 6298, 5; tcp(7), tcp_syn_retries",
        Surprise.ELSEWHERE,
        facts.counted(facts.host_of(talk, first.from_client), "TcpExtTCPTimeouts"),
    )  # fmt: skip
