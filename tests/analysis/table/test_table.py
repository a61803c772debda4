from __future__ import annotations

import frame_bytes as fb
from tabled import check_alike, framed, table_of

from lab.records import CANARY_TEXT, Direction, Frame

SEGMENT = fb.ethernet(fb.ipv4(fb.tcp(b"x")))


def test_canaries_are_left_out_and_counted() -> None:
    canary = fb.ethernet(CANARY_TEXT + b" 17", 0x88B5)
    nearly = fb.ethernet(CANARY_TEXT[:-1], 0x88B5)
    frames = [framed(data) for data in (canary, SEGMENT, nearly, canary, SEGMENT)]
    table = check_alike(frames)
    assert (table.canaries, len(table.packets)) == (2, 3)
    assert table.packets.number.tolist() == [2, 3, 5]


def test_a_row_is_the_frame_that_it_was_made_of() -> None:
    frames = [
        Frame(7, "a", Direction.IN, SEGMENT, len(SEGMENT) + 3),
        Frame(9, "b", Direction.OUT, SEGMENT[:30], len(SEGMENT)),
    ]
    table = table_of(frames, together=1)
    assert [table.frame(row, each.data) for row, each in enumerate(frames)] == frames
    assert table.points == ("a", "b")
