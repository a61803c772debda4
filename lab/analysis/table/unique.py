"""Equal pairs of numbers found among many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.records.bulk.batch import Ints

_MULTIPLIERS = (0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9)
"""Odd numbers of 64 bits with no pattern; the first is 2**64 divided by the golden ratio."""


def first_of_each(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Of each different pair the place where it comes first, in order; and which each place has.

    Pairs are compared by one number made of both, which is looked at in full afterwards: another
    is made in the case, one in billions, that two pairs have the same.
    """
    for multiplier in _MULTIPLIERS:
        mixed = first * np.uint64(multiplier)
        mixed ^= mixed >> np.uint64(29)
        mixed += second
        mixed *= np.uint64(multiplier)
        _, firsts, which = np.unique(mixed, return_index=True, return_inverse=True)
        representative = firsts[which]
        if np.array_equal(first, first[representative]) and np.array_equal(
            second, second[representative]
        ):
            break
    else:
        pairs = np.stack((first, second), axis=1)
        _, firsts, which = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        which = which.reshape(-1)
    order = np.argsort(firsts)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return firsts[order].astype(np.int64), rank[which]
