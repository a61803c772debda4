"""Programs that tell what they did, for the trace to be held against; and how they are traced."""

from __future__ import annotations

import ast
import fcntl
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.kernel.programs.leftovers import orphans
from lab.kernel.trace.tracefs import events as trace_events
from lab.kernel.trace.tracefs import start as trace_start
from lab.kernel.trace.tracefs.instance import INSTANCES, Owner, mount_tracefs, owner
from lab.kernel.trace.tracefs.tracer import TracefsTracer
from lab.kernel.tracers import open_tracer
from lab.records import Instrument, Syscall, Trace

FIRST_LINES = """
import ctypes, os, signal, socket, struct, sys, threading, time
"""


@dataclass(frozen=True, slots=True)
class Traced:
    """What programs said, and what was traced of them."""

    said: tuple[Any, ...]
    pids: tuple[int, ...]
    traces: tuple[Trace, ...]
    instruments: tuple[Instrument, ...]

    @property
    def trace(self) -> Trace:
        """That of the only step."""
        (trace,) = self.traces
        return trace

    def calls(self, *names: str) -> list[Syscall]:
        """The calls of these names."""
        return [call for call in self.trace.syscalls if call.name in names]


def why_not() -> str:
    """In a sandbox: why tracefs cannot be used."""
    return TracefsTracer.why_not()


def trace(*steps: tuple[str, ...]) -> Traced:
    """In a sandbox: the programs of each step, all at once; each prints one Python literal."""
    _set_loopback_up()
    tracer = TracefsTracer(frozenset(), frozenset())
    said: list[Any] = []
    pids: list[int] = []
    traces: list[Trace] = []
    try:
        for number, programs in enumerate(steps):
            running = [
                _start(tracer, f"program {place}", text) for place, text in enumerate(programs)
            ]
            for process in running:
                output, _ = process.communicate()
                said.append(ast.literal_eval(output.decode() or "None"))
                pids.append(process.pid)
            traces.append(tracer.end_step(f"step {number}"))
        return Traced(tuple(said), tuple(pids), tuple(traces), tracer.instruments)
    finally:
        tracer.close()


def _set_loopback_up() -> None:
    """Source: netdevice(7), SIOCSIFFLAGS."""
    with socket.socket() as asked:
        fcntl.ioctl(asked, 0x8914, struct.pack("=16sh14x", b"lo", 1))


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


def others_when_refused() -> tuple[Instrument, frozenset[int]]:
    """In a sandbox: what is taken where a tracepoint is absent, and processes beside its own."""
    trace_start.begin_early()
    trace_events.NEEDED = (*trace_events.NEEDED, "syscalls:sys_enter_none")
    tracer, _ = open_tracer("auto", frozenset(), frozenset())
    assert tracer is not None
    try:
        return tracer.instruments[0], orphans((), tracer.own_processes())
    finally:
        tracer.close()


_held: list[TracefsTracer] = []


def hold_tracer() -> None:
    """In a sandbox: have its instances, until it ends."""
    begin_tracer()
    _held[-1].prepare("none")


def begin_tracer() -> None:
    """In a sandbox: begin to make instances, without waiting for them."""
    assert why_not() == ""
    _held.append(TracefsTracer(frozenset(), frozenset()))


def instances() -> list[str]:
    """In a sandbox: every instance of the lab's there is."""
    mount_tracefs()
    return sorted(path.name for path in Path(INSTANCES).glob("wirelab-*"))


def make_instances(*names: str) -> None:
    """In a sandbox: as labs of those owners would have left them."""
    mount_tracefs()
    for name in names:
        Path(INSTANCES, name).mkdir()


def remove_instances(*names: str) -> None:
    """In a sandbox: those of them that are there."""
    for name in set(names) & set(instances()):
        Path(INSTANCES, name).rmdir()


def owner_of_all() -> Owner:
    """In a sandbox: who owns its instances."""
    return owner()
