from __future__ import annotations

from dataclasses import fields

import numpy as np

from lab.analysis.table.columns import (
    COLUMN_TYPES,
    PacketColumns,
    SackColumns,
    columns_of,
    joined,
    joined_sacks,
)


def test_every_column_has_a_type() -> None:
    assert [field.name for field in fields(PacketColumns)] == list(COLUMN_TYPES)


def test_a_column_of_which_nothing_is_given_is_zero() -> None:
    columns = columns_of({"seq": np.array([1, 2**32 - 1])}, 2)
    assert columns.seq.tolist() == [1, 2**32 - 1]
    assert columns.ack.tolist() == [0, 0] and columns.ack.dtype == np.uint32


def test_parts_are_joined_in_their_order_and_given_up() -> None:
    parts = [columns_of({"number": np.array([n])}, 1) for n in (5, 3)]
    assert joined(parts).number.tolist() == [5, 3]
    assert len(parts[0]) == 0
    assert len(joined([])) == 0


def test_options_are_joined() -> None:
    one = SackColumns(np.array([4]), np.array([1]), np.ones((1, 8), dtype=np.uint32))
    both = joined_sacks([one, one])
    assert (both.rows.tolist(), both.edges.shape) == ([4, 4], (2, 8))
    assert joined_sacks([]).edges.shape == (0, 8)
