from __future__ import annotations

from lab.records import Instrument, InstrumentKind


def test_an_instrument_is_reported_with_what_it_observes() -> None:
    instrument = Instrument(InstrumentKind.CALLS, None, 0, "not traced (no tracefs)")
    assert str(instrument) == "calls: not traced (no tracefs)"
