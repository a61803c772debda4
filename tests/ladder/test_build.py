from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import traced_runs as t

from lab.analysis.assembly import build_timelines
from lab.analysis.story import EXPLANATIONS, Phase
from lab.ladder import build
from lab.ladder.build import build_ladder, with_phases
from lab.ladder.model import (
    CallRow,
    DropRow,
    ElisionRow,
    FrameRow,
    Ladder,
    NoteRow,
    Part,
    PhaseRow,
    QueueRow,
    Row,
    StateRow,
    TransferRow,
)

RECORDED = ["tcp4", "udp6", "unix4", "buffers", "traced-tcp6", "traced-udp4", "traced-unix4",
            "traced-calls4", "relayed4", "relayed4-ptrace"]  # fmt: skip


def rows_of(ladder: Ladder, kind: type[Row]) -> list[Row]:
    return [row for row in ladder.every_row() if isinstance(row, kind)]


@pytest.mark.parametrize("name", RECORDED)
def test_every_event_of_a_step_has_its_rows(name: str) -> None:
    for timeline in build_timelines(r.recording_of(name)):
        ladder = build_ladder(timeline)
        shown = {row.event for row in ladder.every_row() if hasattr(row, "event")}
        if timeline.system_calls:
            assert shown == {event.id for event in timeline.order.events}
        else:
            assert shown == {crossing.id for crossing in timeline.crossings}


@pytest.mark.parametrize("name", RECORDED)
def test_each_row_stands_in_a_lane_that_there_is(name: str) -> None:
    for timeline in build_timelines(r.recording_of(name)):
        ladder = build_ladder(timeline)
        for row in ladder.every_row():
            for lane in ("lane", "source", "target"):
                assert getattr(row, lane, 0) in range(len(ladder.lanes))


@pytest.mark.parametrize("name", RECORDED)
def test_a_call_has_one_row_or_a_start_and_an_end(name: str) -> None:
    for timeline in build_timelines(r.recording_of(name)):
        parts: dict[object, list[Part]] = {}
        for row in build_ladder(timeline).every_row():
            if isinstance(row, CallRow):
                parts.setdefault(row.event, []).append(row.part)
        assert set(map(tuple, parts.values())) <= {(Part.WHOLE,), (Part.START, Part.END)}


def test_rows_stand_in_the_order_of_the_timeline() -> None:
    timeline = t.talk()
    times = [row.time_ns for row in build_ladder(timeline).rows
             if isinstance(row, CallRow | FrameRow | StateRow) and row.time_ns]  # fmt: skip
    assert times == sorted(times)


def test_a_phase_is_explained_where_it_comes_first() -> None:
    ladder = build_ladder(t.talk())
    phases = [row for row in ladder.rows if isinstance(row, PhaseRow)]
    assert [row.phase for row in phases] == [
        Phase.NEIGHBOUR, Phase.OPENING, Phase.DATA, Phase.CLOSING
    ]  # fmt: skip
    assert {row.explanation for row in phases} == {EXPLANATIONS[row.phase] for row in phases}
    frames = [row for row in ladder.rows if isinstance(row, FrameRow)]
    again = [row for row in with_phases([*frames, *frames]) if isinstance(row, PhaseRow)]
    assert [bool(row.explanation) for row in again] == [True] * 4 + [False] * 4


def test_a_note_follows_its_event_in_its_lane() -> None:
    rows = build_ladder(t.talk()).rows
    notes = [n for n, row in enumerate(rows) if isinstance(row, NoteRow)]
    assert len(notes) == 2
    for at in notes:
        note, before = rows[at], rows[at - 1]
        assert isinstance(note, NoteRow) and isinstance(before, CallRow | FrameRow)
        assert note.event == before.event and note.lane == 1


def test_a_local_transfer_stands_above_the_read_that_returned_it() -> None:
    rows = build_ladder(t.unix_talk()).rows
    places = [n for n, row in enumerate(rows) if isinstance(row, TransferRow)]
    assert len(places) == 2
    for at in places:
        transfer, read = rows[at], rows[at + 1]
        assert isinstance(transfer, TransferRow) and isinstance(read, CallRow)
        assert transfer.read == read.event


def test_queues_and_drops_name_their_call_and_frame() -> None:
    queues = rows_of(build_ladder(t.unread()), QueueRow)
    assert [str(row.call) for row in queues if isinstance(row, QueueRow)] == [
        "server#1", "server#2", "client#2"
    ]  # fmt: skip
    (drop,) = rows_of(build_ladder(t.dropped()), DropRow)
    assert isinstance(drop, DropRow)
    assert (str(drop.frame), drop.lane, drop.reason) == ("f3", 1, "NO_SOCKET")


def test_what_repeats_is_left_out_with_all_that_belongs_to_it() -> None:
    told = [("client", -900 + n, -899.9 + n, "poll(fds, 1, 0)", "0") for n in range(300)]
    ladder = build_ladder(t.talk(told=tuple(told)))
    (elision,) = (row for row in ladder.rows if isinstance(row, ElisionRow))
    assert (len(elision.rows), elision.lane) == (298, 0)
    assert elision.text == "... 298 times more"
    assert len(rows_of(ladder, CallRow)) == 300


def test_a_call_that_never_returned_ends_the_ladder() -> None:
    last = build_ladder(t.talk()).rows[-1]
    assert isinstance(last, CallRow) and last.is_unfinished and str(last.event) == "client#9"


def parts_of_calls(ladder: Ladder) -> set[tuple[Part, ...]]:
    parts: dict[object, list[Part]] = {}
    for row in ladder.every_row():
        if isinstance(row, CallRow):
            parts.setdefault(row.event, []).append(row.part)
    return set(map(tuple, parts.values()))


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize("enough", range(4, 20))
def test_of_far_too_many_events_only_the_ends_have_rows(
    monkeypatch: pytest.MonkeyPatch, enough: int, traced: bool
) -> None:
    timeline = t.talk() if traced else replace(t.talk(), system_calls=())
    whole = build_ladder(timeline)
    monkeypatch.setattr(build, "MOST_EVENTS", 2 * enough)
    monkeypatch.setattr(build, "ENOUGH_EVENTS", enough)
    count = len(timeline.order.events if traced else timeline.crossings)
    cut = build_ladder(timeline)
    if count <= 2 * enough:
        assert cut == whole
        return
    (elision,) = (row for row in cut.rows if isinstance(row, ElisionRow))
    assert elision.text.startswith(f"... {count - 2 * enough} events left out")
    # What is drawn is drawn as in the whole ladder; every call that opens is closed.
    drawn = [row for row in cut.rows if hasattr(row, "part") and row.part is Part.WHOLE]
    assert all(row in whole.rows for row in drawn)
    allowed = {(Part.WHOLE,), (Part.START, Part.END)}
    assert parts_of_calls(cut) <= allowed
    if traced:
        assert str(cut.rows[-1].event) == "client#9"
