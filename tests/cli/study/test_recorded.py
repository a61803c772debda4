"""Runs by name or folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import recorded as r

from lab.cli.study.recorded import recorded_run, recorded_runs
from lab.errors import LabError, UsageError


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of runs as `wirelab run` leaves it."""
    for name in ("tcp", "udp"):
        shutil.copytree(r.FOLDER / f"{name}4", tmp_path / name / "one")
        (tmp_path / name / "latest").symlink_to("one")
    return tmp_path


def test_a_name_is_the_latest_run_of_that_scenario(runs: Path) -> None:
    found = recorded_run("tcp", str(runs))
    assert found is not None
    assert found.scenario == "tcp"
    assert recorded_run("nat", str(runs)) is None


def test_a_path_is_a_runs_folder(runs: Path) -> None:
    found = recorded_run(str(runs / "udp" / "one"), "nowhere")
    assert found is not None
    assert found.scenario == "udp"
    with pytest.raises(LabError):
        recorded_run(str(runs / "udp"), "nowhere")


def test_without_names_it_is_every_scenario_that_was_run(runs: Path) -> None:
    assert [each.scenario for each in recorded_runs([], str(runs))] == ["tcp", "udp"]
    assert [each.scenario for each in recorded_runs(["udp"], str(runs))] == ["udp"]


def test_what_is_not_there_is_said_with_what_makes_it(runs: Path) -> None:
    with pytest.raises(UsageError, match="`wirelab run nat` makes one"):
        recorded_runs(["tcp", "nat"], str(runs))
    with pytest.raises(UsageError, match="`wirelab run tcp` makes one"):
        recorded_runs([], str(runs / "tcp"))
