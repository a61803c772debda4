from __future__ import annotations

import pytest

from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame, LinkType


@pytest.mark.parametrize("link_type", LinkType)
def test_every_link_type_can_be_dissected(link_type: LinkType) -> None:
    frame = Frame(0, "x", Direction.UNKNOWN, bytes(64), 64, link_type)
    assert dissect(frame).layers
