from __future__ import annotations

import random

import frame_bytes as fb
import numpy as np

from lab.analysis.table.octets import BigEndian


def words_sum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    return sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)) % 0xFFFF


def buffer(size: int = 400) -> bytes:
    return random.Random(1).randbytes(size)


def test_numbers_are_read_at_any_place() -> None:
    data = buffer()
    octets = BigEndian(np.frombuffer(data, dtype=np.uint8))
    at = np.arange(300)
    for read, size in ((octets.one, 1), (octets.two, 2), (octets.four, 4), (octets.eight, 8)):
        expected = [int.from_bytes(data[n : n + size], "big") for n in range(300)]
        assert read(at).tolist() == expected


def test_sums_are_those_of_words_from_any_place_to_any() -> None:
    data = buffer()
    octets = BigEndian(np.frombuffer(data, dtype=np.uint8))
    for start in range(8):
        for size in range(20):
            sums = octets.sums(np.array([start, 100 + start]), np.array([start + size, 200 + size]))
            assert sums.tolist() == [
                words_sum(data[start : start + size]), words_sum(data[100 + start : 200 + size]),
            ]  # fmt: skip


def test_short_sums_are_the_same() -> None:
    data = buffer()
    octets = BigEndian(np.frombuffer(data, dtype=np.uint8))
    at = np.arange(50)
    for size in (4, 8, 20, 32):
        assert octets.short_sums(at, size).tolist() == [words_sum(data[n : n + size]) for n in at]


def test_a_header_with_its_checksum_leaves_no_rest() -> None:
    header = fb.ipv4(b"")[:20] + bytes(12)
    octets = BigEndian(np.frombuffer(header, dtype=np.uint8))
    assert octets.sums(np.array([0]), np.array([20])).tolist() == [0]


def test_there_may_be_nothing_to_add_up() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert BigEndian(np.zeros(16, dtype=np.uint8)).sums(none, none).tolist() == []
