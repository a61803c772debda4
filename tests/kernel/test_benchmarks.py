"""That a benchmark can still be run is no matter of how fast this machine is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from house import ROOT

from tests.benchmarks.many import program, run

pytestmark = pytest.mark.kernel


def test_what_many_connections_cost_is_measured() -> None:
    cost = run("none", program("server", "20"), program("client", "20"))
    assert cost.tried == 20
    assert cost.after_s > 0
    assert cost.peak_mb > 0
    assert cost.summary.startswith("HOLDS")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("iperf3") is None, reason="it needs root and iperf3"
)
def test_what_capturing_at_full_speed_loses_is_measured() -> None:
    words = [sys.executable, "-m", "tests.benchmarks.capture", "1", "1", "TCP"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "wirelab  lost" in done.stdout
    assert done.stderr == ""
