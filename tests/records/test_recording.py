from __future__ import annotations

from dataclasses import replace

import recorded as r

from lab.records import Instrument, InstrumentKind, Obtained

FRAMES = Instrument(InstrumentKind.FRAMES, Obtained.MEASURED, 0, "PACKET_MMAP")
NO_CALLS = Instrument(InstrumentKind.CALLS, None, 0, "not traced (no tracefs)")


def test_an_instrument_is_unusable_that_obtained_nothing() -> None:
    recording = replace(r.recorded(4), instruments=(FRAMES, NO_CALLS))
    assert recording.unusable(InstrumentKind.CALLS) is NO_CALLS
    assert recording.unusable(InstrumentKind.FRAMES) is None
    assert recording.unusable(InstrumentKind.DROPS) is None
