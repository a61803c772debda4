from __future__ import annotations

from pathlib import Path

import pytest
from outside import (
    OWN_SCENARIOS,
    wirelab,
)

pytestmark = pytest.mark.kernel


def test_after_a_scenario_that_fails_the_others_are_run(other_scenarios: Path, marker: str) -> None:
    (other_scenarios / "scenarios" / "demos" / "inet_stream_server.py").write_text("1 / 0\n")
    done = wirelab("run", "tcp", "udp", *OWN_SCENARIOS, cwd=other_scenarios)
    assert done.returncode == 2
    assert "program server exited with status 1" in done.stdout
    assert (other_scenarios / "runs" / "udp" / "latest" / "report.json").exists()
