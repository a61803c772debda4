from __future__ import annotations

import frame_bytes as fb
import pytest
from transcript import only_flow

from lab.analysis.flows.checksums import NOTHING_WRONG, judge_checksums
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import group_flows
from lab.records import Direction, Frame

TALK = """
    0.1 client > server SYN seq=100 {syn}
    0.2 server > client SYN,ACK seq=900 ack=101
    0.3 client > server ACK seq=101 ack=901 {ack}
"""


@pytest.mark.parametrize(
    ("syn", "ack", "wrong", "is_left"),
    [
        ("", "", [], False),
        ("", "bad", [3], False),
        ("bad", "", [1], False),
        ("bad", "bad", [], True),
        ("left", "", [], True),
        ("left", "left", [], True),
        ("left", "bad", [3], True),
    ],
)
def test_a_checksum_is_wrong_where_another_of_its_sender_is_right(
    syn: str, ack: str, wrong: list[int], is_left: bool
) -> None:
    flow = only_flow(TALK.format(syn=syn, ack=ack))
    found = judge_checksums(flow)
    assert sorted(found.wrong) == wrong
    assert found.left_to_card == ((flow.a,) if is_left else ())


def test_a_flow_with_nothing_wrong_has_nothing_to_say() -> None:
    assert judge_checksums(only_flow(TALK.format(syn="", ack=""))) is NOTHING_WRONG


def test_datagrams_are_judged_as_segments_are() -> None:
    frames = [fb.ethernet(fb.ipv4(fb.udp(b"ask", checksum=sent), 17)) for sent in (None, 7, 0)]
    seen = crossings_of_capture(
        Frame(n, "if0", Direction.UNKNOWN, data, len(data)) for n, data in enumerate(frames)
    )
    (flow,) = group_flows(seen)
    assert judge_checksums(flow).wrong == {2}
