from __future__ import annotations

from dataclasses import replace

import pytest
from rich.text import Text
from transcript import converse

from lab.analysis.story import EXPLANATIONS, Phase, phases
from lab.analysis.tcp.conversation import TcpConversation
from lab.ladder.capture import capture_ladder
from lab.ladder.model import CallLabel, CallRow, FrameRow, Ladder, Lane, Part
from lab.model.event import EventId, EventKind
from lab.report.terminal.drawing.ladder import depth_of, draw_ladder
from lab.report.terminal.drawing.style import Style

ASCII = Style(80, ascii_only=True)
TALK = """
0.001 client > server SYN seq=100 win=1000 mss=1460 ws=7
0.002 server > client SYN,ACK seq=900 ack=101 win=1000 mss=1460 ws=7
0.003 client > server ACK seq=101 ack=901
0.004 client > server ACK,PSH seq=101 ack=901 data=hello
0.005 server > client ACK seq=901 ack=106
"""


def ladder_of(talk: TcpConversation, left: str = "client", right: str = "server") -> Ladder:
    ladder = capture_ladder(talk.flow, talk, phases(talk.flow.crossings, [talk]))
    return replace(ladder, lanes=(Lane(left), Lane(right)))


def wordy(mark: str) -> list[str]:
    """The lines where the first segment is of a connection with that mark."""
    ladder = ladder_of(converse(TALK))
    rows = list(ladder.rows)
    at = next(n for n, row in enumerate(rows) if isinstance(row, FrameRow))
    first = rows[at]
    assert isinstance(first, FrameRow)
    rows[at] = replace(first, connection=mark)
    return [line.plain for line in draw_ladder(replace(ladder, rows=tuple(rows)), ASCII)]


def drawn(talk: TcpConversation, style: Style = ASCII) -> list[str]:
    return [line.plain for line in draw_ladder(ladder_of(talk), style)]


def rungs(text: str, style: Style = ASCII) -> list[str]:
    """The ladder's arrows, with the states beside them."""
    return [line for line in drawn(converse(text), style) if line[:9].strip()[:1].isdigit()]


def test_an_exchange_is_drawn_arrow_by_arrow() -> None:
    assert rungs(TALK) == [
        "    0.000 SYN-SENT     -SYN seq=0 win=1000------------------------> SYN-RECEIVED",
        "    1.000 ESTABLISHED  <--------------SYN ACK seq=0 ack=1 win=1000- SYN-RECEIVED",
        "    2.000 ESTABLISHED  -ACK seq=1 ack=1--------------------------->  ESTABLISHED",
        "    3.000 ESTABLISHED  -PSH ACK seq=1 ack=1 len=5----------------->  ESTABLISHED",
        "    4.000 ESTABLISHED  <---------------------------ACK seq=1 ack=6-  ESTABLISHED",
    ]


def test_the_head_names_both_sides() -> None:
    head = drawn(converse(TALK))[0]
    assert head.split() == ["ms", "client", "server"]
    assert len(head) == 80


def test_names_too_long_for_one_line_take_two() -> None:
    left, right = "[2001:db8:1111:2222:3333:4444:5555:6666]:40000", "[2001:db8::2]:8080 " + "x" * 30
    first, second, *_ = draw_ladder(ladder_of(converse(TALK), left, right), ASCII)
    assert first.plain.split() == ["ms", left]
    assert second.plain == " " * 31 + right
    assert len(second.plain) == 80


def test_each_phase_begins_with_its_heading_and_explanation() -> None:
    lines = drawn(converse(TALK))
    for phase in (Phase.OPENING, Phase.DATA):
        at = next(n for n, line in enumerate(lines) if line.startswith(f"-- {phase.value} -"))
        assert lines[at + 1] == f"  {EXPLANATIONS[phase]}"
        assert lines[at - 1] == ""


def test_a_phase_that_comes_again_is_not_explained_again() -> None:
    flow = converse(TALK).flow
    phase_of = dict(zip(range(1, 6), [Phase.DATAGRAMS, Phase.ERROR] * 2, strict=False))
    phase_of[5] = Phase.OTHER
    drawing = draw_ladder(capture_ladder(flow, None, phase_of), ASCII)
    lines = [line.plain for line in drawing]
    for phase, times in ((Phase.DATAGRAMS, 2), (Phase.ERROR, 2), (Phase.OTHER, 1)):
        assert sum(line.startswith(f"-- {phase.value} -") for line in lines) == times
        assert lines.count(f"  {EXPLANATIONS[phase]}") == 1


def test_options_and_payload_stand_below_their_segment() -> None:
    lines = drawn(converse(TALK))
    syn = next(n for n, line in enumerate(lines) if "SYN seq=0" in line)
    assert lines[syn + 1].strip() == "mss 1460, window scale 7"
    data = next(n for n, line in enumerate(lines) if "len=5" in line)
    assert lines[data + 1].strip() == "'hello'"


@pytest.mark.parametrize(
    ("line", "arrow"),
    [
        ("0.004 client > server ACK seq=101 ack=901 data=hello lost", "len=5---"),
        ("0.004 server > client ACK seq=901 ack=101 data=hello lost", "x------"),
    ],
)
def test_a_lost_segment_never_arrives(line: str, arrow: str) -> None:
    text = TALK[: TALK.index("0.004")] + line
    lost = rungs(text)[-1]
    assert arrow in lost
    assert "x" in lost
    assert "<" not in lost and ">" not in lost
    pretty = rungs(text, Style(80, ascii_only=False))[-1]
    assert "✗" in pretty
    assert "▶" not in pretty and "◀" not in pretty


def test_a_lost_segments_arrow_ends_at_the_far_side() -> None:
    text = TALK[: TALK.index("0.004")] + "0.004 client > server ACK seq=101 ack=901 data=x lost"
    arrow = rungs(text)[-1][23:67]
    assert arrow.startswith("-ACK") and arrow.endswith("-x")


def test_what_is_remarkable_stands_below() -> None:
    again = TALK + "0.006 client > server ACK,PSH seq=101 ack=901 data=hello"
    lines = [line.strip() for line in drawn(converse(again))]
    assert "! retransmission, spurious: acknowledged before" in lines


def test_a_receiver_that_got_nothing_has_no_state_beside_it() -> None:
    text = "0.1 client > server SYN seq=1 lost"
    assert rungs(text) == [
        "    0.000 SYN-SENT     -SYN seq=0 win=1000------------------------x             "
    ]


def test_a_payload_is_shown_as_bytes_and_cut() -> None:
    talk = converse(
        TALK[: TALK.index("0.004")]
        + "0.004 client > server ACK seq=101 ack=901 hex=1b5b324a"
        + "41" * 99
    )
    shown = drawn(talk)[-1].strip()
    assert shown.startswith(r"'\x1b[2JAAA")
    assert shown.endswith("A...")
    assert max(map(len, drawn(talk))) <= 80


@pytest.mark.parametrize("width", [80, 100, 120])
def test_arrows_grow_with_the_page(width: int) -> None:
    for line in rungs(TALK, Style(width, ascii_only=False)):
        assert len(line) == width


def test_no_crossings_are_no_ladder() -> None:
    assert list(draw_ladder(Ladder((Lane("a"), Lane("b")), ()), ASCII)) == []


def test_segments_of_several_connections_are_marked() -> None:
    text = "\n".join(wordy("4000"))
    assert "-4000: SYN seq=0" in text
    assert text.count("4000: ") == 1


def test_a_label_that_does_not_fit_its_arrow_stands_below_it() -> None:
    lines = wordy("a mark that is longer than any")
    at = next(n for n, line in enumerate(lines) if "-a mark that is longer than any:" in line)
    assert lines[at].count("...-") == 1 and "win=1000" not in lines[at]
    assert " ".join(lines[at + 1].split()) == "a mark that is longer than any: SYN seq=0 win=1000"


def test_a_legend_stands_below_the_names() -> None:
    lines = list(draw_ladder(ladder_of(converse(TALK), "a", "b"), ASCII, [Text("legend")]))
    assert lines[0].plain.split() == ["ms", "a", "b"] and lines[1].plain == "legend"


def calls(text: str) -> Ladder:
    """ "a in, a out": calls of programs a and b, which are in lanes of their own; "a" is whole."""
    parts = {"in": Part.START, "out": Part.END, "whole": Part.WHOLE}
    rows = []
    for place, each in enumerate(text.split(", ")):
        program, part = each.split()
        event = EventId(EventKind.SYSTEM_CALL, 1, program)
        lane = int(program == "b")
        rows.append(
            CallRow(
                event,
                lane,
                parts[part],
                place,
                False,
                CallLabel(1),
                "x",
                "",
                "x()",
                "",
                False,
                None,
                "",
            )
        )
    return Ladder((Lane("a"), Lane("b")), tuple(rows))


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("a whole, a whole", 1),
        ("a in, a whole, a out", 2),
        ("a in, c in, a out, d in, c out, d out", 2),
        ("a in, c in, d whole, c out, a out", 3),
        ("b in, b out", 0),
    ],
)
def test_the_depth_counts_what_is_open_at_once(text: str, depth: int) -> None:
    assert depth_of(calls(text), 0) == depth
    assert depth_of(calls("a in, b whole, a out"), 1) == 1
