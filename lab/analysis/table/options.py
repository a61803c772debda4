"""The options of many TCP headers at once, as far as notes on segments need them.

Source: RFC 9293, 3.1; RFC 7323, 2.2; RFC 2018, 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lab.analysis.packets.options import TCP_OPTION_DATA_BYTES
from lab.analysis.table.columns import MOST_BLOCKS, NO_OPTION, SackColumns

if TYPE_CHECKING:
    from lab.analysis.table.octets import BigEndian
    from lab.records.bulk.batch import Flags, Ints

_END, _NO_OPERATION, _MSS, _WINDOW_SCALE, _SACK = 0, 1, 2, 3, 5
_FIXED_BYTES = 20
_PADDED_TIMESTAMPS = 0x0101_080A
"""What RFC 7323, appendix A, recommends before the two values, which nearly all segments have."""


def decode_options(
    octets: BigEndian,
    at: Ints,
    size: Ints,
    rows: Ints,
    values: dict[str, Ints | Flags],
    count: int,
) -> SackColumns:
    """Put the options of the headers of `size` bytes at `at` into the columns of their rows.

    `count` is how many rows there are. What follows an option that is not as its kind has it is
    not read.
    """
    shift = np.full(count, NO_OPTION, dtype=np.int64)
    mss = np.full(count, NO_OPTION, dtype=np.int64)
    values["window_shift"], values["mss"] = shift, mss
    blocks = np.zeros(count, dtype=np.int64)
    edges_at = np.zeros(count, dtype=np.int64)
    has_more = size > _FIXED_BYTES
    has_more &= (size != _FIXED_BYTES + 12) | (octets.four(at + _FIXED_BYTES) != _PADDED_TIMESTAMPS)
    (left,) = np.nonzero(has_more)
    place, end, rows_left = at[left] + _FIXED_BYTES, at[left] + size[left], rows[left]
    while len(place):
        kind = octets.one(place)
        length = np.where(kind == _NO_OPERATION, 1, octets.one(place + 1))
        data_bytes = length - 2
        good = (kind != _END) & (place + length <= end)
        good &= (kind == _NO_OPERATION) | ((place + 1 < end) & (length >= 2))
        for each, expected in TCP_OPTION_DATA_BYTES.items():
            good &= (kind != each) | (data_bytes == expected)
        good &= (kind != _SACK) | ((data_bytes > 0) & (data_bytes % 8 == 0))
        for each, column, read in (
            (_WINDOW_SCALE, shift, octets.one),
            (_MSS, mss, octets.two),
        ):
            found = good & (kind == each) & (column[rows_left] == NO_OPTION)
            column[rows_left[found]] = read(place[found] + 2)
        found = good & (kind == _SACK) & (blocks[rows_left] == 0)
        blocks[rows_left[found]] = data_bytes[found] // 8
        edges_at[rows_left[found]] = place[found] + 2
        following = place + length
        good &= following < end
        place, end, rows_left = following[good], end[good], rows_left[good]
    (with_sack,) = np.nonzero(blocks)
    edges = np.zeros((len(with_sack), 2 * MOST_BLOCKS), dtype=np.uint32)
    for n in range(2 * MOST_BLOCKS):
        has = blocks[with_sack] * 2 > n
        edges[has, n] = octets.four(edges_at[with_sack[has]] + 4 * n)
    return SackColumns(with_sack, blocks[with_sack], edges)
