from __future__ import annotations

import random
from dataclasses import replace

import pytest
import recorded as r
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import TcpFlags
from lab.model.claim import Outcome
from lab.model.event import EventKind
from lab.model.program import Step
from lab.recording.storage import load_recording
from lab.records import Direction
from lab.syscalls import descriptors
from scenarios.tcp import SCENARIO


@pytest.mark.parametrize("family", [4, 6])
def test_a_recorded_run_is_one_conversation_between_its_programs(family: int) -> None:
    (timeline,), _ = r.judged(r.recorded(family))
    assert len(timeline.crossings) == 20
    assert all(c.sender != c.receiver and not c.lost for c in timeline.crossings)
    (flow,) = timeline.flows
    (conversation,) = timeline.conversations
    assert conversation.flow is flow
    assert (flow.protocol, flow.b.port, len(flow.crossings)) == ("tcp", 4242, 18)
    assert {name: len(calls) for name, calls in timeline.calls.items()} == {
        "server": 14,
        "client": 9,
    }


@pytest.mark.parametrize("family", [4, 6])
def test_causes_come_before_effects(family: int) -> None:
    (timeline,), _ = r.judged(r.recorded(family))
    for crossing in timeline.crossings:
        assert crossing.sent_ns is not None and crossing.received_ns is not None
        assert crossing.sent_ns < crossing.received_ns


def test_canaries_are_no_part_of_the_story() -> None:
    (timeline,), _ = r.judged(r.recorded(4))
    shown = {crossing.packet.frame.data for crossing in timeline.crossings}
    assert not any(
        canary.payload in data for canary in timeline.recording.canaries for data in shown
    )


@pytest.mark.parametrize("family", [4, 6])
def test_the_order_of_frames_in_the_file_makes_no_difference(family: int) -> None:
    recording = r.recorded(family)
    frames = list(recording.frames)
    random.Random(family).shuffle(frames)
    (shuffled,), verdicts = r.judged(replace(recording, frames=tuple(frames)))
    (expected,), expected_verdicts = r.judged(recording)
    assert shuffled.conversations == expected.conversations
    assert [j.verdict for j in verdicts] == [j.verdict for j in expected_verdicts]


def test_a_recording_without_frames_or_programs_is_a_timeline_of_nothing() -> None:
    empty = replace(r.recorded(4), frames=(), programs=(), canaries=(), points=())
    (timeline,), judgements = r.judged(empty)
    assert (timeline.crossings, timeline.flows, timeline.calls) == ((), (), {})
    assert len(judgements) == len(SCENARIO.claims)


@pytest.mark.parametrize("family", [4, 6])
def test_each_step_has_its_own_timeline_and_its_frames_numbers_go_on(family: int) -> None:
    first, second = build_timelines(r.twice(r.recorded(family)))
    assert (first.step, second.step) == ("conversation", "again")
    assert [c.number for c in (*first.crossings, *second.crossings)] == list(range(1, 41))
    assert set(first.calls) == {"server", "client"}
    assert set(second.calls) == {"server-again", "client-again"}
    assert [segment.seq for segment in first.conversations[0].segments] == [
        segment.seq for segment in second.conversations[0].segments
    ]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("step", ["conversation", "again"])
def test_claims_on_a_step_are_judged_by_its_frames_and_programs(family: int, step: str) -> None:
    claims = [claim.on(Step(step, ())) for claim in r.CLAIMS]
    judgements = judge(claims, build_timelines(r.twice(r.recorded(family))))
    assert {judgement.verdict.outcome for judgement in judgements} == {Outcome.HOLDS}
    evidence = {each for judgement in judgements for each in judgement.verdict.evidence}
    frames = {each.number for each in evidence if each.kind is EventKind.FRAME}
    assert min(frames) == (1 if step == "conversation" else 21)
    assert max(frames) == (20 if step == "conversation" else 40)


def test_a_program_of_a_step_without_canaries_is_not_passed_over() -> None:
    recording = r.recorded(4)
    stray = replace(recording.programs[0], name="stray", step="unbracketed")
    timelines = build_timelines(replace(recording, programs=(*recording.programs, stray)))
    assert [timeline.step for timeline in timelines] == ["conversation", "unbracketed"]
    assert timelines[0].bracket.incomplete == ()
    assert "no opening canary was sent at client/eth0" in timelines[1].bracket.incomplete


def test_a_neighbour_found_too_late_breaks_the_claim_in_a_later_step_too() -> None:
    recording = r.twice(r.moved(2, after=3)(r.recorded(4)))
    (claim,) = (c for c in SCENARIO.claims if c.id == "tcp-neighbour")
    (judgement,) = judge([claim.on(Step("again", ()))], build_timelines(recording))
    assert judgement.verdict.outcome is Outcome.BROKEN
    assert judgement.verdict.evidence == (event("f21"), event("f22"))


def test_a_frame_that_arrives_before_it_leaves_makes_the_step_incomplete() -> None:
    left, came = r.sightings(r.recorded(4), 8)
    early = replace(came, time_ns=left.time_ns - 200_000)
    frames = [early if frame is came else frame for frame in r.recorded(4).frames]
    (timeline,) = build_timelines(r.with_frames(r.recorded(4), frames))
    assert [reason for reason in timeline.bracket.incomplete if "before it left" in reason]
    outcomes = {judgement.verdict.outcome for judgement in judge(r.CLAIMS, [timeline])}
    assert outcomes == {Outcome.UNDECIDED}


def test_two_points_that_saw_different_bytes_of_a_frame_decide_nothing() -> None:
    whole = r.recorded(4)
    for seen in r.sightings(whole, 6):
        other = replace(seen, data=r.add_to("seq", 1)(seen.data))
        recording = replace(whole, frames=tuple(other if f is seen else f for f in whole.frames))
        (timeline,) = build_timelines(recording)
        (reason,) = timeline.bracket.incomplete
        told = "was seen arriving at server/eth0 and not leaving client/eth0: one of the two"
        assert told in reason
        judgements = judge(r.CLAIMS, [timeline])
        assert {each.verdict.outcome for each in judgements} == {Outcome.UNDECIDED}


def test_frames_that_nothing_saw_leaving_are_named_as_far_as_one_can_read() -> None:
    whole = r.recorded(4)
    (timeline,) = build_timelines(whole)
    story = [f for f in timeline.bracket.frames if f.direction is Direction.OUT]
    (timeline,) = build_timelines(r.with_frames(whole, [f for f in whole.frames if f not in story]))
    *named, rest = timeline.bracket.incomplete
    assert (len(named), rest) == (3, f"{len(story) - 3} more frames arrived so")


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-unix4", "traced-calls4", "tcp4"])
def test_descriptors_are_followed_once_a_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = load_recording(r.FOLDER / name)
    runs: list[str] = []
    original = descriptors._Follower.run

    def run(follower: descriptors._Follower) -> None:
        runs.append(",".join({call.step for call in follower.calls}))
        original(follower)

    monkeypatch.setattr(descriptors._Follower, "run", run)
    timelines = build_timelines(recording)
    assert [step for step in runs if step] == [t.step for t in timelines if t.system_calls]
    assert len(runs) == len(timelines)


NAT = r.recording_of("nat4")


def test_a_frame_that_left_over_the_next_link_has_not_left_over_this_one() -> None:
    """A switch sends the same bytes on: they are no sign that its sender sent them."""
    place, frame = next(
        (place, frame)
        for place, frame in enumerate(NAT.frames)
        if frame.point == "h1/eth0" and frame.direction is Direction.OUT and dissect(frame).tcp
    )
    assert any(each.data == frame.data and each.point == "s1/eth2" for each in NAT.frames)
    other = replace(frame, data=frame.data[:-1] + bytes((frame.data[-1] ^ 1,)))
    frames = (*NAT.frames[:place], other, *NAT.frames[place + 1 :])
    incomplete = build_timelines(replace(NAT, frames=frames))[0].bracket.incomplete
    assert any("arriving at s1/eth0 and not leaving h1/eth0" in each for each in incomplete)
    assert build_timelines(NAT)[0].bracket.incomplete == ()


def test_a_routers_interface_that_the_witness_did_not_see_is_missed() -> None:
    seen = tuple(each for each in NAT.interfaces if each.host != "nat")
    for timeline in build_timelines(replace(NAT, interfaces=seen)):
        assert "nat/eth0 was captured, and not seen among the interfaces" in (
            timeline.bracket.incomplete
        )


def test_a_frame_of_the_same_bytes_that_has_arrived_itself_excuses_no_other() -> None:
    """Two SYN-ACKs of one millisecond are alike; one is seen with other bytes as it left."""
    run = r.recording_of("loss-syn-ack4")
    places = [
        place
        for place, frame in enumerate(run.frames)
        if frame.point == "server/eth0"
        and frame.direction is Direction.OUT
        and (tcp := dissect(frame).tcp) is not None
        and tcp.flags == TcpFlags.SYN | TcpFlags.ACK
    ]
    _, second, third = places
    frame = run.frames[second]
    assert frame.data == run.frames[third].data
    other = replace(frame, data=frame.data[:37] + bytes((frame.data[37] ^ 1,)) + frame.data[38:])
    frames = (*run.frames[:second], other, *run.frames[second + 1 :])
    incomplete = build_timelines(replace(run, frames=frames))[0].bracket.incomplete
    assert any("arriving at client/eth0 and not leaving server/eth0" in each for each in incomplete)


def test_a_frame_of_another_step_excuses_none_that_did_not_leave() -> None:
    again = r.twice(r.recorded(4))
    left, _ = r.sightings(r.recorded(4), 1)
    alike = [
        frame
        for frame in again.frames
        if frame.direction is Direction.OUT and frame.data == left.data
    ]
    assert len(alike) == 2
    frames = [frame for frame in again.frames if frame is not alike[1]]
    first, second = build_timelines(r.with_frames(again, frames))
    assert not first.bracket.incomplete
    assert any("not leaving client/eth0" in each for each in second.bracket.incomplete)
