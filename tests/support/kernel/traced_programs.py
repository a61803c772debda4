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
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.trace.collecting import start as trace_start
from lab.kernel.trace.collecting import tracer as bpf_tracer
from lab.kernel.trace.collecting.tracer import BpfTracer
from lab.kernel.trace.tracer import Host
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
    """In a sandbox: why BPF cannot be used."""
    return BpfTracer.why_not()


def trace(*steps: tuple[str, ...]) -> Traced:
    """In a sandbox: the programs of each step, all at once; each prints one Python literal."""
    _set_loopback_up()
    tracer = watching_tracer()
    said: list[Any] = []
    pids: list[int] = []
    traces: list[Trace] = []
    try:
        for number, programs in enumerate(steps):
            running = [
                start(tracer, f"program {place}", text) for place, text in enumerate(programs)
            ]
            for process in running:
                output, _ = process.communicate()
                said.append(ast.literal_eval(output.decode() or "None"))
                pids.append(process.pid)
            traces.append(tracer.end_step(f"step {number}"))
        return Traced(tuple(said), tuple(pids), tuple(traces), tracer.instruments)
    finally:
        tracer.close()


def watching_tracer() -> BpfTracer:
    """In a sandbox: a tracer of this network namespace, as the host "here"."""
    tracer = BpfTracer()
    inode = Path("/proc/self/ns/net").stat().st_ino
    tracer.watch({inode: Host("here", {1: "lo"})})
    return tracer


def _set_loopback_up() -> None:
    """Source: netdevice(7), SIOCSIFFLAGS."""
    with socket.socket() as asked:
        fcntl.ioctl(asked, 0x8914, struct.pack("=16sh14x", b"lo", 1))


def start(tracer: BpfTracer, name: str, text: str) -> subprocess.Popen[bytes]:
    """In a sandbox: a program, traced."""
    tracer.prepare(name)
    process = subprocess.Popen(
        [sys.executable, "-IS", "-c", FIRST_LINES + text],
        stdout=subprocess.PIPE,
    )
    tracer.started(name, process.pid)
    return process


def missing_program() -> tuple[Trace, bool]:
    """In a sandbox: the trace of a start that failed."""
    tracer = watching_tracer()
    try:
        tracer.prepare("absent")
        subprocess.Popen(["/no/such/program"])
    except FileNotFoundError:
        return tracer.end_step("s"), True
    finally:
        tracer.close()
    raise AssertionError("it was started")


def others_when_refused(choice: str) -> tuple[Instrument, frozenset[int]]:
    """In a sandbox: what is taken where BPF is refused, and processes beside its own."""
    trace_start.begin_early()
    if choice == "auto":
        trace_start.why_no_collector = lambda: "refused"
        bpf_tracer.why_no_collector = trace_start.why_no_collector  # type: ignore[attr-defined]
    tracer, _ = open_tracer(choice)
    assert tracer is not None
    try:
        return tracer.instruments[0], orphans((), tracer.own_processes())
    finally:
        tracer.close()


_held: list[BpfTracer] = []


def hold_tracer() -> None:
    """In a sandbox: have a collector that is at work, until it ends."""
    begin_tracer()
    _held[-1].prepare("none")


def begin_tracer() -> None:
    """In a sandbox: begin to make one ready, without waiting for it."""
    assert why_not() == ""
    _held.append(watching_tracer())


def run(sandbox: Sandbox, *programs: str) -> Traced:
    """What they did, traced in the sandbox; nothing of it was lost."""
    traced = sandbox.call(trace, programs)
    assert traced.trace.lost == 0
    return traced


CONVERSATION = """
done = []
def told(name, call, *arguments):
    try:
        value = call(*arguments)
    except OSError as error:
        done.append((name, -error.errno))
        raise
    number = {
        'sendto': value, 'recvfrom': len(value) if isinstance(value, bytes) else 0,
        'accept4': value[0].fileno() if isinstance(value, tuple) else 0,
        'socket': value.fileno() if isinstance(value, socket.socket) else 0,
    }.get(name, 0)
    done.append((name, number))
    return value
server = told('socket', socket.socket)
told('bind', server.bind, ('127.0.0.1', 0))
told('listen', server.listen)
client = told('socket', socket.socket)
told('connect', client.connect, server.getsockname())
peer, _ = told('accept4', server.accept)
told('sendto', client.send, b'Hello. ')
told('recvfrom', peer.recv, 100)
told('sendto', peer.send, b'x' * 1000)
told('recvfrom', client.recv, 10)
told('shutdown', client.shutdown, socket.SHUT_WR)
told('recvfrom', peer.recv, 100)
# Else the FIN is acknowledged before the end or not, as it happens.
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
peer.setblocking(False)
server.setblocking(False)
try:
    told('accept4', server.accept)
except BlockingIOError:
    pass
refused = told('socket', socket.socket)
try:
    told('connect', refused.connect, ('127.0.0.1', 1))
except ConnectionRefusedError:
    pass
print((done, server.getsockname()[1], client.getsockname()[1]))
"""


def name_of_tracer(choice: str) -> str:
    """In a sandbox: the class of the instrument that is opened for that choice."""
    trace_start.begin_early()
    tracer, _ = open_tracer(choice)
    assert tracer is not None
    try:
        return type(tracer).__name__
    finally:
        tracer.close()
