"""One recorded run: build, observe, run the programs, and return what was observed.

Runs in a sandbox's init, which is single-threaded: one poll loop serves the captures, the
tracing instrument and every program's descriptors.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

from lab.kernel.capture.capture import PointName, close_captures, open_captures
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.capture.spool import open_spools
from lab.kernel.capture.spooled import SpooledFrames
from lab.kernel.confinement import Confined
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import (
    LOOPBACK_INDEX,
    Namespace,
    build_topology,
    in_user_namespace,
)
from lab.kernel.network.witness import check_interfaces
from lab.kernel.observation import Observation
from lab.kernel.plan import Plan
from lab.kernel.programs.confinement import Confinement
from lab.kernel.programs.key_log import KeyLogFile, make_key_logs
from lab.kernel.sandbox.view import View
from lab.kernel.system.message_socket import Talk
from lab.kernel.trace.tracer import Host
from lab.kernel.tracers import Tracing
from lab.records import (
    CapturePoint,
    Frame,
    Instrument,
    InstrumentKind,
    InterfaceSeen,
    LineUse,
    Obtained,
    ProgramRun,
    Recording,
    SourceLine,
    Trace,
)
from lab.syscalls.source import used

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.kernel.cells.open_cell import OpenCell
    from lab.kernel.links.wires import Wires
    from lab.kernel.source.notes import Noted

STAMP_SLACK_NS = 1_000  # a frame is stamped within a fraction of a microsecond


def run_plan(plan: Plan, talk: Talk | None = None) -> tuple[Recording, SpooledFrames]:
    """What was observed in a run of the plan in this process's sandbox, and where its frames are.

    The recording has those itself where the plan has no spools of its caller's.

    `talk` is with whom asks for programs, if the run is a session.

    Raises KernelRefused, MachineError and InstrumentError. A program that fails ends its step
    and is recorded with its failure; the next step is run all the same.
    """
    # A collection looks at everything that was recorded so far, while the rings fill.
    gc.disable()
    started_ns = time.time_ns()
    clock_offset_ns = started_ns - time.monotonic_ns()
    with ExitStack() as stack:
        # First, because it becomes ready while the topology is built.
        tracing = Tracing(plan.trace, is_live=plan.stepping is not None)
        stack.callback(tracing.close)
        confinement = _confinement(plan.confined, stack)
        cells = _cells(plan, stack)
        built, wires = _build(plan, stack)
        namespaces = {host: built[host] for host in plan.topology.hosts}
        interfaces = check_interfaces(namespaces)
        wait_until_links_ready(built)
        if wires is not None:
            wires.wait_until_ready()
        recorder = _recorder(plan, namespaces, stack)
        tracing.make_ready({each.inode: _host(each) for each in namespaces.values()})
        seen = Observation(
            plan.topology,
            namespaces,
            tracing.tracer,
            recorder,
            stack,
            confinement,
            wires,
            notes_lines=plan.notes_lines,
            key_logs=_key_logs(plan, confinement, stack),
            talk=talk,
            stepping=plan.stepping,
            new_key_log=_new_key_log(plan, confinement, stack),
            cells=cells,
        )
        now = _Now(plan, started_ns, clock_offset_ns, tracing, interfaces, seen, wires)
        if plan.is_session:
            seen.so_far = now.so_far
        for step in plan.steps:
            seen.run_step(step)
        if seen.stepper is not None:
            seen.stepper.over()
        recorder.close_window()
        points = tuple(capture.statistics() for capture in recorder.captures)
        spooled, losses = recorder.spooled(), recorder.losses
        # Whoever has the files reads them there.
        frames = () if plan.spools else recorder.frames()
    trace = _joined(seen.traces) if seen.traces else Trace()
    return now.recording(points, frames, losses, trace, tuple(seen.runs)), spooled


class _Now:
    """What a run's recording is made of, whenever that is."""

    def __init__(
        self,
        plan: Plan,
        started_ns: int,
        clock_offset_ns: int,
        tracing: Tracing,
        interfaces: tuple[InterfaceSeen, ...],
        seen: Observation,
        wires: Wires | None,
    ) -> None:
        self._plan = plan
        self._started_ns = started_ns
        self._clock_offset_ns = clock_offset_ns
        self._tracing = tracing
        self._interfaces = interfaces
        self._seen = seen
        self._wires = wires

    def so_far(self, runs: tuple[ProgramRun, ...]) -> Recording:
        """What was observed of a session so far, but for calls: those are known at its end."""
        recorder = self._seen.recorder
        recorder.flush()
        points = tuple(capture.statistics() for capture in recorder.captures)
        recording = self.recording(points, recorder.frames(), recorder.losses, Trace(), runs)
        if self._wires is not None:
            rules, strikes = self._wires.so_far(self._plan.steps[0])
            recording = replace(recording, wire_rules=rules, wire_strikes=strikes)
        return recording

    def recording(
        self,
        points: tuple[CapturePoint, ...],
        frames: tuple[Frame, ...],
        losses: tuple[str, ...],
        trace: Trace,
        runs: tuple[ProgramRun, ...],
    ) -> Recording:
        """The whole of it."""
        plan, seen, wires = self._plan, self._seen, self._wires
        topology = plan.topology
        system = os.uname()
        lines, uses = _joined_lines(seen.noted, trace)
        return Recording(
            scenario=plan.scenario,
            source=plan.source,
            family=plan.family,
            started_ns=self._started_ns,
            kernel=f"{system.sysname} {system.release} {system.machine}",
            instruments=(
                *_instruments(),
                *self._tracing.instruments,
                *dict.fromkeys((*seen.instruments, *seen.hosts.instruments)),
                *((_noting(seen.not_noted),) if plan.notes_lines else ()),
            ),
            interfaces=self._interfaces,
            points=points,
            canaries=tuple(seen.canaries.sent),
            programs=runs,
            unfinished=tuple(seen.unfinished),
            frames=frames,
            capture_losses=losses,
            snap_bytes=self._plan.capturing.snap_bytes,
            sockets=tuple(seen.hosts.sockets),
            trace=trace,
            clock_step_ns=time.time_ns() - time.monotonic_ns() - self._clock_offset_ns,
            ran_as=plan.confined.ran_as if plan.confined else None,
            disturbances=tuple(seen.disturbances),
            switches=topology.switches,
            routers=topology.routers,
            nats=tuple(nat.host for nat in topology.nats),
            outside=tuple(f"{nat.host}/{name}" for nat in topology.nats for name in nat.outside),
            translations=tuple(seen.hosts.translations),
            held_sockets=tuple(seen.hosts.held),
            counters=tuple(seen.hosts.counters),
            counter_names=seen.hosts.counter_names,
            sysctls=seen.sysctls,
            wire_rules=tuple(wires.rules) if wires else (),
            wire_strikes=tuple(wires.strikes) if wires else (),
            wire_lost=wires.lost if wires else 0,
            source_lines=lines,
            line_uses=uses,
            key_logs=tuple(seen.key_logs),
        )


def _build(plan: Plan, stack: ExitStack) -> tuple[Mapping[str, Namespace], Wires | None]:
    """The namespaces of the topology, and the wires of those links that some step has rules for.

    Of a session, and where frames wait for decisions, every link has one. With wires there is one
    more namespace, which they are in.
    """
    has_all = plan.is_session or plan.stepping is not None
    if not has_all and not any(step.wire for step in plan.steps):
        return stack.enter_context(build_topology(plan.topology)), None
    # Few runs need them, and every run would wait for their import.
    from lab.kernel.links.splice import spliced
    from lab.kernel.links.wires import Wires
    from lab.wire.binding import bound

    wired = frozenset(
        plan.topology.links[place].name
        for step in plan.steps
        for place, _, _ in bound(step.wire, plan.topology.link_ends)
    )
    if has_all:
        wired = frozenset(link.name for link in plan.topology.links)
    topology, host, splices = spliced(plan.topology, wired)
    namespaces = stack.enter_context(build_topology(topology))
    wires = Wires(
        namespaces[host],
        splices,
        plan.steps,
        plan.topology,
        more_may_come=plan.is_session,
        holds_neighbours=None if plan.stepping is None else plan.stepping.neighbours,
    )
    stack.callback(wires.close)
    return namespaces, wires


def _confinement(confined: Confined | None, stack: ExitStack) -> Confinement | None:
    """The programs' confinement, whose view of the files is being made from now on."""
    if confined is None:
        return None
    view = View(confined.files)
    stack.callback(view.close)
    return Confinement(confined.identity, confined.capabilities, confined.folder, view)


def _cells(plan: Plan, stack: ExitStack) -> Mapping[str, Mapping[str, OpenCell]]:
    """By step and program, the cells of those that nobody trusts, which are made from now on."""
    names = plan.confined.files.names if plan.confined and plan.confined.files else ()
    found: dict[str, dict[str, OpenCell]] = {}
    for step in plan.steps:
        for program in step.programs:
            if program.cell is not None:
                from lab.kernel.cells.open_cell import OpenCell

                cell = OpenCell(program.cell, names)
                stack.callback(cell.close)
                found.setdefault(step.name, {})[program.name] = cell
    return found


def _key_logs(
    plan: Plan, confinement: Confinement | None, stack: ExitStack
) -> Mapping[str, Mapping[str, KeyLogFile]]:
    """By step and program, what its TLS library writes secrets to; nothing where it is not to."""
    if not plan.keeps_secrets:
        return {}
    made = make_key_logs(sum(len(step.programs) for step in plan.steps), confinement)
    for file in made:
        stack.callback(file.close)
    files = iter(made)
    return {
        step.name: {program.name: next(files) for program in step.programs} for step in plan.steps
    }


def _new_key_log(
    plan: Plan, confinement: Confinement | None, stack: ExitStack
) -> Callable[[], KeyLogFile] | None:
    """What makes such a file for one more program of a session; None where there are to be none."""
    if not plan.keeps_secrets:
        return None
    numbers = count(1)

    def new() -> KeyLogFile:
        (made,) = make_key_logs(1, confinement, next(numbers))
        stack.callback(made.close)
        return made

    return new


def _instruments() -> tuple[Instrument, ...]:
    kind = InstrumentKind
    frames = "AF_PACKET SOCK_RAW ring, kernel timestamps"
    interfaces = "rtnetlink, confirmed by netifaces"
    privilege = "user namespace" if in_user_namespace() else "root"
    return (
        Instrument(kind.FRAMES, Obtained.MEASURED, STAMP_SLACK_NS, frames),
        Instrument(kind.INTERFACES, Obtained.SAMPLED, 0, interfaces),
        Instrument(kind.TRANSCRIPT, None, 0, "the programs' own output"),
        Instrument(kind.PRIVILEGE, None, 0, privilege),
    )


def _host(namespace: Namespace) -> Host:
    indexes = {namespace.index(each): each.name for each in namespace.interfaces}
    return Host(namespace.name, {LOOPBACK_INDEX: "lo"} | indexes)


def _recorder(plan: Plan, namespaces: Mapping[str, Namespace], stack: ExitStack) -> FrameRecorder:
    """What records the frames of all links, from now on. Raises KernelRefused, MachineError."""
    capturing = plan.capturing
    captures = open_captures(_wanted_captures(plan, namespaces), capturing)
    stack.callback(close_captures, captures)
    spools = plan.spools or stack.enter_context(open_spools())
    for spool in spools:
        os.set_inheritable(spool, False)  # no program's
    recorder = FrameRecorder(captures, spools, capturing)
    stack.callback(recorder.close)
    return recorder


def _wanted_captures(
    plan: Plan, namespaces: Mapping[str, Namespace]
) -> list[tuple[Namespace, PointName]]:
    """Where to capture: see open_captures."""
    wanted = [
        (namespaces[end.host], PointName(end.host, end.name, link.name))
        for link in plan.topology.links
        for end in link.ends
    ]
    if plan.captures_loopback:
        # Of a run without internet sockets every device of every host is to be silent.
        busy = {program.host for step in plan.steps for program in step.programs}
        wanted += [
            (namespace, PointName(host, "lo", f"{host}/lo"))
            for host, namespace in namespaces.items()
            if plan.family is None or plan.is_session or host in busy
        ]
    return wanted


def _joined(traces: Iterable[Trace]) -> Trace:
    """The traces of a run's steps as one, without calls that concern no socket or pipe."""
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
        closings=tuple(each for trace in pruned for each in trace.closings),
    )


def _joined_lines(noted: Sequence[Noted], trace: Trace) -> Noted:
    """What all programs have noted as one: the lines that made calls of the trace, and when."""
    places: dict[SourceLine, int] = {}
    every: list[LineUse] = []
    lines_of: list[SourceLine] = []
    for lines, uses in noted:
        every += (replace(use, line=use.line + len(lines_of)) for use in uses)
        lines_of += lines
    kept = [
        replace(use, line=places.setdefault(lines_of[use.line], len(places)))
        for use in used(trace.syscalls, every)
    ]
    return tuple(places), tuple(kept)


def _noting(not_noted: Iterable[str]) -> Instrument:
    """What noted the lines, and what it did not note."""
    text = "noted by the programs' own Python"
    said = "; ".join((text, *dict.fromkeys(not_noted)))
    return Instrument(InstrumentKind.SOURCE_LINES, None, 0, said)
