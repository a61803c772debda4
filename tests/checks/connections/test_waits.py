"""Waits as ratios."""

from __future__ import annotations

import pytest

from lab.checks.connections.waits import check_doubling, milliseconds
from lab.model.claim import Outcome
from lab.model.event import frame_id

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
MS = 1_000_000


@pytest.mark.parametrize(
    ("times_ms", "outcome"),
    [
        ([0, 200, 600, 1400], HOLDS),
        ([0, 200, 640, 1400], HOLDS),  # jiffies, and a timer that is late
        ([0, 200, 400, 800], BROKEN),
        ([0, 200, 600, 1000], BROKEN),
        ([0, 200, 800], BROKEN),
        ([0, 200], UNDECIDED),
        ([0], UNDECIDED),
        ([], UNDECIDED),
    ],
)
def test_each_wait_is_twice_the_one_before(times_ms: list[int], outcome: Outcome) -> None:
    verdict = check_doubling([each * MS for each in times_ms], [frame_id(1)])
    assert verdict.outcome is outcome
    assert verdict.why


def test_waits_are_read_in_milliseconds() -> None:
    assert milliseconds([200 * MS, 404 * MS, 810 * MS]) == "200, 404 and 810"
    assert milliseconds([1_499_999]) == "1"
