"""A moment as lines: they fit, and what matters is among them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from step_scenes import EMPTY, frame, scene

from lab.records import SourceLine
from lab.stepping.keys import HandState
from lab.stepping.panes import (
    STEP_KEYS,
    TIMERS_RUN,
    Line,
    bottom_lines,
    head_line,
    host_lines,
    widths,
    wire_lines,
)
from lab.stepping.predict import Predictions
from lab.stepping.scene import CallShown, HostShown, ProgramShown, SocketShown

LINE = SourceLine("/x/client.py", 7, "main", "", 5, ("a = 1", "", "\ts.recv(9)", "b", "c"))
CALLS = tuple(CallShown(f"close({number}) = 0", False) for number in range(40))
PROGRAM = ProgramShown(
    "client",
    "runs",
    LINE,
    (*CALLS, CallShown("recvfrom(3, buf, 9)", True)),
    "recvfrom: waits for data",
)
HOST = HostShown("client", (PROGRAM,), (SocketShown("tcp 5 SYN_SENT", "resends in 1.0 s"),))


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("rows", [10, 20, 60])
def test_everything_fits(columns: int, rows: int) -> None:
    pane = widths(columns)
    assert sum(pane) + 2 == columns
    busy = scene(*(frame(number) for number in range(1, 90)))
    for width, lines in (
        (pane.left, host_lines(HOST, pane.left, rows)),
        (pane.wire, wire_lines(busy, HandState(), pane.wire, rows)),
        (columns, [head_line(busy, columns)]),
        (columns, bottom_lines(busy, HandState(mode="predict"), columns, STEP_KEYS)),
    ):
        assert all(len(line.text) <= width for line in lines)
        assert len(lines) in (1, 3, rows)


def test_the_call_that_a_program_is_in_and_its_line_are_lit() -> None:
    lines = host_lines(HOST, 40, 20)
    assert Line("> recvfrom(3, buf, 9)", "lit") in lines
    assert Line(">  7     s.recv(9)", "lit") in lines
    assert Line("client.py:7", "dim") in lines
    assert lines[-2:] == [Line("tcp 5 SYN_SENT"), Line("  resends in 1.0 s", "warn")]
    assert Line("recvfrom: waits for data", "warn") in lines


def test_a_call_that_is_made_again_and_again_stands_there_once() -> None:
    polls = tuple(CallShown("poll(fds, 1, 500) = 0", False) for _ in range(7))
    inside = CallShown("recvfrom(3, buf, 9)", True)
    program = ProgramShown("server", "runs", None, (CALLS[0], *polls, inside), "")
    lines = host_lines(HostShown("server", (program,), ()), 40, 12)
    assert [line.text for line in lines[2:5]] == [
        "  close(0) = 0",
        "  7 x poll(fds, 1, 500) = 0",
        "> recvfrom(3, buf, 9)",
    ]


def test_the_selected_frame_is_among_those_that_are_shown() -> None:
    busy = scene(*(frame(number) for number in range(1, 90)))
    lines = wire_lines(busy, HandState(selected=70), 30, 12)
    assert any(line.look == "selected" and " 70 " in line.text for line in lines)


def test_what_has_gone_stands_above_what_waits() -> None:
    past = replace(frame(1, "gone"), note="dropped", to_right=False)
    lines = wire_lines(replace(scene(frame(2)), past=(past,)), HandState(), 40, 12)
    assert [line.text for line in lines[:4]] == [
        "the wire",
        " <x- PSH ACK seq=1 dropped",
        ">--> 2 PSH ACK seq=2",
        "     waits for 1.0 s",
    ]
    assert wire_lines(EMPTY, HandState(), 40, 5)[1].text == "  nothing is on its way"


def test_below_stand_what_is_said_that_timers_run_on_and_the_keys() -> None:
    said, note, keys = bottom_lines(EMPTY, HandState(message="so it is"), 80, STEP_KEYS)
    assert (said.text, note.text, keys.text) == ("so it is", TIMERS_RUN, STEP_KEYS)
    assert len(STEP_KEYS) <= 80
    scored = HandState(predictions=Predictions(asked=3, right=2))
    assert bottom_lines(EMPTY, scored, 80, "")[1].text.endswith("predicted: 2 of 3 right")
    until = bottom_lines(EMPTY, HandState(mode="until"), 80, "")[2].text
    assert "l client calls" in until and "m server calls" in until
    asked = " ".join(line.text for line in bottom_lines(EMPTY, HandState(mode="predict"), 80, ""))
    assert "1:client SYN" in asked and "n:nothing" in asked
