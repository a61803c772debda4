"""Numbers read at many places of a buffer at once, and Internet checksums over many parts of it."""

from __future__ import annotations

import numpy as np

from lab.records.bulk.batch import Ints, Octets

_WHOLE = 0xFFFF
"""What a sum of 16-bit words is divided by: 65536 leaves 1."""

_LOW_MASKS = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF], dtype=np.uint64)


class BigEndian:
    """A buffer's bytes as numbers in network byte order, wherever they begin.

    Its length is a multiple of 4, and after each place that is asked for there are 8 bytes more.
    """

    def __init__(self, data: Octets) -> None:
        self._one = data
        size = len(data)
        # Every place has an element: they overlap.
        self._two = np.ndarray((size - 1,), ">u2", data, strides=(1,))
        self._four = np.ndarray((size - 3,), ">u4", data, strides=(1,))
        self._eight = np.ndarray((size - 7,), ">u8", data, strides=(1,))
        self._words = data.view("<u4")

    def one(self, at: Ints) -> Ints:
        """The bytes at those places."""
        return self._one[at].astype(np.int64)

    def two(self, at: Ints) -> Ints:
        """The 16-bit numbers."""
        return self._two[at].astype(np.int64)

    def four(self, at: Ints) -> Ints:
        """The 32-bit numbers."""
        return self._four[at].astype(np.int64)

    def eight(self, at: Ints) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        """The 64-bit numbers, unsigned."""
        return self._eight[at].astype(np.uint64)

    def sums(self, starts: Ints, ends: Ints) -> Ints:
        """The sums of the 16-bit words from each start to its end, modulo 65535.

        The last byte of an odd number of bytes is a word's first. The parts are in order and do
        not overlap. Source: RFC 1071.
        """
        if not len(starts):
            return np.zeros(0, dtype=np.int64)
        # 32-bit words are added, the fastest to be had; whether a byte is the first or the second
        # of its 16-bit word only its place decides.
        first, last = starts // 4, ends // 4
        edges = np.empty(2 * len(first), dtype=np.int64)
        edges[::2], edges[1::2] = first, last
        sums = np.add.reduceat(self._words, edges, dtype=np.uint64)[::2]
        sums[first == last] = 0  # of which reduceat gives the word
        sums -= self._words[first].astype(np.uint64) & _LOW_MASKS[starts % 4]
        sums += self._words[last].astype(np.uint64) & _LOW_MASKS[ends % 4]
        found = (sums % np.uint64(_WHOLE)).astype(np.int64)
        # The words are little-endian: at an even start their bytes stand the other way round.
        return np.where(starts % 2 == 0, found * 256 % _WHOLE, found)

    def short_sums(self, at: Ints, size: int) -> Ints:
        """The sums of the 16-bit words of `size` bytes, a multiple of 4, at those places.

        As `sums`, and sooner where they are few.
        """
        total = np.zeros(len(at), dtype=np.uint64)
        for place in range(0, size - 7, 8):
            each = self.eight(at + place)
            total += (each >> np.uint64(32)) + (each & np.uint64(0xFFFF_FFFF))
        if size % 8:
            total += self.four(at + size - 4).astype(np.uint64)
        return (total % np.uint64(_WHOLE)).astype(np.int64)
