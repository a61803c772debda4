from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame, Instrument, InstrumentKind, LinkType, Obtained

FRAMES = Instrument(InstrumentKind.FRAMES, Obtained.MEASURED, 0, "PACKET_MMAP")
NO_CALLS = Instrument(InstrumentKind.CALLS, None, 0, "not traced (no tracefs)")


def test_an_instrument_is_reported_with_what_it_observes() -> None:
    assert str(NO_CALLS) == "calls: not traced (no tracefs)"


def test_an_instrument_is_unusable_that_obtained_nothing() -> None:
    recording = replace(r.recorded(4), instruments=(FRAMES, NO_CALLS))
    assert recording.unusable(InstrumentKind.CALLS) is NO_CALLS
    assert recording.unusable(InstrumentKind.FRAMES) is None
    assert recording.unusable(InstrumentKind.DROPS) is None


@pytest.mark.parametrize("link_type", LinkType)
def test_every_link_type_can_be_dissected(link_type: LinkType) -> None:
    frame = Frame(0, "x", Direction.UNKNOWN, bytes(64), 64, link_type)
    assert dissect(frame).layers
