"""What `make test-fast` leaves out is what is marked so, and nothing else starts a program."""

from __future__ import annotations

import subprocess
import sys

import pytest
from house import ROOT

NOTHING = [sys.executable, "-IS", "-c", ""]


def test_a_test_without_a_marker_starts_no_program() -> None:
    with pytest.raises(AssertionError, match="needs the marker kernel or programs"):
        subprocess.run(NOTHING, check=True)


@pytest.mark.programs
def test_a_test_with_it_does() -> None:
    subprocess.run(NOTHING, check=True)


def test_the_fast_run_leaves_out_both_and_the_others_leave_out_none_of_programs() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "-m 'not kernel and not programs'" in makefile
    for script in ("run", "coverage"):
        assert "programs'" not in (ROOT / "tests" / script).read_text("utf-8")
