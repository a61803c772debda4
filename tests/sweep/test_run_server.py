from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from house import ROOT
from sweep_rows import wanted_runs

from lab.sweep.order import RunOrder, ScenarioFile
from lab.sweep.run_server import RunServer

BUILTIN = ScenarioFile("", "")
(WANTED,) = wanted_runs("trace=none")


@pytest.mark.programs
def test_a_run_whose_server_was_killed_is_a_row_that_says_so() -> None:
    server = RunServer()
    try:
        os.kill(server.pid, signal.SIGKILL)
        row = server.make(RunOrder(WANTED, BUILTIN))
    finally:
        server.close()
    assert (row.key, row.outcome) == (WANTED.key, "")
    assert row.failure == "the lab could not make it: its process was killed"


@pytest.mark.programs
def test_the_server_has_one_thread_and_ends_with_who_asks() -> None:
    script = """
import sys, time
from pathlib import Path
from lab.sweep.run_server import RunServer
server = RunServer()
server.make  # what it is for
from sweep_rows import wanted_runs
from lab.sweep.order import RunOrder, ScenarioFile
from dataclasses import replace
(wanted,) = wanted_runs()
row = server.make(RunOrder(replace(wanted, scenario="none"), ScenarioFile("", "")))
threads = len([*Path(f"/proc/{server.pid}/task").iterdir()])
print(server.pid, threads, row.failure, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/support/sweeps'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as asking:
        assert asking.stdout is not None
        pid, threads, said = asking.stdout.readline().split(maxsplit=2)
        asking.kill()
    assert (threads, said.strip()) == ("1", "wirelab has no scenario 'none' on this machine")
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            break  # nobody reaps it here
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.kernel
def test_runs_are_made_several_at_a_time_and_the_machine_is_examined() -> None:
    from lab.batch import Batch

    server = RunServer()
    try:
        assert server.why_not(("none-such",)) == ""
        orders = [RunOrder(wanted, BUILTIN) for wanted in wanted_runs("trace=none", repeat=3)]
        rows = [row for _, row in Batch(server.make, orders, 3).ended()]
    finally:
        server.close()
    assert sorted(row.key for row in rows) == sorted(order.wanted.key for order in orders)
    assert [row.outcome for row in rows] == ["HOLDS"] * 3
