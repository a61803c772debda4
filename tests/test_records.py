from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.packets.dissect import dissect
from lab.records import (
    Direction,
    Disturbance,
    Frame,
    Instrument,
    InstrumentKind,
    LinkType,
    Obtained,
)

FRAMES = Instrument(InstrumentKind.FRAMES, Obtained.MEASURED, 0, "PACKET_MMAP")
NO_CALLS = Instrument(InstrumentKind.CALLS, None, 0, "not traced (no tracefs)")


def test_an_instrument_is_reported_with_what_it_observes() -> None:
    assert str(NO_CALLS) == "calls: not traced (no tracefs)"


def test_an_instrument_is_unusable_that_obtained_nothing() -> None:
    recording = replace(r.recorded(4), instruments=(FRAMES, NO_CALLS))
    assert recording.unusable(InstrumentKind.CALLS) is NO_CALLS
    assert recording.unusable(InstrumentKind.FRAMES) is None
    assert recording.unusable(InstrumentKind.DROPS) is None


def test_a_disturbance_names_the_program_or_those_that_may_have_done_it() -> None:
    one = Disturbance("step", ("server",), "it is down")
    assert str(one) == "program server disturbed the run: it is down"
    three = replace(one, programs=("a", "b", "c"))
    assert str(three) == "one of the programs a, b and c disturbed the run: it is down"


@pytest.mark.parametrize("link_type", LinkType)
def test_every_link_type_can_be_dissected(link_type: LinkType) -> None:
    frame = Frame(0, "x", Direction.UNKNOWN, bytes(64), 64, link_type)
    assert dissect(frame).layers
