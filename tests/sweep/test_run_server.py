from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bpf_loaded import is_loaded, programs_of
from house import ROOT
from outside import command, descendants, environment, wait_until
from sweep_rows import wanted_runs

from lab.sweep.making import make_run
from lab.sweep.order import RunOrder, ScenarioFile
from lab.sweep.row import RunRow
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


def _without_chance(row: RunRow) -> dict[str, object]:
    """What of a row is the same whenever `tcp` is run over a network that loses nothing.

    How often the kernel delays an acknowledgement, and looks at what, is chance.
    """
    counted = ("TcpActiveOpens", "TcpPassiveOpens", "TcpEstabResets", "TcpRetransSegs")
    whole = row.as_json()
    kept = ("key", "outcome", "holds", "broken", "undecided", "skipped", "not_held", "failure",
            "lost", "payload_bytes", "retransmissions")  # fmt: skip
    return {name: whole[name] for name in kept} | {name: row.counters.get(name) for name in counted}


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_bpf")
def test_rows_are_the_same_whether_collectors_are_lent_or_not() -> None:
    orders = [RunOrder(wanted, BUILTIN) for wanted in wanted_runs("trace=bpf", repeat=4)]
    server = RunServer()
    try:
        lent = [server.make(order) for order in orders]
    finally:
        server.close()
    # In this process, which has nobody to ask, each makes its own.
    alone = [make_run(order) for order in orders]
    assert [*map(_without_chance, lent)] == [*map(_without_chance, alone)]
    assert [row.outcome for row in lent] == ["HOLDS"] * 4


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_bpf")
def test_a_sweep_that_is_killed_leaves_no_program_in_the_kernel(tmp_path: Path) -> None:
    words = ["sweep", "tcp", "--repeat", "1000", "--trace", "bpf", "--out", str(tmp_path / "o")]
    programs = set[int]()
    with subprocess.Popen(
        command(*words), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as sweeping:

        def has_some() -> bool:
            for pid in descendants(sweeping.pid):
                programs.update(programs_of(pid))
            return bool(programs)

        try:
            wait_until(has_some, 30)
        finally:
            sweeping.kill()
    wait_until(lambda: not any(map(is_loaded, programs)))
