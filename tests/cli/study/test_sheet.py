"""`wirelab sheet`: files, and a run that is made for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import recorded as r
from forked_wirelab import forked_wirelab

RUN = str(r.FOLDER / "traced-unix4")


@pytest.mark.programs
def test_it_writes_the_sheet_and_its_key(tmp_path: Path) -> None:
    done = forked_wirelab("sheet", RUN, "--seed", "2", "--html", "x.html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["x.html", "x-key.html"]
    sheet, key = ((tmp_path / name).read_text("utf-8") for name in done.stdout.split())
    assert "(1)____" in sheet
    assert "Key: " in key
    again = forked_wirelab("sheet", RUN, "--seed", "2", "--html", "y.html", cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "y.html").read_text("utf-8") == sheet


@pytest.mark.programs
def test_it_is_named_after_the_scenario_and_the_seed(tmp_path: Path) -> None:
    assert forked_wirelab("sheet", RUN, "--seed", "7", cwd=tmp_path).stdout.split() == [
        "unix-7.html",
        "unix-7-key.html",
    ]


@pytest.mark.programs
def test_one_step_may_be_asked_for(tmp_path: Path) -> None:
    done = forked_wirelab("sheet", RUN, "--step", "abstract", cwd=tmp_path)
    assert done.returncode == 0
    assert "Step: names" not in (tmp_path / "unix-1-key.html").read_text("utf-8")
    done = forked_wirelab("sheet", RUN, "--step", "nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert "has no step 'nothing'; it has" in done.stderr


@pytest.mark.programs
def test_a_run_with_nothing_to_fill_in_is_refused(tmp_path: Path) -> None:
    done = forked_wirelab("sheet", str(r.FOLDER / "udp4"), cwd=tmp_path)
    assert done.returncode == 2
    assert "nothing to fill in" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kernel
def test_a_scenario_is_run_for_it(tmp_path: Path) -> None:
    done = forked_wirelab("sheet", "tcp", "--family", "6", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(16)____" in (tmp_path / "tcp-1.html").read_text("utf-8")
