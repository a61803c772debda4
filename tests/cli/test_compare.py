from __future__ import annotations

from pathlib import Path

import pytest
from forked_wirelab import forked_wirelab

pytestmark = pytest.mark.kernel


def test_the_steps_stand_side_by_side_before_their_claims(tmp_path: Path) -> None:
    done = forked_wirelab("compare", "--ascii", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = done.stdout.splitlines()
    assert rows[0] == "compare" and rows[1].startswith("Question")
    (steps,) = (row for row in rows if row.lstrip().startswith("tcp-ipv4"))
    assert steps.split() == ["tcp-ipv4", "tcp-ipv6", "udp-ipv4", "udp-ipv6", "unix"]
    (reaches,) = (row for row in rows if row.startswith("reaches another host?"))
    assert reaches.split()[-5:] == ["yes", "yes", "yes", "yes", "no"]
    (said,) = (place for place, row in enumerate(rows) if row.lstrip().startswith("Silent: "))
    claims = [place for place, row in enumerate(rows) if row.startswith("HOLDS ")]
    assert len(claims) == 6 and claims[0] < rows.index(steps) < said < claims[1]
    assert f"Artifacts: {(tmp_path / 'compare' / 'latest').resolve()}" in done.stdout
