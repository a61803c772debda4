from __future__ import annotations

from pathlib import Path

import pytest
from outside import wirelab

pytestmark = pytest.mark.kernel


def test_the_steps_stand_side_by_side_before_their_claims(tmp_path: Path) -> None:
    done = wirelab("compare", "--ascii", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    steps, *rows = done.stdout.splitlines()
    assert steps.split() == ["tcp-ipv4", "tcp-ipv6", "udp-ipv4", "udp-ipv6", "unix"]
    (reaches,) = (row for row in rows if row.startswith("reaches another host?"))
    assert reaches.split()[-5:] == ["yes", "yes", "yes", "yes", "no"]
    (claims,) = (place for place, row in enumerate(rows) if row.startswith("-- Claims "))
    assert rows[claims - 1] == "" and rows[claims - 2].startswith("Silent: ")
    assert f"Artifacts: {(tmp_path / 'compare' / 'latest').resolve()}" in done.stdout
