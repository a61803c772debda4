"""Programs that tell what they did, for the trace to be held against; and how they are traced."""

from __future__ import annotations

import ast
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lab.kernel.trace_tracefs import TracefsTracer
from lab.records import Syscall, Trace

FIRST_LINES = """
import ctypes, os, signal, socket, struct, sys, threading, time
"""


@dataclass(frozen=True, slots=True)
class Traced:
    """What programs said, and what was traced of them."""

    said: tuple[object, ...]
    pids: tuple[int, ...]
    traces: tuple[Trace, ...]
    instruments: tuple[str, ...]

    @property
    def trace(self) -> Trace:
        """That of the only step."""
        (trace,) = self.traces
        return trace

    def calls(self, *names: str, after: str = "") -> list[Syscall]:
        """The calls of these names."""
        return [call for call in self.trace.syscalls if call.name in names]


def why_not() -> str:
    """In a sandbox: why tracefs cannot be used."""
    return TracefsTracer.why_not()


def trace(*steps: tuple[str, ...], descriptors: int = 0) -> Traced:
    """In a sandbox: the programs of each step, all at once; each prints one Python literal."""
    tracer = TracefsTracer(frozenset(), frozenset())
    said: list[object] = []
    pids: list[int] = []
    traces: list[Trace] = []
    try:
        for number, programs in enumerate(steps):
            running = [_start(tracer, f"program {place}", text) for place, text in enumerate(programs)]
            for process in running:
                output, _ = process.communicate()
                said.append(ast.literal_eval(output.decode() or "None"))
                pids.append(process.pid)
            traces.append(tracer.end_step(f"step {number}"))
        return Traced(tuple(said), tuple(pids), tuple(traces), tracer.instruments)
    finally:
        tracer.close()


def _start(tracer: TracefsTracer, name: str, text: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-IS", "-c", FIRST_LINES + text],
        stdout=subprocess.PIPE,
        preexec_fn=tracer.prepare(name),
    )
    tracer.started(name, process.pid)
    return process


def missing_program() -> tuple[Trace, bool]:
    """In a sandbox: the trace of a start that failed."""
    tracer = TracefsTracer(frozenset(), frozenset())
    try:
        subprocess.Popen(["/no/such/program"], preexec_fn=tracer.prepare("absent"))
    except FileNotFoundError:
        return tracer.end_step("s"), True
    finally:
        tracer.close()
    raise AssertionError("it was started")


_held: list[TracefsTracer] = []


def hold_tracer() -> None:
    """In a sandbox: have its instances, until it ends."""
    tracer = TracefsTracer(frozenset(), frozenset())
    tracer.prepare("none")
    _held.append(tracer)


def begin_tracer() -> None:
    """In a sandbox: begin to make instances, without waiting for them."""
    _held.append(TracefsTracer(frozenset(), frozenset()))


def instances() -> list[str]:
    """In a sandbox: every instance of the lab's there is."""
    from lab.kernel.trace_instance import INSTANCES, mount_tracefs

    mount_tracefs()
    return sorted(name for name in os.listdir(INSTANCES) if name.startswith("wirelab-"))
