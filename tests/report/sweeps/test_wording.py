from __future__ import annotations

from lab.report.sweeps.wording import in_units, word_of
from lab.sweep.summary import MEASURES


def test_every_measure_has_words_and_a_unit() -> None:
    assert len({word_of(name) for name in MEASURES}) == len(MEASURES)
    assert in_units("lasted_s", 0.25) == 250
    assert in_units("goodput_bps", 8000) == 8
