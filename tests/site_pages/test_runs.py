"""The runs that the site shows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from lab.errors import LabError
from site_pages import runs
from site_pages.runs import SiteRun, made_runs, recorded_runs, recording_of


@cache
def recorded() -> list[SiteRun]:
    return recorded_runs()


def test_of_each_scenario_the_recording_with_calls_is_taken_where_there_is_one() -> None:
    names = {name: recording_of(name) for name in ("tcp", "nat", "buffers", "compare")}
    found = {name: folder.name if folder else None for name, folder in names.items()}
    assert found == {"tcp": "traced-tcp4", "nat": "nat4", "buffers": "buffers", "compare": None}


def test_every_scenario_is_there_with_a_group() -> None:
    found = recorded()
    assert {run.group for run in found} == {"sockets", "networks", "connections", "faults"}
    (tcp,) = (run for run in found if run.name == "tcp")
    assert tcp.is_recorded and tcp.result is not None
    assert all(run.scenario.lesson for run in found)


@pytest.mark.kernel
def test_a_run_that_does_not_hold_has_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = tmp_path / "unlucky.py"
    lost.write_text(
        "from lab.api import Scenario, Step, demo, two_hosts, claim, broken, Program\n"
        "@claim('This is so.', source='tcp(7)')\n"
        "def is_so(timeline):\n    return broken('it is not', ())\n"
        "STEP = Step('s', (Program('client', 'client', ('{python}', '-c', '0')),))\n"
        "SCENARIO = Scenario('unlucky', 'a claim that is broken', two_hosts(), (STEP,), (is_so,))\n"
    )
    monkeypatch.setattr("lab.scenario_files.builtin_scenarios", lambda: {"unlucky": lost})
    with pytest.raises(LabError, match=r"unlucky: the run in .* is BROKEN"):
        made_runs(tmp_path / "runs")


def test_a_group_is_the_folder_of_the_file() -> None:
    (tcp,) = (run for run in recorded() if run.name == "tcp")
    assert tcp.group == "sockets"
    inside = SiteRun("x", runs.RECORDINGS.parents[1] / "scenarios/faults/x.py", tcp.scenario, None)
    assert inside.group == "faults"
