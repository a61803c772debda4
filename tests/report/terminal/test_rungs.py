from __future__ import annotations

import pytest
from transcript import converse

from lab.report.terminal.rungs import Rung, draw_arrival, draw_departure, rungs_of
from lab.report.terminal.style import Style

TALK = """
0.001 client > server SYN seq=100 win=1000 mss=1460 ws=7
0.002 server > client SYN,ACK seq=900 ack=101 win=1000 mss=1460 ws=7
"""
PRETTY, ASCII = Style(80, ascii_only=False), Style(80, ascii_only=True)


def rungs() -> list[Rung]:
    talk = converse(TALK)
    segment_of = {segment.crossing: segment for segment in talk.segments}
    return rungs_of(talk.flow.crossings, segment_of, lambda crossing: crossing.sender == "client")


def test_the_halves_of_an_arrow_to_the_right() -> None:
    syn, _ = rungs()
    assert draw_departure(syn, 40, PRETTY) == "─SYN seq=0 win=1000──────────┄┄┄┄┄┄┄┄┄┄┄"
    assert draw_arrival(syn, "+2 ms", 40, PRETTY) == "┄+2 ms┄┄┄┄┄┄┄┄┄┄┄┄┄┄SYN seq=0 win=1000─▶"


def test_the_halves_of_an_arrow_to_the_left() -> None:
    _, answer = rungs()
    assert draw_departure(answer, 40, ASCII) == "......-----SYN ACK seq=0 ack=1 win=1000-"
    assert draw_arrival(answer, "+2 ms", 40, ASCII) == "<-SYN ACK seq=0 ack=1 win=1000....+2 ms."


@pytest.mark.parametrize("wire", [30, 36, 40, 80])
@pytest.mark.parametrize("style", [PRETTY, ASCII])
def test_halves_are_as_wide_as_the_wire(wire: int, style: Style) -> None:
    for rung in rungs():
        assert len(draw_departure(rung, wire, style)) == wire
        assert len(draw_arrival(rung, "+12345.678 ms", wire, style)) == wire
