"""Programs traced by ptrace, in the init of a sandbox or beside a test."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lab.errors import LabError
from lab.kernel.network.namespace import build_topology
from lab.kernel.trace.ptrace.library import PLACE, load
from lab.kernel.trace.ptrace.tracer import PtraceTracer
from lab.model.topology import Topology
from lab.records import Syscall, Trace

DEADLINE_S = 20

library: Path | None = PLACE
"""What tracers of this process are given."""


def use_library(path: Path | None) -> None:
    """Have this process's tracers serve plain stops by that library, or all in Python."""
    global library
    assert path is None or load(path)[0] is not None, load(path)[1]
    library = path


class Ended(NamedTuple):
    status: int
    stdout: str


def python(text: str, *words: str) -> list[str]:
    return [sys.executable, "-IS", "-c", text, *words]


def run(
    *commands: Sequence[str], kill_after: str = "", kill_with: int = signal.SIGKILL
) -> tuple[Trace, list[Ended]]:
    """Run the programs p0, p1, ... beside each other, each once that before it wrote READY_FD.

    `kill_after` is what the last one prints before it is killed.
    """
    with closing(PtraceTracer(library)) as tracer:
        programs = [start(tracer, f"p{place}", argv) for place, argv in enumerate(commands)]
        if kill_after:
            stdout = programs[-1].stdout
            assert stdout is not None and stdout.readline() == kill_after
            os.killpg(programs[-1].pid, kill_with)
        ended = [finish(program) for program in programs]
        return tracer.end_step("the step"), ended


def start(tracer: PtraceTracer, name: str, argv: Sequence[str]) -> subprocess.Popen[str]:
    """Started and traced; where it opens READY_FD, ready as well."""
    ready, far = os.pipe2(os.O_CLOEXEC)
    program = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[far],
        env={**os.environ, "READY_FD": str(far)},
        start_new_session=True,
        preexec_fn=tracer.prepare(name),
    )
    tracer.started(name, program.pid)
    os.close(far)
    if any("READY_FD" in word or word.endswith("server.py") for word in argv):
        assert os.read(ready, 1)
    os.close(ready)
    return program


def finish(program: subprocess.Popen[str]) -> Ended:
    stdout, _ = program.communicate(timeout=DEADLINE_S)
    return Ended(program.returncode, stdout)


# What tests have a sandbox do.


def run_in_a_host(
    topology: Topology,
    commands: Sequence[Sequence[str]],
    kill_after: str = "",
    kill_with: int = signal.SIGKILL,
) -> tuple[Trace, list[Ended]]:
    """All in the topology's first host."""
    with build_topology(topology) as built, built[topology.hosts[0]].entered():
        return run(*commands, kill_after=kill_after, kill_with=kill_with)


def run_by_each(
    topology: Topology, libraries: Sequence[Path | None], command: Sequence[str]
) -> list[Trace]:
    """The same program in a host of its own each time, traced by another loop."""
    found = []
    with build_topology(topology) as built:
        for host, path in zip(topology.hosts, libraries, strict=True):
            use_library(path)
            with built[host].entered():
                found.append(run(command)[0])
    return found


def run_twice(commands: Sequence[Sequence[str]]) -> list[Trace]:
    return [run(*commands)[0], run(*commands)[0]]


def end_with_a_process_left(command: Sequence[str]) -> tuple[str, bool]:
    """Why a step cannot be ended while a process lives; and whether closing kills the program."""
    from lab.kernel.trace.ptrace import tracer as trace_ptrace

    trace_ptrace.END_DEADLINE_S = 0.05
    with closing(PtraceTracer(library)) as tracer:
        program = start(tracer, "p0", command)
        try:
            tracer.end_step("the step")
        except LabError as error:
            refusal = f"{type(error).__name__}: {error}"
        else:
            refusal = ""
    return refusal, finish(program).status == -signal.SIGKILL


def tracers_of_a_program_and_of_none(command: Sequence[str]) -> tuple[int, int, int]:
    """How many tracers there are: with a program, with another not found, and at the end."""
    with closing(PtraceTracer(library)) as tracer:
        program = start(tracer, "p0", command)
        running = len(tracer.own_processes())
        with suppress(FileNotFoundError):
            start(tracer, "p1", ["/nonexistent/program"])
        finish(program)
        assert tracer.end_step("the step").syscalls
        left = len(tracer.own_processes())
    return running, left, children()


def children() -> int:
    """How many this process has, dead ones included."""
    count = 0
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            count += 1
        count += 1
    return count


# What tests see of it.


@dataclass
class Traced:
    trace: Trace
    status: int
    stdout: str

    def calls(self, *names: str) -> list[Syscall]:
        return [call for call in self.trace.syscalls if call.name in names]

    @property
    def said(self) -> Any:
        """The Python value that the program printed."""
        return ast.literal_eval(self.stdout)


def results(calls: list[Syscall]) -> list[int | None]:
    return [call.result for call in calls]


def data_of(call: Syscall) -> bytes:
    return next((m.data for m in call.memory if m.part in ("", "data")), b"")
