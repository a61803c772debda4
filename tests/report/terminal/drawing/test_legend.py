from __future__ import annotations

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.ladder.build import build_ladder
from lab.ladder.model import Ladder
from lab.report.terminal.drawing.legend import draw_legend, legend_of
from lab.report.terminal.drawing.style import Style

STYLE = Style(80, False)


def ladder(name: str) -> Ladder:
    return build_ladder(build_timelines(r.recording_of(name))[0])


def clauses(name: str, style: Style = STYLE) -> str:
    return "; ".join(legend_of(ladder(name), style))


def test_of_frames_alone_states_and_the_port_are_explained() -> None:
    told = clauses("tcp4")
    assert told.startswith("states in capitals beside a frame are inferred")
    assert "call is entered" not in told


def test_of_datagrams_nothing_needs_an_explanation() -> None:
    assert clauses("udp4") == ""
    assert list(draw_legend([], STYLE)) == []


def test_of_calls_their_signs_and_the_kernels_states_are_explained_first() -> None:
    told = clauses("traced-tcp4")
    assert told.startswith("┌ (right: ┐) a call is entered, └ (right: ┘) it has returned")
    assert "kernel: a TCP state, measured in the kernel" in told
    assert told.index("kernel: a TCP state") < told.index("states in capitals")


def test_in_ascii_the_signs_are_those_that_are_drawn() -> None:
    assert clauses("traced-tcp4", Style(80, True)).isascii()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_legend_fits_its_page(width: int) -> None:
    style = Style(width, False)
    lines = [line.plain for line in draw_legend(legend_of(ladder("traced-tcp4"), style), style)]
    assert max(map(len, lines)) <= width
    assert " ".join(line.strip() for line in lines) == clauses("traced-tcp4", style)
