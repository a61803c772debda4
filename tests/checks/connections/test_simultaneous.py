"""Claims of what both sides do at once: each holds of a recorded run, and can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_edits import (
    edited,
    outcome,
    timeline_of,
    with_calls,
    with_segments,
    without_calls,
    without_segments,
)

from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Segment
from lab.analysis.tcp.state import State
from lab.analysis.timeline import Timeline
from lab.checks.connections.simultaneous import (
    answers_each_syn,
    closes_from_both_sides,
    opens_from_both_sides,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
SYN_ACK = TcpFlags.SYN | TcpFlags.ACK
OF = (
    ("simultaneous-open4", opens_from_both_sides, TcpFlags.SYN),
    ("simultaneous-open4", answers_each_syn, TcpFlags.SYN),
    ("simultaneous-close4", closes_from_both_sides, TcpFlags.FIN),
)
EACH = pytest.mark.parametrize(
    ("name", "claim", "flag"), OF, ids=lambda each: each.name if isinstance(each, Claim) else ""
)


def of_server(segment: Segment, flags: TcpFlags) -> bool:
    mask = SYN_ACK | TcpFlags.FIN if flags & TcpFlags.SYN else TcpFlags.FIN
    return not segment.from_client and segment.flags & mask == flags


@EACH
def test_it_holds_of_a_recorded_run(name: str, claim: Claim, flag: TcpFlags) -> None:
    assert outcome(claim, timeline_of(name)) is HOLDS


@EACH
def test_it_is_broken_where_one_side_sent_none(name: str, claim: Claim, flag: TcpFlags) -> None:
    without = without_segments(timeline_of(name), lambda s: of_server(s, flag))
    assert outcome(claim, without) is BROKEN


@EACH
def test_it_is_broken_where_they_did_not_cross(name: str, claim: Claim, flag: TcpFlags) -> None:
    """The server's left once the client's had come, and came later by as much."""
    timeline = timeline_of(name)
    (talk,) = timeline.conversations
    late = next(s.crossing for s in talk.segments if of_server(s, flag))

    def later(crossing: Crossing) -> Crossing:
        if crossing.number != late or crossing.sent_ns is None:
            return crossing
        return replace(crossing, sent_ns=crossing.sent_ns + 260_000_000)

    crossings = tuple(map(later, talk.flow.crossings))
    changed = replace(talk, flow=replace(talk.flow, crossings=crossings))
    assert outcome(claim, replace(timeline, conversations=(changed,))) is BROKEN


@EACH
def test_it_is_undecided_where_one_end_was_not_seen(
    name: str, claim: Claim, flag: TcpFlags
) -> None:
    timeline = timeline_of(name)
    one = {s.crossing for s in timeline.conversations[0].segments if of_server(s, flag)}
    unseen = edited(timeline, lambda c: replace(c, sent_ns=None) if c.number in one else c)
    talk = replace(unseen.conversations[0], segments=timeline.conversations[0].segments)
    assert outcome(claim, replace(unseen, conversations=(talk,))) is UNDECIDED


@pytest.mark.parametrize(("name", "claim", "flag"), [OF[0], OF[2]], ids=["opens", "closes"])
def test_another_state_breaks_it(name: str, claim: Claim, flag: TcpFlags) -> None:
    other = with_segments(
        timeline_of(name),
        lambda s: replace(s, receiver_state=State.ESTABLISHED) if of_server(s, flag) else s,
    )
    assert outcome(claim, other) is BROKEN


def test_a_connect_that_fails_breaks_it() -> None:
    failing = with_calls(
        timeline_of("simultaneous-open4"),
        lambda c: replace(c, result=-1, error="ECONNREFUSED") if c.name == "connect" else c,
    )
    assert outcome(opens_from_both_sides, failing) is BROKEN


def test_it_is_undecided_where_no_connect_was_printed() -> None:
    silent = without_calls(timeline_of("simultaneous-open4"))
    assert outcome(opens_from_both_sides, silent) is UNDECIDED


def test_a_syn_without_an_answer_breaks_it() -> None:
    without = without_segments(timeline_of("simultaneous-open4"), lambda s: of_server(s, SYN_ACK))
    assert outcome(answers_each_syn, without) is BROKEN


def test_a_syn_ack_of_another_number_breaks_it() -> None:
    timeline: Timeline = timeline_of("simultaneous-open4")
    (talk,) = timeline.conversations
    answer = next(s.crossing for s in talk.segments if of_server(s, SYN_ACK))

    def other(crossing: Crossing) -> Crossing:
        packet, tcp = crossing.packet, crossing.packet.tcp
        if crossing.number != answer or tcp is None:
            return crossing
        layers = tuple(replace(tcp, seq=tcp.seq + 9) if x is tcp else x for x in packet.layers)
        return replace(crossing, packet=replace(packet, layers=layers))

    flow = replace(talk.flow, crossings=tuple(map(other, talk.flow.crossings)))
    changed = replace(timeline, conversations=(replace(talk, flow=flow),))
    assert outcome(answers_each_syn, changed) is BROKEN


def test_a_fin_that_is_never_acknowledged_breaks_it() -> None:
    timeline = timeline_of("simultaneous-close4")
    (talk,) = timeline.conversations
    open_way = replace(talk, server_to_client=replace(talk.server_to_client, fin_acked=None))
    assert outcome(closes_from_both_sides, replace(timeline, conversations=(open_way,))) is BROKEN


def test_a_last_state_that_is_another_breaks_it() -> None:
    timeline = timeline_of("simultaneous-close4")
    (talk,) = timeline.conversations
    closed = replace(timeline, conversations=(replace(talk, server_state=State.CLOSED),))
    assert outcome(closes_from_both_sides, closed) is BROKEN
