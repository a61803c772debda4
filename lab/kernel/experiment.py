"""One recorded run: build, watch, run the programs, and return what was observed.

Runs in a sandbox's first process, which is single-threaded: one poll loop serves the
captures and every program's descriptors.
"""

from __future__ import annotations

import os
import secrets
import select
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

from lab.errors import KernelRefused
from lab.kernel.capture.capture import (
    ETH_P_LOCAL_EXPERIMENTAL,
    ETHERNET_HEADER_BYTES,
    Capture,
    PointName,
    close_captures,
    open_captures,
)
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import (
    Namespace,
    build_topology,
    forget_neighbours,
    in_user_namespace,
)
from lab.kernel.network.sockets import has_undrained_tcp, undrained_tcp, unix_sockets_seen
from lab.kernel.network.witness import check_interfaces
from lab.kernel.plan import Plan
from lab.kernel.programs.running_program import RunningProgram
from lab.kernel.programs.step_run import StepRun
from lab.kernel.trace.tracer import Tracer
from lab.kernel.tracers import open_tracer
from lab.model.program import Step
from lab.model.topology import Topology
from lab.records import (
    CANARY_TEXT,
    NO_UNIX_DIAG,
    Canary,
    Frame,
    ProgramRun,
    Recording,
    SocketSeen,
    Trace,
)

CANARY_DEADLINE_S = 2.0
DRAIN_DEADLINE_S = 5.0
POLL_MS = 1  # between looks at what no descriptor tells
FRAMES_MS = 4  # between looks at the rings: see _take_turn
LOOPBACK_MTU_BYTES = 65536
BROADCAST = b"\xff" * 6
UNIX_DIAG = "unix sockets: sock_diag, while their programs wait"


def run_plan(plan: Plan) -> Recording:
    """Run the plan in this process's sandbox.

    Raises KernelRefused and InstrumentError (the witness disagrees). A program that fails ends
    its step, and is recorded with its failure; the next step is run all the same.
    """
    started_ns = time.time_ns()
    clock_offset_ns = started_ns - time.monotonic_ns()
    unfinished: list[str] = []
    with ExitStack() as stack:
        # First, since it makes itself ready while the topology is built.
        interfaces_named = frozenset(end.name for end in plan.topology.interfaces())
        addresses = _addresses(plan.topology)
        tracer, why_untraced = open_tracer(plan.trace, addresses, interfaces_named)
        if tracer is not None:
            stack.callback(tracer.close)
        namespaces = stack.enter_context(build_topology(plan.topology))
        interfaces = check_interfaces(namespaces)
        wait_until_links_ready(namespaces)
        with _Watch(plan, namespaces, tracer) as watch:
            for step in plan.steps:
                forget_neighbours(plan.topology, namespaces)
                watch.send_canaries(step.name, "opening")
                watch.run_programs(step)
                unfinished += watch.settle(step)
                # A frame that the first round overtook on another CPU may still have caused
                # an answer; the second round is behind that as well.
                watch.send_canaries(step.name, "closing")
                watch.send_canaries(step.name, "closing")
                watch.end_step(step)
            points = tuple(capture.statistics() for capture in watch.captures)
    system = os.uname()
    return Recording(
        scenario=plan.scenario,
        family=plan.family,
        started_ns=started_ns,
        kernel=f"{system.sysname} {system.release} {system.machine}",
        instruments=(
            *_instruments(),
            *(tracer.instruments if tracer else (why_untraced,)),
            *dict.fromkeys(watch.instruments),
        ),
        interfaces=interfaces,
        points=points,
        canaries=tuple(watch.canaries),
        programs=tuple(watch.runs),
        unfinished=tuple(unfinished),
        frames=tuple(sorted(watch.frames, key=lambda frame: frame.time_ns)),
        sockets=tuple(watch.sockets),
        trace=_joined(watch.traces) if watch.traces else Trace(),
        clock_step_ns=time.time_ns() - time.monotonic_ns() - clock_offset_ns,
    )


def _instruments() -> tuple[str, ...]:
    return (
        "frames: AF_PACKET SOCK_RAW ring, kernel timestamps",
        "interfaces: rtnetlink, confirmed by netifaces",
        "words: the programs' own output",
        "privilege: " + ("user namespace" if in_user_namespace() else "root"),
    )


def _addresses(topology: Topology) -> frozenset[str]:
    """Every address of the topology, without its prefix length."""
    return frozenset(
        str(address.ip) for interface in topology.interfaces() for address in interface.addresses
    )


def _joined(traces: Iterable[Trace]) -> Trace:
    """The traces of a run's steps as one, without what no socket or pipe was concerned in."""
    from lab.syscalls.descriptors import relevant

    pruned = [relevant(trace) for trace in traces]
    return Trace(
        syscalls=tuple(call for trace in pruned for call in trace.syscalls),
        tasks=tuple(task for trace in pruned for task in trace.tasks),
        states=tuple(state for trace in pruned for state in trace.states),
        drops=tuple(drop for trace in pruned for drop in trace.drops),
        events=tuple(event for trace in pruned for event in trace.events),
        lost=sum(trace.lost for trace in pruned),
        queues=tuple(queue for trace in pruned for queue in trace.queues),
    )


class _Watch:
    """The open captures and running programs of one run, and the loop that serves them.

    At the end of the with statement the programs are ended and the captures closed.
    """

    def __init__(
        self, plan: Plan, namespaces: Mapping[str, Namespace], tracer: Tracer | None
    ) -> None:
        self._plan = plan
        self._namespaces = namespaces
        self._tracer = tracer
        self._stack = ExitStack()
        self.captures: list[Capture] = []
        self.programs: list[RunningProgram] = []
        self.runs: list[ProgramRun] = []
        self.frames: list[Frame] = []
        self.canaries: list[Canary] = []
        self.sockets: list[SocketSeen] = []
        self.instruments: list[str] = []
        self.traces: list[Trace] = []
        self._step = ""
        self._sightings: dict[bytes, int] = {}

    def __enter__(self) -> _Watch:
        wanted = [
            (self._namespaces[end.host], PointName(end.host, end.name, link.name), link.mtu_bytes)
            for link in self._plan.topology.links
            for end in link.ends
        ]
        if self._plan.captures_loopback:
            wanted += [
                (namespace, PointName(host, "lo", f"{host}/lo"), LOOPBACK_MTU_BYTES)
                for host, namespace in self._namespaces.items()
            ]
        self.captures = open_captures(wanted)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        close_captures(self.captures)

    def send_canaries(self, step: str, bracket: str) -> None:
        """Send a canary from every point and CPU; wait until each was seen at both ends.

        A frame waits for its receiver in the queue of the CPU that sent it, so that only a
        canary from the same CPU is known to be behind it. One that is not seen before the
        deadline is left for the analysis to find missing.
        """
        allowed = os.sched_getaffinity(0)
        self._sightings = {}
        try:
            for cpu in sorted(allowed):
                try:
                    os.sched_setaffinity(0, {cpu})
                except OSError as error:
                    raise KernelRefused(f"cannot use CPU {cpu}: {error.strerror}") from error
                for capture in self.captures:
                    self._send_canary(capture, step, bracket, cpu)
                # With many CPUs all canaries together would overflow a ring.
                self._take_frames()
        finally:
            os.sched_setaffinity(0, allowed)
        self._serve(lambda: all(n >= 2 for n in self._sightings.values()), CANARY_DEADLINE_S)

    def run_programs(self, step: Step) -> None:
        """Run the step's programs until nothing of them is left."""
        self._step = step.name
        running = StepRun(step, self._namespaces, self._tracer, self._take_turn)
        self._stack.callback(running.close)
        self.programs = running.programs
        self.runs += running.run()
        self.instruments += running.instruments

    def end_step(self, step: Step) -> None:
        """Take the step's trace; all of its programs have ended."""
        if self._tracer is not None:
            self.traces.append(self._tracer.end_step(step.name))

    def settle(self, step: Step) -> list[str]:
        """Wait until no TCP connection has anything left to send; return those that have."""
        namespaces = self._namespaces.values()
        self._serve(lambda: not any(map(has_undrained_tcp, namespaces)), DRAIN_DEADLINE_S)
        lines = [line for namespace in namespaces for line in undrained_tcp(namespace)]
        return [f"step {step.name}: {line}" for line in lines]

    def _send_canary(self, capture: Capture, step: str, bracket: str, cpu: int) -> None:
        nonce = secrets.token_hex(8).encode("ascii")
        payload = b"%s %s cpu %d %s" % (CANARY_TEXT, bracket.encode("ascii"), cpu, nonce)
        payload = payload.ljust(46, b"\0")  # Ethernet's minimum
        kind = struct.pack("!H", ETH_P_LOCAL_EXPERIMENTAL)
        self._sightings[payload] = 0
        capture.send_frame(BROADCAST + bytes(6) + kind + payload)
        self.canaries.append(Canary(bracket, capture.point.name, payload, step))

    def _record_unix_sockets(self, checkpoint: str) -> None:
        """Record every host's unix sockets while a program waits at a checkpoint."""
        for namespace in self._namespaces.values():
            seen = unix_sockets_seen(namespace, checkpoint, self._step)
            self.instruments.append(NO_UNIX_DIAG if seen is None else UNIX_DIAG)
            self.sockets += seen or ()

    def _take_frames(self) -> None:
        """Take what the captures have, and count the sightings of canaries."""
        for capture in self.captures:
            for frame in capture.read_frames():
                self.frames.append(frame)
                payload = frame.data[ETHERNET_HEADER_BYTES:]
                if payload in self._sightings:
                    self._sightings[payload] += 1

    def _serve(self, done: Callable[[], bool], deadline_s: float) -> None:
        """Serve until done() or the deadline."""
        deadline_ns = time.monotonic_ns() + round(deadline_s * 1e9)
        while not done() and time.monotonic_ns() <= deadline_ns:
            self._serve_once(POLL_MS, [capture.fileno() for capture in self.captures])

    def _take_turn(self, wait_ms: int) -> None:
        """One turn while programs run.

        Frames do not wake this process: it would be woken for nearly each of them, at the cost
        of the program that sends it. The rings hold more than comes in the time.
        """
        self._serve_once(min(wait_ms, FRAMES_MS), ())

    def _serve_once(self, wait_ms: int, watched: Iterable[int]) -> None:
        """Wait until something comes, `wait_ms` at most, and take everything.

        `watched` are more descriptors that end the waiting.
        """
        outputs = {o.descriptor: (p, o) for p in self.programs for o in p.outputs}
        ends = {p.ended: p for p in self.programs if p.ended_ns is None}
        traced = self._tracer.descriptors() if self._tracer else ()
        poll = select.poll()
        for descriptor in (*outputs, *ends, *traced, *watched):
            poll.register(descriptor, select.POLLIN)
        readable = {descriptor for descriptor, _ in poll.poll(wait_ms)}
        self._take_frames()
        if self._tracer is not None and readable.intersection(traced):
            self._tracer.take()
        for descriptor in readable & outputs.keys():
            running, output = outputs[descriptor]
            running.take(output)
        for descriptor in readable & ends.keys():
            ends[descriptor].note_end()
        for running in self.programs:
            if (checkpoint := running.take_checkpoint()) is not None:
                self._record_unix_sockets(checkpoint)
                running.pass_checkpoint()
