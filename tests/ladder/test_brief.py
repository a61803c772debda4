from __future__ import annotations

import io
from functools import cache
from itertools import pairwise

import pytest
import recorded as r
from step_edits import recording_of

from lab.analysis.assembly import build_timelines
from lab.analysis.story import Phase
from lab.analysis.tcp.segment import Note
from lab.ladder.brief import FIRST_OF_ROWS, MOST_ROWS, brief, excerpt
from lab.ladder.build import build_ladder
from lab.ladder.model import (
    CallRow,
    DropRow,
    ElisionRow,
    FrameRow,
    Ladder,
    NoteRow,
    Part,
    PhaseRow,
    StateRow,
)
from lab.model.event import frame_id
from lab.report.terminal.page import About, Page, draw_brief
from lab.run import judge_recording
from lab.scenario_files import find_scenario, load_scenario

TRACED = ["traced-tcp4", "traced-tcp6", "traced-udp4", "traced-unix4", "traced-calls4"]
NEIGHBOUR = Phase.NEIGHBOUR
EVERY = sorted(path.name for path in r.FOLDER.iterdir() if path.is_dir())


@cache
def ladders(name: str) -> tuple[Ladder, ...]:
    return tuple(map(build_ladder, build_timelines(recording_of(name))))


def frames(ladder: Ladder) -> list[object]:
    """Each once, however many links it goes over."""
    rows = ladder.every_row()
    return [*dict.fromkeys(row.event for row in rows if isinstance(row, FrameRow))]


@pytest.mark.parametrize("name", EVERY)
def test_every_frame_is_still_there(name: str) -> None:
    for ladder in ladders(name):
        assert frames(brief(ladder)) == frames(ladder)


def test_a_frame_over_several_links_is_one_arrow_from_end_to_end() -> None:
    for name in ("nat4", "routing4", "switch4"):
        for ladder in ladders(name):
            rows = [row for row in ladder.every_row() if isinstance(row, FrameRow)]
            (*shorter,) = (row for row in brief(ladder).every_row() if isinstance(row, FrameRow))
            for one in shorter:
                links = [row for row in rows if row.event == one.event]
                assert (one.source, one.target) == (links[0].source, links[-1].target)
                assert one.receiver_state == links[-1].receiver_state
                assert one.is_lost == links[-1].is_lost
            assert len({(row.event, row.part) for row in shorter}) == len(shorter)


def test_what_a_device_does_is_said_once_for_each_way() -> None:
    ladder = ladders("nat4")[0]
    rows = [row for row in ladder.every_row() if isinstance(row, FrameRow)]
    shorter = [row for row in brief(ladder).every_row() if isinstance(row, FrameRow)]
    done = [text for row in shorter for text in row.on_the_way]
    assert done == [*dict.fromkeys(row.text for row in rows if row.hop > 1 and row.text in done)]
    # Two clients, both ways.
    assert len([text for text in done if text.startswith("nat translates ")]) == 4
    assert not any(text.endswith("forwards it") for text in done)


@pytest.mark.parametrize("name", TRACED)
def test_every_call_is_there_once_joined_or_counted(name: str) -> None:
    for ladder in ladders(name):
        shorter = brief(ladder)
        calls = {row.event for row in ladder.every_row() if isinstance(row, CallRow)}
        left = [row for row in shorter.every_row() if isinstance(row, CallRow)]
        counted = shorter.background[len(ladder.background) :]
        assert len(calls) == len({row.event for row in left}) + sum(b.calls for b in counted)


@pytest.mark.parametrize("name", TRACED)
def test_each_bracket_that_opens_closes_once(name: str) -> None:
    for ladder in ladders(name):
        opened: set[object] = set()
        for row in brief(ladder).every_row():
            if isinstance(row, CallRow) and row.part is Part.START:
                opened.add(row.event)
            if isinstance(row, CallRow) and row.part is Part.END:
                opened.remove(row.event)
            if isinstance(row, FrameRow) and row.closes is not None:
                opened.remove(row.closes.event)
        assert not opened


def test_a_call_inside_which_frames_alone_go_is_one_row_with_its_result() -> None:
    (ladder,) = ladders("traced-tcp4")
    rows = [row for row in brief(ladder).rows if isinstance(row, CallRow)]
    (connect,) = [row for row in rows if row.name == "connect"]
    assert (connect.part, connect.result) == (Part.START, "0")
    reads = [row for row in rows if row.name == "recvfrom" and row.part is Part.START]
    assert reads and not any(row.result for row in reads)


def test_states_stand_beside_segments_and_remarks_are_for_the_whole_ladder() -> None:
    (ladder,) = ladders("traced-tcp4")
    assert any(isinstance(row, StateRow | NoteRow) for row in ladder.rows)
    assert not any(isinstance(row, StateRow | NoteRow) for row in brief(ladder).rows)


def test_a_long_ladder_loses_its_middle() -> None:
    long = max(ladders("traced-calls4"), key=lambda ladder: len(ladder.rows))
    usual = [
        row for row in long.rows
        if not (isinstance(row, CallRow) and row.is_fault) and not isinstance(row, DropRow)
    ]  # fmt: skip
    many = Ladder(long.lanes, tuple(usual) * 10)
    for most in (MOST_ROWS, 20):
        rows = brief(many, most).rows
        assert len(rows) == most + 1
        assert isinstance(rows[round(most * FIRST_OF_ROWS)], ElisionRow)


@pytest.mark.parametrize("name", ["pmtu4", "pmtu6"])
def test_a_long_ladder_keeps_what_is_lost_and_what_goes_again(name: str) -> None:
    ladder = ladders(name)[0]
    shorter = brief(ladder, 24)
    assert len(shorter.rows) == 25
    whole = [row for row in ladder.rows if isinstance(row, FrameRow)]
    wanted = {row.event for row in whole if row.is_lost or Note.RETRANSMISSION in row.notes}
    left = {row.event for row in shorter.rows if isinstance(row, FrameRow)}
    assert wanted and wanted <= left


@pytest.mark.parametrize("name", ["pmtu4", "pmtu6"])
def test_of_a_long_way_the_first_neighbour_is_shown_and_the_others_are_folded(name: str) -> None:
    ladder = ladders(name)[0]
    found = [
        row.event for row in ladder.rows if isinstance(row, FrameRow) and row.phase is NEIGHBOUR
    ]
    whole, folded = brief(ladder), brief(ladder, 30)
    assert not any(isinstance(row, ElisionRow) for row in whole.rows)
    shown = [
        row.event for row in folded.rows if isinstance(row, FrameRow) and row.phase is NEIGHBOUR
    ]
    assert shown == found[:2]
    (first, *_) = (row for row in folded.rows if isinstance(row, ElisionRow))
    assert first.text.endswith(" find other neighbours in the same way")
    assert [row.event for row in first.rows if isinstance(row, FrameRow)] == found[
        2 : len(first.rows) + 2
    ]


@pytest.mark.parametrize("name", EVERY)
def test_beneath_each_heading_stands_something_of_its_phase(name: str) -> None:
    for ladder in ladders(name):
        rows = brief(ladder).rows
        for row, below in pairwise(rows):
            if isinstance(row, PhaseRow):
                assert isinstance(below, FrameRow) and below.phase is row.phase


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize(
    "name", ["traced-tcp4", "traced-udp4", "types4", "traced-calls4", "nat4", "switch4"]
)
def test_a_brief_page_fits(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    recording = recording_of(name)
    scenario = load_scenario(find_scenario(recording.scenario))
    timelines, judgements = judge_recording(recording, scenario)
    table = None if scenario.table is None else scenario.table(*timelines)
    file = io.StringIO()
    page = Page(file)
    about = About(recording.scenario, scenario.lesson, table)
    drawn = [*map(build_ladder, timelines)]
    page.print(draw_brief(timelines, drawn, judgements, about, page.style))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    if width >= 80:
        assert len(lines) <= (80 if "tcp" in name else 118)


def test_it_has_the_rows_around_the_first_event_that_is_there() -> None:
    drawn = ladders("traced-tcp4")
    found = excerpt(drawn, [frame_id(99), frame_id(8)], 2, 1)
    assert found is not None
    assert getattr(found.rows[2], "event", None) == frame_id(8)
    assert len(found.rows) == 4
    assert found.lanes == drawn[0].lanes


def test_it_begins_with_the_ladder_where_that_has_fewer_rows_above() -> None:
    drawn = ladders("tcp4")
    found = excerpt(drawn, [frame_id(1)], 50, 0)
    assert found is not None
    assert getattr(found.rows[-1], "event", None) == frame_id(1)


def test_there_is_none_of_an_event_that_no_ladder_has() -> None:
    assert excerpt(ladders("tcp4"), [frame_id(999)], 3, 3) is None
    assert excerpt([], [frame_id(1)], 3, 3) is None
