from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_rows import wanted_runs

from lab.errors import ExtraMissing, MachineError
from lab.sweep.cluster import check_scheduling, open_cluster
from lab.sweep.order import RunOrder, ScenarioFile
from lab.sweep.row import RunRow

BUILTIN = ScenarioFile("", "")
DASK = [sys.executable, "-m", "dask"]
WORKERS = 4


def orders(repeat: int) -> list[RunOrder]:
    return [RunOrder(each, BUILTIN) for each in wanted_runs("trace=none", repeat=repeat)]


@contextlib.contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([*DASK, *words], **quiet)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def wait_until_there(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.kernel
@pytest.mark.once
def test_a_worker_is_killed_and_no_run_is_lost_or_doubled(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    own = ["--scheduler-file", str(file)]
    with contextlib.ExitStack() as stack:
        plain = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        stack.enter_context(started("scheduler", *own, *plain))
        wait_until_there(file)
        there = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
        there += ["--local-directory", str(tmp_path), *own]
        workers = [stack.enter_context(started("worker", *there)) for _ in range(WORKERS)]
        address = _address(file)
        wanted = orders(12)
        rows: list[RunRow] = []
        with open_cluster(address, 1, tmp_path / "none", (), pytest.fail) as cluster:
            cluster.wait_for(WORKERS)
            for some in cluster.rows(iter(wanted)):
                if not rows:
                    os.kill(workers[0].pid, signal.SIGKILL)
                rows += some
        assert workers[0].wait() == -signal.SIGKILL
        assert [worker.poll() for worker in workers[1:]] == [None] * (WORKERS - 1)
    assert sorted(row.key for row in rows) == sorted(order.wanted.key for order in wanted)
    assert {(row.outcome, row.failure) for row in rows} == {("HOLDS", "")}


def _address(file: Path) -> str:
    import json

    address: str = json.loads(file.read_text())["address"]
    return address


@pytest.mark.kernel
@pytest.mark.once
def test_workers_of_this_machine_make_runs_and_are_gone(tmp_path: Path) -> None:
    scratch = tmp_path / "workers"
    with open_cluster("", 2, scratch, (), pytest.fail) as cluster:
        assert scratch.is_dir()
        rows = [row for some in cluster.rows(iter(orders(4))) for row in some]
    assert [row.outcome for row in rows] == ["HOLDS"] * 4
    assert len({row.key for row in rows}) == 4
    assert not scratch.exists()


@pytest.mark.kernel
@pytest.mark.once
def test_where_no_worker_can_make_them_that_is_said_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Workers are told another version than they have.
    monkeypatch.setattr("lab.sweep.worker.__version__", "another")
    told: list[str] = []
    with (
        pytest.raises(MachineError, match=r"no worker can make runs: it has wirelab .*another"),
        open_cluster("", 1, tmp_path / "workers", (), told.append),
    ):
        pass
    assert len(told) == 1
    assert "is given no run: it has wirelab" in told[0]


def test_where_there_is_no_scheduler_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.sweep.cluster.START_S", 0.05)
    with (
        pytest.raises(MachineError, match=r"there is no Dask scheduler at tcp://127\.0\.0\.1:9"),
        open_cluster("tcp://127.0.0.1:9", 1, tmp_path, (), pytest.fail),
    ):
        pass


def test_without_dask_that_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExtraMissing, match=r"-m pip install 'wirelab\[sweep\]'; -j 1"):
        check_scheduling()
