"""Why a segment was sent again: where the first was lost, how long that took, how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.analysis.calls.options import TCP_USER_TIMEOUT
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.covering import Covering
from lab.analysis.causes.facts.loss import NotTaken, loss_of
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Note, Segment
from lab.frozen import frozen
from lab.model.counted import counted
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation

_SYN, _FIN = int(TcpFlags.SYN), int(TcpFlags.FIN)
_GIVES_UP = ("ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH")
_NAMED = 4


@frozen
class _Repair:
    """A segment that never came, and the same bytes sent again."""

    segment: Segment
    loss: NotTaken
    copies: tuple[Segment, ...]
    came: bool
    """Whether the last of the copies came."""


def losses(facts: StepFacts) -> Iterator[Cause]:
    """Why segments were sent again, of each connection the loss that took longest to repair."""
    for talk in facts.timeline.opened.values():
        repairs = list(_repairs(facts, talk))
        if repairs:
            longest = max(repairs, key=lambda each: _lasted_ns(facts, each))
            yield _cause(facts, talk, longest, len(repairs))


def _repairs(facts: StepFacts, talk: TcpConversation) -> Iterator[_Repair]:
    """What was lost of the connection's bytes and FINs, and sent again."""
    again = [each for each in talk.segments if Note.RETRANSMISSION in each.notes]
    if not again:
        return
    covering = Covering(again)
    for segment in talk.segments:
        takes_room = segment.length or int(segment.flags) & _FIN
        is_first = Note.RETRANSMISSION not in segment.notes and not int(segment.flags) & _SYN
        if not takes_room or not is_first or facts.crossing(segment).is_made:
            continue
        if facts.is_over(facts.departure_ns(segment)):
            continue
        loss = loss_of(facts, segment)
        copies = _until_one_came(facts, segment, covering) if loss is not None else []
        if loss is not None and copies:
            yield _Repair(segment, loss, tuple(copies), loss_of(facts, copies[-1]) is None)


def _until_one_came(facts: StepFacts, lost: Segment, again: Covering) -> list[Segment]:
    """The retransmissions of a segment's first byte, up to the first that was not lost."""
    copies = []
    for each in again.at(lost.seq, from_client=lost.from_client):
        if each.crossing <= lost.crossing:
            continue
        if facts.is_over(facts.departure_ns(each)):
            break
        copies.append(each)
        if loss_of(facts, each) is None:
            break
    return copies


def _lasted_ns(facts: StepFacts, repair: _Repair) -> int:
    return facts.departure_ns(repair.copies[-1]) - facts.departure_ns(repair.segment)


def _cause(facts: StepFacts, talk: TcpConversation, repair: _Repair, losses: int) -> Cause:
    lost, copies = repair.segment, repair.copies
    frame = frame_id(lost.crossing)
    host = facts.host_of(talk, lost.from_client)
    other = facts.host_of(talk, not lost.from_client)
    call = facts.sent_by.get(frame)
    what = counted(lost.length, "byte") if lost.length else "the FIN"
    whose = f" of {named(call)}" if call is not None and lost.length else f" of {host}"
    ended, evidence = _how_it_ended(facts, talk, repair)
    more = losses - 1
    others = f" {counted(more, 'more segment')} were sent again as well." if more > 1 else ""
    others = " One more segment was sent again as well." if more == 1 else others
    return Cause(
        "segment-lost",
        f"{frame}, {what}{whose}, never came to {other}: {repair.loss.text}. TCP of {host} sends "
        f"it again {_when(facts, lost, copies)}{ended}.{others}",
        str(talk.flow.id),
        known_ids(call, frame, *repair.loss.evidence, *map(_id, copies), *evidence),
        "RFC 5681, 3.2; RFC 6298, 5; RFC 8985, 7",
        Surprise.HIDDEN if repair.came else Surprise.ELSEWHERE,
        facts.counted(host, "TcpExtTCPTimeouts", "TcpExtTCPLossProbes", "TcpRetransSegs"),
    )


def _id(segment: Segment) -> EventId:
    return frame_id(segment.crossing)


def _when(facts: StepFacts, lost: Segment, copies: Sequence[Segment]) -> str:
    """How long after what: "204 ms later (f8), when its retransmission timer ran out"."""
    times = [facts.departure_ns(each) for each in (lost, *copies)]
    waits = [ms(after - before) for before, after in pairwise(times)]
    if len(copies) == 1:
        return f"{waits[0]} later ({_id(copies[0])}){_why(facts, lost, copies[0])}"
    shown = ", ".join(waits[:_NAMED]) + (", …" if len(waits) > _NAMED else "")
    doubles = ": its timer doubles the wait each time it runs out" if _doubles(times) else ""
    return (
        f"{len(copies)} times ({_id(copies[0])} to {_id(copies[-1])}), {shown} after the one before"
        f"{doubles}"
    )


def _doubles(times: Sequence[int]) -> bool:
    """Whether the last wait was about twice the one before. Source: RFC 6298, 5.5."""
    waits = [after - before for before, after in pairwise(times)]
    return len(waits) > 2 and waits[-1] > 1.5 * waits[-2]


def _why(facts: StepFacts, lost: Segment, copy: Segment) -> str:
    """What made TCP send it again, where that shows. Source: RFC 8985, 7, of probes."""
    if Note.FAST_RETRANSMIT in copy.notes:
        return ", after three duplicate ACKs"
    counters = facts.timeline.counters(facts.crossing(lost).sender)
    timeouts, probes = (counters[f"TcpExtTCP{name}"] for name in ("Timeouts", "LossProbes"))
    if timeouts is None or probes is None or _heard(facts, lost, copy):
        return ""
    if timeouts and not probes:
        return ", when its retransmission timer ran out"
    return ", as a probe: no ACK had come for so long" if probes and not timeouts else ""


def _heard(facts: StepFacts, lost: Segment, copy: Segment) -> bool:
    """Whether anything came from the other side between a segment and its copy."""
    talk, _ = facts.carried[lost.crossing]
    came = (
        facts.arrival_ns(each) for each in talk.segments if each.from_client != lost.from_client
    )
    begun_ns, ended_ns = facts.departure_ns(lost), facts.departure_ns(copy)
    return any(each is not None and begun_ns < each < ended_ns for each in came)


def _how_it_ended(
    facts: StepFacts, talk: TcpConversation, repair: _Repair
) -> tuple[str, tuple[EventId, ...]]:
    """What came of it, where it did not come at last."""
    if repair.came:
        return "", ()
    own = facts.side(talk, repair.segment.from_client)
    failed = facts.failed_by(own, facts.departure_ns(repair.segment), *_GIVES_UP)
    if failed is None:
        host = facts.crossing(repair.segment).sender
        runs = [run for run in facts.timeline.programs if run.host == host]
        was_stopped = any(run.stopped_ns is not None for run in runs)
        return (", until the lab ended it" if was_stopped else ", and none came"), ()
    option = None if own is None else facts.option_call(own, TCP_USER_TIMEOUT)
    limit = "" if option is None else f", as TCP_USER_TIMEOUT ({option.id}) allows no more"
    text = f", and gives up{limit}: {named(failed)} fails with {failed.error}"
    return text, known_ids(option, failed)
