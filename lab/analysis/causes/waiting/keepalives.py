"""Why a silent connection ended: keep-alive segments that nobody answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.calls.options import SO_KEEPALIVE
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.loss import loss_of
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN, Note, Segment
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation

_RST = int(TcpFlags.RST)


def keepalives(facts: StepFacts) -> Iterator[Cause]:
    """The connections that a side gave up since its keep-alive segments met no answer."""
    for talk in facts.timeline.opened.values():
        for is_client in (True, False):
            asked = _unanswered(facts, talk, is_client)
            if asked and (cause := _given_up(facts, talk, is_client, asked)) is not None:
                yield cause


def _unanswered(facts: StepFacts, talk: TcpConversation, is_client: bool) -> list[Segment]:
    """A side's keep-alive segments after the last that it had from its peer."""
    asked: list[Segment] = []
    for segment in talk.segments:
        if segment.from_client != is_client:
            if not segment.notes & UNTAKEN:
                asked = []
        elif Note.KEEP_ALIVE in segment.notes and not facts.is_over(facts.departure_ns(segment)):
            asked.append(segment)
    return asked


def _given_up(
    facts: StepFacts, talk: TcpConversation, is_client: bool, asked: list[Segment]
) -> Cause | None:
    first, last = asked[0], asked[-1]
    own, host = facts.side(talk, is_client), facts.host_of(talk, is_client)
    other = facts.host_of(talk, not is_client)
    failed = facts.failed_by(own, facts.departure_ns(last), "ETIMEDOUT")
    resets = [
        each
        for each in talk.segments
        if each.from_client == is_client
        and int(each.flags) & _RST
        and each.crossing > last.crossing
        and not facts.is_over(facts.departure_ns(each))
    ]
    if failed is None and not resets:
        return None
    rst = frame_id(resets[0].crossing) if resets else None
    what = f": {named(failed)} fails with ETIMEDOUT" if failed is not None else ""
    heard = [
        facts.arrival_ns(each) or 0
        for each in talk.segments
        if each.from_client != is_client and not each.notes & UNTAKEN
    ]
    silent = ms(facts.departure_ns(last) - max(heard, default=facts.departure_ns(first)))
    option = None if own is None else facts.option_call(own, SO_KEEPALIVE)
    loss = loss_of(facts, first)
    answers = [each for each in talk.segments if each.crossing > first.crossing]
    lost = [found for each in answers if (found := loss_of(facts, each)) is not None]
    loss = loss or (lost[0] if lost else None)
    why = "" if loss is None else f" ({loss.text})"
    count = f"{len(asked)} times ({frame_id(first.crossing)} to {frame_id(last.crossing)})"
    count = count if len(asked) > 1 else f"once ({frame_id(first.crossing)})"
    asks = f", as SO_KEEPALIVE is set ({option.id})" if option is not None else ""
    return Cause(
        "keep-alive-unanswered",
        f"Nothing came from {other} for {silent}, and the kernel of {host} asked {count} whether "
        f"it is still there{asks}. No answer came{why}, so it gives the connection up{what}. "
        f"Nothing tells {other} of that{'' if rst is None else f' but a RST ({rst})'}.",
        str(talk.flow.id),
        known_ids(
            option,
            *(frame_id(each.crossing) for each in asked),
            *(loss.evidence if loss is not None else ()),
            failed,
            rst,
        ),
        "RFC 9293, 3.8.4; tcp(7), TCP_KEEPCNT",
        Surprise.HIDDEN,
    )
