from __future__ import annotations

from pathlib import Path

import pytest
from outside import wirelab

pytestmark = pytest.mark.kernel

LONGEST_S = 600
"""Many of them wait for timers."""


@pytest.mark.timeout(LONGEST_S + 60)
def test_every_claim_of_every_scenario_holds_or_is_skipped(tmp_path: Path) -> None:
    """With the best instruments there are, which see more of a run than others."""
    done = wirelab("scenarios", "--family", "both", "--out", tmp_path, timeout_s=LONGEST_S)
    bad = [line for line in done.stdout.splitlines() if line.startswith(("BROKEN", "UNDECIDED"))]
    assert (bad, done.stderr, done.returncode) == ([], "", 0)
