from __future__ import annotations

from scenes import recorded_result, recorded_scene

from lab.ladder.brief import brief, excerpt
from lab.ladder.build import build_ladder
from lab.ladder.model import FrameKind
from lab.model.event import EventId, EventKind
from lab.scene.build import build_scene
from lab.scene.model import Scene, SlotKind

TRACED = "traced-tcp4"


def call_named(scene: Scene, label: str, lane: int) -> tuple[int, int]:
    (found,) = [call for call in scene.calls if call.label == label and call.lane == lane]
    return found.start, found.end


def test_every_row_has_a_slot() -> None:
    ladder = build_ladder(recorded_result(TRACED).timelines[0])
    assert len(recorded_scene(TRACED).slots) == len(list(ladder.every_row()))


def test_a_call_reaches_from_its_entry_to_its_return_over_what_came_between() -> None:
    scene = recorded_scene(TRACED)
    start, end = call_named(scene, "#5", 1)  # accept(2)
    between = {str(slot.event) for slot in scene.slots[start:end] if slot.event}
    assert {"client#2", "f3", "f4", "f5"} <= between
    (accept,) = [call for call in scene.calls if (call.start, call.end) == (start, end)]
    assert accept.text.startswith("accept4(3")
    assert accept.outcome.startswith("accept4 = 4")
    assert accept.is_closed
    assert accept.duration_ns is not None
    times = [scene.slots[slot].time_ns or 0 for slot in (start, end)]
    assert times[1] - times[0] == accept.duration_ns


def test_in_a_brief_ladder_a_call_ends_at_the_last_frame_before_its_return() -> None:
    scene = build_scene(brief(build_ladder(recorded_result(TRACED).timelines[0])))
    told = [call for call in scene.calls if call.is_told_first]
    assert told, "none of the calls is one row"
    for call in told:
        assert call.start < call.end
        assert {scene.slots[n].kind for n in range(call.start + 1, call.end)} <= {
            *(SlotKind.FRAME, SlotKind.HEADING, SlotKind.DROP, SlotKind.STRIKE)
        }
        assert scene.slots[call.end].kind is SlotKind.FRAME
        assert call.outcome
        assert call.is_closed


def test_a_call_whose_return_is_beyond_an_excerpt_says_there_what_it_is_and_no_more() -> None:
    ladder = build_ladder(recorded_result(TRACED).timelines[0])
    connect = EventId(EventKind.SYSTEM_CALL, 2, "client")
    few = excerpt([ladder], [connect], 1, 1)
    assert few is not None
    scene = build_scene(few)
    (call,) = [call for call in scene.calls if call.event == connect]
    assert (call.end, call.is_told_first, call.outcome) == (len(scene.slots) - 1, True, "0")


def test_every_frame_has_one_arrow_from_where_it_left_to_where_it_arrived() -> None:
    scene = recorded_scene(TRACED)
    assert [str(arrow.event) for arrow in scene.arrows] == [f"f{n}" for n in range(1, 21)]
    syn, last = scene.arrows[2], scene.arrows[19]
    assert (syn.kind, syn.source, syn.target, syn.is_forward) == (FrameKind.SYN, 0, 1, True)
    assert last.end > last.start, "something happened while it was on its way"


def test_calls_that_overlap_in_one_lane_stand_side_by_side() -> None:
    scene = recorded_scene("traced-unix4")
    for lane in range(len(scene.lanes)):
        calls = [call for call in scene.calls if call.lane == lane]
        for one in calls:
            for other in calls:
                if one is not other and one.start < other.start < one.end:
                    assert one.column != other.column


def test_a_frame_that_a_wire_changed_is_gone_and_says_by_which_rule() -> None:
    arrows = recorded_scene("wired-tcp4").arrows
    wire = "the wire: "
    assert {str(each.event): each.dropped for each in arrows if each.dropped.startswith(wire)} == {
        "f3": f"{wire}client>server rewrite ttl=9 SYN",
        "f12": f"{wire}server>client corrupt -1 data 1",
    }


def test_what_the_kernel_says_stands_at_its_slot() -> None:
    scene = recorded_scene(TRACED)
    assert [tag.text for tag in scene.tags][:2] == ["kernel: CLOSE → LISTEN",
                                                    "kernel: CLOSE → SYN_SENT"]  # fmt: skip
    assert all(scene.slots[tag.slot].kind is SlotKind.STATE for tag in scene.tags)


def test_what_repeats_is_in_a_fold() -> None:
    scene = recorded_scene("traced-udp4")
    for fold in scene.folds:
        inside = {slot.fold for slot in scene.slots[fold.slot + 1 : fold.last + 1]}
        assert inside == {fold.slot}


def test_a_dropped_frame_knows_the_reason() -> None:
    for name in ("traced-udp4", "traced-calls4"):
        for timeline in recorded_result(name).timelines:
            reasons = {drop.frame: drop.notice.reason for drop in timeline.drops}
            from lab.scene.build import build_scene

            scene = build_scene(build_ladder(timeline))
            said = {arrow.event: arrow.dropped for arrow in scene.arrows if arrow.dropped}
            assert said == reasons
            assert all(event.kind is EventKind.FRAME for event in said)
