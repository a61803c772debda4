from __future__ import annotations

from itertools import pairwise
from random import Random

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.packet import Payload
from lab.analysis.tcp.stream import ByteStore, Ranges, joined, unwrap

bounded = examples(150)
pieces = st.lists(st.tuples(st.integers(-5, 40), st.integers(0, 8)), max_size=12)


@bounded
@given(st.integers(-(2**34), 2**34), st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_unwrap_gives_back_any_position_within_half_the_space(
    position: int, base: int, distance: int
) -> None:
    assert unwrap((base + position) % 2**32, base, position - distance) == position


def test_unwrap_crosses_the_end_of_the_number_space() -> None:
    assert unwrap(5, 2**32 - 5, 0) == 10
    assert unwrap(2**32 - 1, 3, 0) == -4


@bounded
@given(pieces, st.integers(-6, 48), st.integers(0, 10))
def test_ranges_are_a_set_of_positions(parts: list[tuple[int, int]], start: int, size: int) -> None:
    ranges = Ranges()
    model: set[int] = set()
    for first, length in parts:
        ranges.add(first, first + length)
        model |= set(range(first, first + length))
    asked = set(range(start, start + size))
    assert ranges.overlaps(start, start + size) == bool(asked & model)
    assert ranges.end == (max(model) + 1 if model else None)
    contiguous = start
    while contiguous in model:
        contiguous += 1
    assert ranges.contiguous_end(start) == contiguous
    gaps = ranges.gaps(start, start + size)
    assert [p for gap in gaps for p in range(*gap)] == sorted(asked - model)
    assert all(end < after for (_, end), (after, _) in pairwise(gaps))


@bounded
@given(pieces, st.integers(-6, 48), st.randoms())
def test_a_byte_store_keeps_the_first_byte_of_every_position(
    parts: list[tuple[int, int]], start: int, random: Random
) -> None:
    store, differ = ByteStore(), False
    model: dict[int, int] = {}
    for first, length in parts:
        data = bytes(random.choice(b"ab") for _ in range(length))
        differ |= any(model.get(first + i, byte) != byte for i, byte in enumerate(data))
        for i, byte in enumerate(data):
            model.setdefault(first + i, byte)
        store.add(first, Payload.within(3, b"abc" + data + b"d", 3 + len(data)))
    expected = bytearray()
    while start + len(expected) in model:
        expected.append(model[start + len(expected)])
    assert joined(store.contiguous(start)) == bytes(expected)
    assert store.length == len(model)
    assert store.first == min(model, default=None)
    assert store.overlaps_differ == differ
    held = [p for p in range(-10, 60) if store.held().overlaps(p, p + 1)]
    assert held == sorted(model)


def test_what_frames_carried_is_not_copied() -> None:
    store = ByteStore()
    parts = [Payload(54, data) for data in (b"ab", b"cde", b"f")]
    for start, part in zip((1, 3, 6), parts, strict=True):
        store.add(start, part)
    assert all(held is part for held, part in zip(store.contiguous(1), parts, strict=True))
    assert joined(store.contiguous(4)) == b"def"
