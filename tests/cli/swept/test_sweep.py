from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from house import ROOT
from pyarrow import parquet

from lab.sweep.parameter import COLUMNS

DASHBOARD_PORT = 8787
"""Dask's own choice."""
DROPS = "client>server drop SYN 1"
WIRELAB = [sys.executable, "-m", "lab", "sweep"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def swept(*words: str, cwd: Path) -> tuple[int, str, str]:
    """The exit status, and what is printed and said."""
    done = subprocess.run(
        [*WIRELAB, *words],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.programs
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tpc"], "did you mean 'tcp'?"),
        (["tcp", "--over", "los=1"], "there is no parameter 'los'; did you mean 'loss'?"),
        (["tcp", "--over", "loss=101"], "more than 100%"),
        (["tcp", "tcp"], "two scenarios are called tcp"),
        (["tcp", "--family", "6", "--over", "family=4"], "--family or --over family"),
        (["tcp", "--trace", "none", "--over", "trace=auto"], "--trace or --over trace"),
        (["tcp", "-j", "2", "--scheduler", "tcp://a:1"], "-j is for this machine's workers"),
        (["tcp", "--keep", "BROKE"], "did you mean 'BROKEN'?"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_made(
    words: list[str], said: str, tmp_path: Path
) -> None:
    status, _, stderr = swept(*words, cwd=tmp_path)
    assert status == 2
    assert said in stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.kernel
@pytest.mark.once
def test_a_sweep_needs_no_port_that_others_may_have(tmp_path: Path) -> None:
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # somebody else has it
            other.bind(("127.0.0.1", DASHBOARD_PORT))
            other.listen()
        said = swept("tcp", "--trace", "none", "-j", "2", "--out", str(tmp_path), cwd=tmp_path)
    assert (said[0], said[2]) == (0, "")


@pytest.mark.kernel
def test_a_sweep_that_was_killed_goes_on_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    words = ["tcp", "--over", f"wire=none,{DROPS}", "--repeat", "3", "--trace", "none", "-j", "2"]
    words += ["--out", str(tmp_path / "out")]
    parts = tmp_path / "out/parts"
    with subprocess.Popen(
        [*WIRELAB, *words], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.DEVNULL
    ) as sweeping:
        deadline = time.monotonic() + 60
        while not [*parts.glob("*.parquet")]:
            assert sweeping.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        sweeping.send_signal(signal.SIGKILL)
    before = {path: path.read_bytes() for path in parts.glob("*.parquet")}
    status, stdout, stderr = swept(*words, cwd=tmp_path)
    assert (status, stderr) == (0, "")
    assert "6 runs" in stdout
    table = parquet.read_table(tmp_path / "out/runs.parquet")
    assert len({*table["key"].to_pylist()}) == table.num_rows == 6
    assert {*table.column_names} >= COLUMNS
    assert sorted(table["wire"].to_pylist()) == [DROPS] * 3 + ["none"] * 3
    assert all(row["lasted_s"] >= 0.9 for row in table.to_pylist() if row["wire"] == DROPS)
    assert {*table["outcome"].to_pylist()} == {"HOLDS"}
    assert before
    assert (tmp_path / "out/summary.csv").read_text().count("\n") == 3
    assert b"medians-0" in (tmp_path / "out/lasted_s.svg").read_bytes()
    assert not (tmp_path / "out/.workers").exists()
    assert_gone(tmp_path)


def assert_gone(folder: Path) -> None:
    """Nothing runs any more that was started in that folder."""
    deadline = time.monotonic() + 20
    while left := [*_running_in(folder)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _running_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has ended, or is another user's
    return found


@pytest.mark.kernel
def test_a_run_that_cannot_be_made_is_a_row_and_the_status_says_so(tmp_path: Path) -> None:
    words = ["tcp", "--trace", "none", "--over", "net.ipv4.no_such_setting=1"]
    status, stdout, _ = swept(*words, cwd=tmp_path)
    assert status == 1
    assert "1 run could not be made: this kernel" in stdout
    assert "has no sysctl net.ipv4.no_such_setting" in stdout
    (row,) = parquet.read_table(tmp_path / "sweep/runs.parquet").to_pylist()
    assert row["outcome"] is None
    assert "no_such_setting" in row["failure"]
