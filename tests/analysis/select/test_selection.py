from __future__ import annotations

import pytest
from scenes import RECORDINGS
from transcript import converse

from lab.analysis.flow_summary import frames_of
from lab.analysis.select.selection import Selection, asked_for, select
from lab.capture_files import read_file, show_capture
from lab.errors import PointedError, UsageError
from lab.results import Shown

TALK = """
0.1 client > server SYN seq=100
0.2 server > client SYN,ACK seq=900 ack=101
0.3 client > server ACK seq=101 ack=901
0.4 client > server ACK seq=101 ack=901 data=hello
0.6 client > server ACK seq=101 ack=901 data=hello
0.7 server > client ACK seq=901 ack=106
"""


def selected(
    flows: tuple[str, ...] = (), words: str | None = None, numbers: str | None = None
) -> Selection:
    talk = converse(TALK)
    crossings = talk.flow.crossings
    packets = range(11, 11 + len(crossings))
    asked = asked_for(flows, words, numbers)
    return select(asked, crossings, (talk.flow,), (talk,), packets, crossings[0].time_ns)


def numbers_of(selection: Selection) -> list[int]:
    return [selection.packets[each.number] for each in selection.crossings]


def test_frames_keep_their_numbers_in_the_file() -> None:
    assert numbers_of(selected(numbers="12-13,16")) == [12, 13, 16]


def test_all_that_is_asked_for_has_to_be_true() -> None:
    assert numbers_of(selected(("tcp:0",), "after 0.1", "11-14")) == [12, 13, 14]
    assert numbers_of(selected(("none",))) == []


def test_the_whole_file_is_analysed_whatever_is_shown() -> None:
    """A retransmission is one of a frame that is not shown."""
    assert numbers_of(selected(words="note retransmission")) == [15]


def test_a_flow_has_the_frames_that_are_shown_and_is_known_whole() -> None:
    selection = selected(numbers="12")
    (flow,) = selection.flows
    assert len(frames_of(flow)) == 1
    assert len(frames_of(selection.wholes[flow.id])) == selection.of_frames == 6
    assert selected(numbers="99").flows == ()


def test_a_flow_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no flow udp:0 in this file; there are: tcp:0"):
        selected(("udp:0",))


@pytest.mark.parametrize(("words", "numbers"), [("prot 80", None), (None, "x")])
def test_what_is_no_filter_and_no_number_is_refused(words: str | None, numbers: str | None) -> None:
    with pytest.raises(PointedError):
        asked_for((), words, numbers)


def shown(*flows: str) -> Shown:
    capture = read_file(str(RECORDINGS / "udp4" / "recording.pcapng"))
    return show_capture(capture, asked_for(flows, None, None))


def test_flows_and_frames_of_none_are_the_whole_file_when_all_are_asked_for() -> None:
    capture = read_file(str(RECORDINGS / "udp4" / "recording.pcapng"))
    whole = show_capture(capture)
    names = [f"{flow.protocol}:{flow.number}" for flow in whole.flows]
    every = shown(*names, "none")
    assert (every.crossings, every.flows, every.packets) == (
        whole.crossings, whole.flows, tuple(whole.packets),
    )  # fmt: skip
    assert len(shown("none").crossings) + len(shown(*names).crossings) == len(whole.crossings)
