from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from pyarrow import parquet
from sweep_rows import made_row, wanted_runs

from lab.errors import ExtraMissing, UsageError
from lab.sweep import store as stored
from lab.sweep.parameter import ParameterValue
from lab.sweep.row import failed_row
from lab.sweep.store import check_installed, open_store, type_of

COLUMNS: dict[str, Sequence[ParameterValue]] = {"loss": (0, 5)}
ABOUT: dict[str, Any] = {"same": {"wirelab": "1", "parameters": {"loss": "int"}}, "repeat": 3}


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    one, other = wanted_runs("loss=0,5")
    with open_store(tmp_path / "new/sweep", ABOUT, COLUMNS) as store:
        store.add([made_row(one, not_held=("speaks_its_family",), kept="kept/tcp/1")])
        store.add([failed_row(other, "there is no link", "there", 5_000, 0.5)])
        first, second = sorted(store.rows(), key=lambda row: row["loss"])
    assert (first["key"], first["loss"], first["seed"], first["frames"]) == (one.key, 0, 1, 12)
    assert first["counters"] == {"TcpInSegs": 12}
    assert (first["not_held"], first["kept"]) == (["speaks_its_family"], "kept/tcp/1")
    assert (second["outcome"], second["failure"]) == (None, "there is no link")
    assert second["goodput_bps"] is None
    assert second["began"].timestamp() == pytest.approx(5e-6)


def test_at_the_end_all_rows_are_in_one_file(tmp_path: Path) -> None:
    runs = wanted_runs("loss=0,5", repeat=3)
    with open_store(tmp_path, ABOUT, COLUMNS) as store:
        for wanted in reversed(runs):
            store.add([made_row(wanted)])
        path = store.finish()
        assert store.finish() == path
    assert sorted(each.name for each in tmp_path.rglob("*")) == [
        "parts", "runs.parquet", "sweep.json",
    ]  # fmt: skip
    table = parquet.read_table(path)
    assert sorted(table["key"].to_pylist()) == sorted(run.key for run in runs)
    assert table["seed"].to_pylist() == [1, 1, 2, 2, 3, 3]  # by when they were begun


def test_names_of_files_need_not_be_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_PARTS", 2)
    runs = wanted_runs("loss=0,5", repeat=2)
    with open_store(tmp_path / "\udcff", ABOUT, COLUMNS) as store:
        for wanted in runs:
            store.add([failed_row(wanted, "no \udcff.py", "there", 5_000, 0.5)])
        store.finish()
        assert store.keys() == dict.fromkeys((run.key for run in runs), False)
        assert {row["failure"] for row in store.rows()} == {"no \\udcff.py"}


def test_many_parts_become_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_PARTS", 4)
    runs = wanted_runs("loss=0,5", repeat=11)
    with open_store(tmp_path, ABOUT, COLUMNS) as store:
        for wanted in runs:
            store.add([made_row(wanted)])
            assert len([*(tmp_path / "parts").iterdir()]) < 4
        assert store.keys() == dict.fromkeys((run.key for run in runs), True)


def test_a_large_part_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_PARTS", 3)
    monkeypatch.setattr(stored, "_LARGE", 3)
    with open_store(tmp_path, ABOUT, COLUMNS) as store:
        for wanted in wanted_runs("loss=0,5", repeat=3):
            store.add([made_row(wanted)])
        assert {path.stem for path in (tmp_path / "parts").iterdir()} == {"4", "7", "8"}


def test_a_run_that_was_made_goes_before_one_that_could_not_be(tmp_path: Path) -> None:
    (wanted,) = wanted_runs("loss=5")
    with open_store(tmp_path, ABOUT, COLUMNS) as store:
        store.add([made_row(wanted, frames=7)])
        store.add([failed_row(wanted, "no machine", "", 0, 0.0)])
        assert store.keys() == {wanted.key: True}
        assert [row["frames"] for row in store.rows()] == [7]


KILLED = """
import json, os, signal, sys
from pathlib import Path
import pyarrow.parquet
from sweep_rows import made_row, wanted_runs
from lab.sweep import store
from lab.sweep.store import open_store

folder, store.MOST_PARTS, left = Path(sys.argv[1]), 3, 0
runs = wanted_runs("loss=0,5", repeat=3)
about = {"same": {"parameters": {"loss": "int"}}}

def count(event, arguments):
    # What changes the folder, and every file that is opened there.
    global left
    if event in ("os.rename", "os.remove", "open") and str(folder) in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

def sweep():
    with open_store(folder, about, {"loss": (0, 5)}) as opened:
        made = opened.keys()
        for wanted in runs:
            if wanted.key not in made:
                opened.add([made_row(wanted)])
                print(wanted.key, flush=True)
        opened.finish()

sys.addaudithook(count)
for after in [*range(1, 30), 0]:
    if os.fork() == 0:
        left = after
        sweep()
        os._exit(0)
    print("ended by", os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.mark.programs
def test_killed_at_any_point_no_run_is_lost_or_doubled(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    keys = sorted(run.key for run in wanted_runs("loss=0,5", repeat=3))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/support/sweeps'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    statuses = [int(line.rpartition(" ")[2]) for line in lines if line.startswith("ended")]
    assert statuses[-1] == 0
    assert statuses.count(-9) >= 10
    said = [line for line in lines if not line.startswith("ended")]
    assert len(said) == len({*said})  # what is on disk is not made again
    assert sorted(parquet.read_table(folder / "runs.parquet")["key"].to_pylist()) == keys
    assert [*(folder / "parts").iterdir()] == []


def test_two_sweeps_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with (
        open_store(tmp_path, ABOUT, COLUMNS),
        pytest.raises(UsageError, match="another sweep is writing"),
        open_store(tmp_path, ABOUT, COLUMNS),
    ):
        pass


def test_another_sweeps_folder_is_refused_and_more_runs_of_the_same_are_not(tmp_path: Path) -> None:
    with open_store(tmp_path, {**ABOUT, "same": {**ABOUT["same"], "scenario tcp": "a"}}, COLUMNS):
        pass
    for name, value in (("parameters", {"delay": "int"}), ("wirelab", "2"), ("scenario tcp", "b")):
        with (
            pytest.raises(UsageError, match=f"its {name} differ; use --out"),
            open_store(tmp_path, {"same": {**ABOUT["same"], name: value}}, COLUMNS),
        ):
            pass
    with open_store(tmp_path, {**ABOUT, "repeat": 9}, {"loss": (0, 5, 7)}):
        about = json.loads((tmp_path / "sweep.json").read_text())
    assert (about["repeat"], about["same"]["scenario tcp"]) == (9, "a")


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "else"}', '{"schema": "wirelab.sweep/1"}'])
def test_a_file_that_is_no_sweeps_is_left_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(UsageError, match="is of no sweep"), open_store(tmp_path, ABOUT, COLUMNS):
        pass
    assert (tmp_path / "sweep.json").read_text() == text


def test_a_parameter_may_not_be_called_as_another_column(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="--over frames: a table of runs has another column"),
        open_store(tmp_path, ABOUT, {"frames": (1,)}),
    ):
        pass


def test_columns_have_the_type_that_holds_all_values() -> None:
    assert [type_of(v) for v in ((1, 2), (1, 2.5), (1, "2ms"))] == ["int", "float", "str"]


def test_what_is_not_installed_is_said_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ExtraMissing, match=r"/python\S* -m pip install 'wirelab\[sweep\]'"):
        check_installed()
