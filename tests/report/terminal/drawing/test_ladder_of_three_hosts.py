"""A recorded run of client, relay and server: everything stands in its own host's lane."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.ladder.build import build_ladder
from lab.ladder.model import CallRow, FrameRow, Ladder, StateRow
from lab.report.terminal.drawing.ladder import draw_ladder
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.run_ladder import draw_run_ladder

GOLDEN = Path(__file__).parent / "relayed"
LANES = ("client", "relay", "server")
STYLES = [Style(width, ascii_only) for width in (80, 100, 120) for ascii_only in (False, True)]
TRACED = ("relayed4", "relayed4-ptrace")


@cache
def timeline_of(name: str) -> Timeline:
    (timeline,) = build_timelines(r.recording_of(name))
    return timeline


@cache
def ladder_of(name: str) -> Ladder:
    return build_ladder(timeline_of(name))


def rows_drawn(name: str, style: Style) -> list[str]:
    return [line.plain for line in draw_ladder(ladder_of(name), style)]


def columns_of(lines: list[str], style: Style) -> list[int]:
    """The columns of the three lanes, as their names stand above them."""
    head = lines[0]
    places = [head.index("client"), head.index("relay"), style.width - 1]
    assert head.endswith("server")
    return places


@pytest.mark.parametrize(
    ("name", "width", "ascii_only"),
    [
        ("relayed4", 80, False),
        ("relayed4", 80, True),
        ("relayed4", 100, False),
        ("relayed4", 120, False),
        ("relayed4-ptrace", 80, False),
    ],
)
def test_three_hosts_read_as_they_did(
    name: str, width: int, ascii_only: bool, tmp_path: Path
) -> None:
    style = Style(width, ascii_only)
    drawn = draw_run_ladder(timeline_of(name), ladder_of(name), style)
    text = "".join(line.plain.rstrip() + "\n" for line in drawn)
    file = f"{name}-{width}{'-ascii' * ascii_only}.txt"
    actual = tmp_path / file
    actual.write_text(text, "utf-8")
    golden = GOLDEN / file
    assert text == golden.read_text("utf-8"), f"if that is meant, copy {actual} to {golden}"


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("name", TRACED)
def test_no_line_is_wider_than_the_page(name: str, style: Style) -> None:
    lines = rows_drawn(name, style)
    assert max(map(len, lines)) == style.width
    assert "".join(lines).isascii() or not style.ascii_only


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("name", TRACED)
def test_each_call_has_its_bracket_in_its_own_hosts_lane(name: str, style: Style) -> None:
    lines = rows_drawn(name, style)
    at = columns_of(lines, style)
    calls = [row for row in ladder_of(name).rows if isinstance(row, CallRow)]
    shapes = "/\\-" if style.ascii_only else "┌└╶┐┘╴"
    found: dict[str, set[int]] = {lane: set() for lane in LANES}
    for line in lines:
        if match := re.search(r"(?<!\w)#(\d+) (\w+)", line):
            here = [n for n, place in enumerate(at) if line[place] in shapes]
            assert len(here) == 1, line
            found[LANES[here[0]]].add(int(match[1]))
    for lane in LANES:
        assert found[lane] == {row.event.number for row in calls if row.event.program == lane}


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("name", TRACED)
def test_each_arrow_goes_between_its_own_hosts_lanes(name: str, style: Style) -> None:
    lines = rows_drawn(name, style)
    at = columns_of(lines, style)
    frames = {row.event.number: row for row in ladder_of(name).rows if isinstance(row, FrameRow)}
    seen: set[int] = set()
    for line in lines:
        match = re.search(r"\bf(\d+) (?:ARP|SYN|ACK|PSH|FIN)", line[10:])
        if match and line[:9].strip():
            row = frames[int(match[1])]
            left, right = sorted((at[row.source], at[row.target]))
            assert left < match.start() + 10 and match.end() + 10 < right, line
            seen.add(row.event.number)
    assert seen == set(frames)


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_each_state_stands_beside_its_own_hosts_lane(style: Style) -> None:
    lines = rows_drawn("relayed4", style)
    at = columns_of(lines, style)
    states = [row for row in ladder_of("relayed4").rows if isinstance(row, StateRow)]
    drawn = [line for line in lines if "kernel: " in line and line[:9].strip()]
    assert len(drawn) == len(states) > 10
    for line, row in zip(drawn, states, strict=True):
        start = line.index("kernel: ")
        if row.lane == 2:
            assert at[1] < start and line[start:].rstrip(" |│┊:").endswith((row.new, "→", "->"))
        else:
            assert start == at[row.lane] + 2


def test_calls_and_states_are_in_every_lane() -> None:
    for name in TRACED:
        for kind in (CallRow, StateRow):
            assert {row.lane for row in ladder_of(name).rows if isinstance(row, kind)} == {0, 1, 2}


def test_without_calls_three_lanes_are_drawn_as_well() -> None:
    silent = replace(timeline_of("relayed4"), system_calls=())
    lines = [line.plain for line in draw_ladder(build_ladder(silent), Style(80, True))]
    (syn, onward) = (line for line in lines if "SYN seq=0" in line and "ACK" not in line)
    assert syn.index(">") < onward.index("-")
    assert {len(line) for line in (syn, onward)} == {80}


def test_states_that_do_not_fit_beside_each_other_stand_below_each_other() -> None:
    """As between neighbouring lanes of eight hosts on a terminal of 80 columns."""
    (ladder, *_) = [build_ladder(each) for each in build_timelines(r.recording_of("tcp4"))]
    lanes = (*ladder.lanes, *(replace(ladder.lanes[0], name=f"h{n}") for n in range(6)))
    drawn = "\n".join(
        line.plain for line in draw_ladder(replace(ladder, lanes=lanes), Style(80, False))
    )
    for state in ("SYN-SE", "SYN-RE", "ESTABL", "FIN-WA", "LAST-A"):
        assert state in drawn
