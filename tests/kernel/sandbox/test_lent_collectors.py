"""Runs that threads make borrow their collectors, of which none is left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bpf_loaded import is_loaded, programs_of
from outside import descendants, environment, wait_until

from lab.kernel.sandbox.lent_collectors import lent_collectors

# What is executed as the command's own process is, in another: it goes on with each line it reads.
COMMAND = """
import os, signal, sys
sys.path[:] = sys.argv[1:]
from lab.batch import Batch
from lab.kernel.sandbox.lent_collectors import lent_collectors
from lab.kernel.sandbox import starting
from lab.model.family import Family
from lab.run import run_scenario
from lab.scenario_files import builtin_scenarios
starting.fork_from_here()

def run(name):
    result = run_scenario(builtin_scenarios()[name], Family.IPV4, None, "bpf", pages=False)
    traces = [timeline.recording.trace for timeline in result.timelines]
    return result.outcome.value, any(trace.syscalls for trace in traces)

with lent_collectors():
    print(sorted(Batch(run, ["tcp", "udp"] * 3, 2).ended()), flush=True)
    if input() == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
print("ended", flush=True)
input()
"""
SIX_RUNS = str([(number, ("HOLDS", True)) for number in range(6)])


@contextmanager
def command() -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", COMMAND, *sys.path]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def collectors(pids: frozenset[int]) -> dict[int, set[int]]:
    """Those of the processes that have BPF programs, with the ids of these."""
    return {pid: programs for pid in pids if (programs := programs_of(pid))}


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_bpf")
def test_as_many_collectors_as_runs_at_a_time_serve_all() -> None:
    with command() as process:
        assert line_of(process) == SIX_RUNS
        beneath = descendants(process.pid)
        found = collectors(beneath)
        assert len(found) in (1, 2)
        assert len(beneath) == 1 + len(found)  # and their pool
        say(process, "end")
        assert line_of(process) == "ended"
        assert not descendants(process.pid)
        wait_until(lambda: not any(map(is_loaded, set().union(*found.values()))))


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_bpf")
def test_they_end_with_a_command_that_is_killed() -> None:
    with command() as process:
        assert line_of(process) == SIX_RUNS
        programs = set().union(*collectors(descendants(process.pid)).values())
        assert programs
        say(process, "kill")
        wait_until(lambda: not any(map(is_loaded, programs)))


def test_a_process_that_must_not_fork_has_none() -> None:
    before = descendants(os.getpid())
    with lent_collectors():
        assert descendants(os.getpid()) == before
