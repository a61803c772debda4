"""What the command refuses, in a line and with the right exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from outside import (
    OWN_SCENARIOS,
    check_refused,
    wirelab,
)

pytestmark = pytest.mark.kernel


def test_a_word_that_is_unknown_is_reported_in_one_line(other_scenarios: Path, marker: str) -> None:
    scenario = other_scenarios / "scenarios" / "tcp.py"
    scenario.write_text(scenario.read_text().replace("{server}", "{srever}"))
    assert "srever" in check_refused(wirelab("run", "tcp", *OWN_SCENARIOS, cwd=other_scenarios))
