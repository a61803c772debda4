from __future__ import annotations

import pickle

import pytest

from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame, LinkType, SharedBytes


@pytest.mark.parametrize("link_type", LinkType)
def test_every_link_type_can_be_dissected(link_type: LinkType) -> None:
    frame = Frame(0, "x", Direction.UNKNOWN, bytes(64), 64, link_type)
    assert dissect(frame).layers


def made() -> bytes:
    return bytes(bytearray(b"frame" * 20))


def test_the_bytes_of_a_frame_that_is_seen_twice_are_one_object() -> None:
    same = SharedBytes().same
    left, arrived = made(), made()
    assert left is not arrived
    assert same(left) is left and same(arrived) is left


def test_a_third_one_is_another_frame() -> None:
    same = SharedBytes().same
    assert same(made()) is same(made())
    third = made()
    assert same(third) is third


def test_they_are_pickled_once() -> None:
    def pickled(*data: bytes) -> int:
        frames = [Frame(1, "p", Direction.OUT, each, len(each)) for each in data]
        return len(pickle.dumps(frames))

    same = SharedBytes().same
    assert pickled(same(made()), same(made())) < pickled(made(), made()) - 90
