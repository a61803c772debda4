from __future__ import annotations

from collections.abc import Hashable

import traced_runs as t

from lab.analysis.story import Phase
from lab.ladder import likeness
from lab.ladder.build import build_ladder
from lab.ladder.calls import CallRows
from lab.ladder.frames import frame_row, segments_by_crossing
from lab.ladder.model import CallLabel, CallRow, Part


def kinds() -> dict[str, Hashable]:
    """The kind of each call and frame of the recorded conversation, as a whole."""
    timeline = t.talk()
    rows = CallRows({call.id: CallLabel(1) for call in timeline.system_calls}, lambda _: 0)
    found = {
        str(call.id): likeness.of_call(rows.row(call, Part.WHOLE, 0, False), call).kind
        for call in timeline.system_calls
    }
    segment_of = segments_by_crossing(timeline.conversations)
    for crossing in timeline.crossings:
        ways = (0, 1, True) if crossing.sender == "client" else (1, 0, False)
        segment = segment_of.get(crossing.number)
        row = frame_row(crossing, segment, ways, Phase.DATA)
        found[str(crossing.id)] = likeness.of_frame(row, segment).kind
    return found


def test_sends_look_alike_whatever_they_send() -> None:
    kind = kinds()
    assert kind["client#3"] == kind["client#4"] == kind["client#5"]
    assert (
        len(
            {
                kind["client#1"],
                kind["client#2"],
                kind["client#3"],
                kind["server#8"],
            }
        )
        == 4
    )


def test_segments_look_alike_that_go_one_way_and_carry_bytes() -> None:
    kind = kinds()
    assert kind["f6"] == kind["f8"] == kind["f10"]
    assert kind["f7"] == kind["f9"]
    assert (
        len(
            {
                kind["f6"],
                kind["f7"],
                kind["f13"],
                kind["f3"],
                kind["f12"],
                kind["f1"],
            }
        )
        == 6
    )


def test_what_is_never_left_out_is_like_nothing() -> None:
    (row, *_) = build_ladder(t.talk()).rows
    assert isinstance(row, CallRow)
    assert likeness.always(row).kind is None
