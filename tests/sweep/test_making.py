from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sweep_rows import wanted_runs

from lab.sweep.making import make_run
from lab.sweep.order import RunOrder, ScenarioFile, digest_of

OWN = """
from lab.api import Program, Scenario, Step, star
def scenario(hosts=2, name="own"):
    program = Program("one", "h1", ("true",))
    return Scenario(name, "", star(hosts), (Step("s", (program,)),), ())
SCENARIO = scenario()
"""
BUILTIN = ScenarioFile("", "")
(WANTED,) = wanted_runs("trace=none")


def failure(order: RunOrder) -> str:
    """Why it cannot be made, found out before anything is run."""
    row = make_run(order)
    assert (row.outcome, row.key) == ("", order.wanted.key)
    assert row.began_ns > 0
    return row.failure


def test_a_scenario_that_this_machine_does_not_have_is_a_row_with_its_reason() -> None:
    wanted = replace(WANTED, scenario="no-such")
    assert failure(RunOrder(wanted, BUILTIN)) == (
        "wirelab has no scenario 'no-such' on this machine"
    )


def test_a_file_that_has_changed_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    file = ScenarioFile(str(path), digest_of(path))
    path.write_text(OWN + "\n")
    assert "is not, on this machine or any more" in failure(RunOrder(WANTED, file))
    assert "cannot read" in failure(RunOrder(WANTED, ScenarioFile(str(tmp_path / "none"), "")))


def test_a_scenarios_own_function_refuses_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    file = ScenarioFile(str(path), digest_of(path))
    wanted = replace(WANTED, own=(("hosts", 1),))
    assert "this network has 2 hosts at least, not 1" in failure(RunOrder(wanted, file))


@pytest.mark.kernel
def test_a_run_is_made_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (lost,) = wanted_runs("trace=none", "wire=client>server drop SYN 1")
    row = make_run(RunOrder(lost, BUILTIN))
    assert (row.outcome, row.failure) == ("HOLDS", "")
    assert row.lost == 1
    assert row.retransmissions is not None
    assert row.retransmissions >= 1  # a busy machine may take an answer for lost
    assert [*tmp_path.iterdir()] == []


@pytest.mark.kernel
def test_a_run_with_the_outcome_that_is_kept_can_be_looked_at(tmp_path: Path) -> None:
    order = RunOrder(WANTED, BUILTIN, ("HOLDS",), str(tmp_path / "kept"))
    row = make_run(order)
    assert (tmp_path / row.kept / "recording.pcapng").exists()
    other = make_run(replace(order, keep=("BROKEN",)))
    assert other.kept == ""
    assert len([*tmp_path.rglob("recording.pcapng")]) == 1


@pytest.mark.kernel
def test_a_scenario_of_its_own_parameters_is_run_with_them(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    file = ScenarioFile(str(path), digest_of(path))
    wanted = replace(WANTED, own=(("hosts", 3), ("name", "three")))
    row = make_run(RunOrder(wanted, file, ("HOLDS", "UNDECIDED"), str(tmp_path / "kept")))
    assert row.failure == ""
    assert (tmp_path / row.kept).parent.name == "three"
