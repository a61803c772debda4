"""The scenario that `wirelab new` writes: it runs at once and holds, and overwrites nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from forked_wirelab import forked_wirelab
from outside import FAMILIES, NOBODY, check_refused

from lab.errors import UsageError
from lab.new_scenario import write_scenario
from lab.scenario_files import load_scenario

FILES = ("my_own.py", "demos/my_own_server.py", "demos/my_own_client.py")


def test_three_files_are_written_and_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = write_scenario("my-own")
    assert written == tuple(Path("scenarios") / name for name in FILES)
    assert not [file for file in written if "@" in file.read_text().replace("@claim", "")]
    scenario = load_scenario(written[0].absolute())
    assert scenario.name == "my-own"
    pages = [Path(program.argv[2]) for step in scenario.steps for program in step.programs]
    assert pages == [tmp_path / file for file in written[1:]]


def test_wirelabs_own_folder_gets_no_other_scenarios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    monkeypatch.setattr("lab.scenario_files.builtin_folder", lambda: tmp_path / "scenarios")
    assert {file.parts[0] for file in write_scenario("mine")} == {"my_scenarios"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tcp", "there is a scenario 'tcp' of wirelab's own"),
        ("", "cannot be named ''"),
        ("../x", "cannot be named '../x'"),
        ("My", "use small letters and digits"),
        ("a--b", "use small letters"),
    ],
)
def test_a_name_that_is_unfit_or_taken_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        write_scenario(name, str(tmp_path / "new"))
    assert said in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_what_is_there_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / "demos").mkdir()
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=rf"{name} is there already"):
        write_scenario("my-own", str(tmp_path))
    assert [path.read_text() for path in tmp_path.rglob("*.py")] == ["mine"]


def test_where_nothing_can_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*file"):
        write_scenario("mine", str(tmp_path / "file"))


@pytest.mark.skipif(os.geteuid() != 0, reason="for root only: gives files to another user")
def test_under_sudo_the_files_belong_to_the_user_who_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    monkeypatch.setenv("SUDO_GID", str(NOBODY))
    write_scenario("mine", str(tmp_path / "new"))
    assert {path.stat().st_uid for path in (tmp_path / "new").rglob("*")} == {NOBODY}
    assert (tmp_path / "new").stat().st_uid == NOBODY


@pytest.mark.kernel
@pytest.mark.parametrize("family", FAMILIES)
def test_it_runs_at_once_and_holds(tmp_path: Path, family: str) -> None:
    made = forked_wirelab("new", "my-own", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.splitlines()[-1] == "run it: wirelab run my-own"
    done = forked_wirelab("run", "my-own", "--family", family, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 claims: 5 HOLDS\n" in done.stdout
    assert "already" in check_refused(forked_wirelab("new", "my-own", cwd=tmp_path))
    assert "my-own       two programs of yours" in forked_wirelab("list", cwd=tmp_path).stdout


@pytest.mark.kernel
def test_a_check_that_fails_leaves_the_run_to_be_replayed(tmp_path: Path) -> None:
    forked_wirelab("new", "mine", cwd=tmp_path)
    file = tmp_path / "scenarios" / "mine.py"
    right = file.read_text()
    file.write_text(right.replace("conversations[0]", "conversations[9]"))
    line = next(n for n, t in enumerate(right.splitlines(), 1) if "conversations[0]" in t)
    told = check_refused(forked_wirelab("run", "mine", cwd=tmp_path))
    assert f"the check of mine-answers-in-capitals fails at {file}, line {line}: IndexErr" in told
    file.write_text(right)
    done = forked_wirelab("replay", "runs/mine/latest", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 claims: 5 HOLDS\n" in done.stdout
