from __future__ import annotations

import pytest
from outside import (
    wirelab,
)

from lab.scenario_files import builtin_scenarios

pytestmark = pytest.mark.kernel


def test_list_names_every_scenario_with_its_summary() -> None:
    done = wirelab("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert tuple(line.split()[0] for line in done.stdout.splitlines()) == tuple(builtin_scenarios())
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines())
