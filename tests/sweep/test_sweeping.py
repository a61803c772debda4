from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import LabError, UsageError
from lab.scenario_files import find_scenario
from lab.sweep import run_server
from lab.sweep.grid import Grid
from lab.sweep.parameter import ParameterValue, parameters_of
from lab.sweep.sweeping import Sweep, check_runs, links_of_sweep, run_sweep, scenario_file

OWN = """
from lab.api import Program, Scenario, Step, star
def scenario(hosts=2):
    program = Program("one", "h1", ("true",))
    return Scenario("own", "", star(hosts), (Step("s", (program,)),), ())
SCENARIO = scenario()
"""


def sweep(folder: Path, *over: str, name: str = "tcp", repeat: int = 1) -> Sweep:
    own: dict[str, ParameterValue] = {"hosts": 2} if name.endswith(".py") else {}
    file = scenario_file(find_scenario(name))
    label = Path(name).stem
    grid = Grid((label,), parameters_of(over, own), repeat, trace="none")
    return Sweep(grid, {label: file}, folder)


def own_scenario(folder: Path) -> str:
    (folder / "own.py").write_text(OWN)
    return str(folder / "own.py")


def test_a_rule_of_every_link_follows_the_networks_size(tmp_path: Path) -> None:
    made = sweep(tmp_path, "hosts=2,3", "loss=1", name=own_scenario(tmp_path))
    links_of = links_of_sweep(made)
    assert [len(run.wire) for run in made.grid.runs(links_of)] == [2, 3]
    assert links_of("own", {"hosts": 3}) == ("h1-s1", "h2-s1", "h3-s1")
    check_runs(made)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ("loss=0,101", "more than 100%"),
        ("client>sever:loss=1", "no link of the network"),
        ("wire=client>server dorp", "did you mean 'drop'"),
        ("delay=5,soon", "a time in milliseconds"),
        ("rate=0", "no rate"),
        ("net.ipv44.tcp_sack=0", "there is no net.ipv44; did you mean 'ipv4'?"),
        ("sever:net.ipv4.tcp_sack=0", "there is no host 'sever'"),
    ],
)
def test_what_is_wrong_in_any_combination_is_found_before_a_run(
    over: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(LabError) as caught:
        check_runs(sweep(tmp_path, over))
    assert said in str(caught.value)


def test_a_family_that_a_scenario_is_not_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is of IPv4 alone"):
        check_runs(sweep(tmp_path, "family=4,6", name="dhcp"))


def test_wirelabs_own_scenarios_have_no_path_that_others_would_need(tmp_path: Path) -> None:
    assert sweep(tmp_path).files["tcp"].path == ""
    own = own_scenario(tmp_path)
    assert scenario_file(find_scenario(own)).path == own


@pytest.mark.kernel
def test_what_was_made_is_not_made_again_and_more_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []

    def run(made: Sweep) -> list[int]:
        told.clear()
        store = run_sweep(made, lambda done, failed: told.append((done, failed)), pytest.fail)
        return sorted(row["seed"] for row in store.rows())

    assert run(sweep(tmp_path, "loss=0")) == [1]
    assert told == [(0, 0), (1, 0)]
    assert run(sweep(tmp_path, "loss=0", repeat=2)) == [1, 2]
    assert told == [(1, 0), (2, 0)]
    monkeypatch.setattr(run_server, "RunServer", pytest.fail)
    assert run(sweep(tmp_path, "loss=0", repeat=2)) == [1, 2]
    assert json.loads((tmp_path / "sweep.json").read_text())["repeat"] == 2


@pytest.mark.kernel
def test_what_could_not_be_made_is_tried_again_when_that_is_asked_for(tmp_path: Path) -> None:
    made = sweep(tmp_path / "out", "net.ipv4.no_such_setting=1")
    told: list[tuple[int, int]] = []

    def run(each: Sweep) -> list[str]:
        told.clear()
        store = run_sweep(each, lambda done, failed: told.append((done, failed)), pytest.fail)
        return [row["failure"] for row in store.rows()]

    (why,) = run(made)
    assert "no_such_setting" in why
    assert run(made) == [why]
    assert told == [(1, 1)]
    assert run(replace(made, again=True)) == [why]
    assert told == [(0, 0), (1, 1)]
