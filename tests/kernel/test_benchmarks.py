"""That a benchmark can still be run is no matter of how fast this machine is."""

from __future__ import annotations

import pytest

from tests.benchmarks.many import program, run

pytestmark = pytest.mark.kernel


def test_what_many_connections_cost_is_measured() -> None:
    cost = run("none", program("server", "20"), program("client", "20"))
    assert cost.tried == 20
    assert cost.after_s > 0
    assert cost.peak_mb > 0
    assert cost.summary.startswith("HOLDS")
