"""Segments found by what they carry."""

from __future__ import annotations

from dataclasses import replace

import step_edits as s
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.covering import Covering, end_of
from lab.analysis.packets.packet import TcpFlags

(timeline, *_) = build_timelines(s.recording_of("traced-tcp4"))
example = timeline.conversations[0].segments[0]
drawn = st.lists(
    st.tuples(st.integers(-3, 20), st.integers(0, 6), st.booleans(), st.booleans()), max_size=12
)


@examples(150)
@given(drawn)
def test_those_that_carry_a_position_are_found_in_order_of_time(
    parts: list[tuple[int, int, bool, bool]],
) -> None:
    segments = [
        replace(
            example,
            crossing=number,
            seq=seq,
            length=length,
            flags=TcpFlags.ACK | (TcpFlags.FIN if fin else 0),
            from_client=from_client,
        )
        for number, (seq, length, fin, from_client) in enumerate(parts, 1)
    ]
    covering = Covering(segments)
    for position in range(-5, 30):
        for side in (True, False):
            assert covering.at(position, from_client=side) == [
                each
                for each in segments
                if each.from_client is side and each.seq <= position < end_of(each)
            ]
