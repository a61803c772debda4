"""What was observed of a run so far: each step's programs, and what the loop's sources took."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from lab.errors import InstrumentError, KernelRefused
from lab.kernel.capture.canaries import Canaries
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.disturbers import Disturbers
from lab.kernel.host_readings import HostReadings
from lab.kernel.network.configuration import FILTER_CHANGED, filter_changers, read_configuration
from lab.kernel.network.namespace import Namespace, forget_neighbours
from lab.kernel.network.sockets import has_tcp_in_flight, has_undrained_tcp, undrained_tcp
from lab.kernel.programs.confinement import Confinement
from lab.kernel.programs.group import ProgramGroup
from lab.kernel.programs.key_log import KeyLogFile
from lab.kernel.programs.step_run import StepRun
from lab.kernel.sandbox.mounts import Mount, lost_mounts
from lab.kernel.system.loop import Loop
from lab.kernel.system.message_socket import PeerGone, Talk
from lab.kernel.trace.tracer import Tracer
from lab.model.program import Step
from lab.model.topology import Topology
from lab.records import (
    CanaryBracket,
    Disturbance,
    Instrument,
    InstrumentKind,
    KeyLog,
    ProgramRun,
    Recording,
    SysctlSet,
    Trace,
)

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.kernel.cells.open_cell import OpenCell
    from lab.kernel.links.wires import Wires
    from lab.kernel.session.session import SessionRun
    from lab.kernel.source.notes import Noted
    from lab.kernel.stepping.stepper import Stepper
    from lab.kernel.stepping.updates import Stepping

DRAIN_DEADLINE_S = 5.0
WIRES_DEADLINE_S = 5.0
IDLE_MS = 1000
TURN_MS = 4  # the longest time between two looks at the sockets while programs run
GONE = (errno.ENODEV, errno.ENXIO)


class Observation:
    """What was observed of a run so far: the steps' programs, and what the loop's sources took."""

    def __init__(
        self,
        topology: Topology,
        namespaces: Mapping[str, Namespace],
        tracer: Tracer | None,
        recorder: FrameRecorder,
        stack: ExitStack,
        confinement: Confinement | None,
        wires: Wires | None,
        *,
        notes_lines: bool,
        key_logs: Mapping[str, Mapping[str, KeyLogFile]],
        talk: Talk | None = None,
        stepping: Stepping | None = None,
        new_key_log: Callable[[], KeyLogFile] | None = None,
        cells: Mapping[str, Mapping[str, OpenCell]] | None = None,
    ) -> None:
        """At the end of the stack the programs are ended.

        `talk`: with the caller of a session, or with who steps, if that is how it is `stepping`.
        """
        self._talk = talk if stepping is None else None
        self._cells = cells or {}
        for cell in (each for found in self._cells.values() for each in found.values()):
            cell.captured = lambda: (recorder.saved, recorder.saved_bytes)
        self._new_key_log = new_key_log
        self.so_far: Callable[[tuple[ProgramRun, ...]], Recording] | None = None
        """Of a session what makes a recording of what was observed so far, with these programs."""
        self._wires = wires
        self._topology = topology
        self._confinement = confinement
        self._notes_lines = notes_lines
        self._key_logs = key_logs
        self._namespaces = namespaces
        self._tracer = tracer
        self._stack = stack
        self._loop = Loop()
        self._programs: ProgramGroup | None = None
        self.stepper: Stepper | None = None
        self.recorder = recorder
        self._loop.add(self.recorder)
        self.canaries = Canaries(self.recorder, self._loop)
        if tracer is not None:
            self._loop.add(tracer)
        if stepping is not None and talk is not None and wires is not None:
            # Few runs need it.
            from lab.kernel.stepping.stepper import Stepper

            self.stepper = Stepper(talk, stepping, wires, namespaces, tracer)
            self._loop.add(self.stepper)
        self.runs: list[ProgramRun] = []
        self.hosts = HostReadings(namespaces)
        self.instruments: list[Instrument] = []
        self.traces: list[Trace] = []
        self.noted: list[Noted] = []
        self.not_noted: list[str] = []
        self.key_logs: list[KeyLog] = []
        self.unfinished: list[str] = []
        self.disturbances: list[Disturbance] = []
        self._disturbers = Disturbers(confinement)

    def run_step(self, step: Step) -> None:
        """Run a step, from the canaries before it to those behind what it caused.

        What a program may have done to the run is noted, and is no error.
        """
        try:
            forget_neighbours(self._namespaces.values())
        except KernelRefused as error:
            self._note(self._disturbers.of_network(step, self._topology.hosts, error.refusal))
        self._send_canaries(step, "opening")
        self._begin_wires(step)
        counted = self.hosts.begin(step)
        self._run_programs(step)
        self._drain(step)
        self._end_wires(step)
        self._record_translations(step)
        self.hosts.end(counted)
        # A frame that the first round overtook on another CPU may still have caused
        # an answer; the second round is behind that as well.
        if self._send_canaries(step, "closing"):
            self._send_canaries(step, "closing")
        if self._tracer is not None:
            self._end_trace(self._tracer, step)
            self._note_filters(step)
            for what in self._tracer.take_killed():
                self._note(self._disturbers.of_processes(step, what))
            denied = self._tracer.take_denied()
            self.runs = [_failed_by(denied.get(run.name, ""), run, step) for run in self.runs]

    def _begin_wires(self, step: Step) -> None:
        if self._wires is not None:
            try:
                self._wires.begin(step)
                if self.stepper is not None:
                    self.stepper.begin(step)
            except PeerGone:
                self._lose_wires(step)

    def _end_wires(self, step: Step) -> None:
        """Wait until no frame is held back; note what the rules did."""
        if self.stepper is not None:
            self.stepper.end()
        if self._wires is None:
            return
        try:
            self._loop.serve_until(lambda: not self._wires_hold(), WIRES_DEADLINE_S)
            self._wires.end(step)
        except PeerGone:
            self._lose_wires(step)

    def _wires_hold(self) -> bool:
        return self._wires is not None and self._wires.holds()

    def _traffic(self) -> tuple[bool, int]:
        """Whether anything is on its way, and a number that grows with each frame."""
        try:
            is_on_its_way = any(map(has_tcp_in_flight, self._namespaces.values()))
            return is_on_its_way or self._wires_hold(), self.recorder.come()
        except (KernelRefused, PeerGone):
            return True, 0

    def _lose_wires(self, step: Step) -> None:
        """Go on without the process that carried the frames: nothing passes any more."""
        self._wires = None
        what = "the process that carries the links' frames was killed"
        self._note(self._disturbers.of_processes(step, what))

    def _end_trace(self, tracer: Tracer, step: Step) -> None:
        assert self._programs is not None
        try:
            self.traces.append(tracer.end_step(step.name))
        except InstrumentError as error:
            # Of processes that cannot be ended no tracer sees the end.
            if not self._programs.unended:
                raise
            self._note(self._disturbers.of_processes(step, str(error)))

    def _note_filters(self, step: Step) -> None:
        """Note whose calls have changed the packet filter of a host that is watched."""
        watched = self._watched()
        calls = [call for trace in self.traces for call in trace.syscalls if call.step == step.name]
        for name in filter_changers(calls):
            host = self._disturbers.host_of(name)
            if host in watched:
                what = f"on host {host}, {FILTER_CHANGED}"
                self._note(Disturbance(step.name, (name,), what, blinds=False))

    def _note(self, disturbance: Disturbance) -> None:
        """Note it once for each step; what the same programs have done to a step is one."""
        same = [noted for noted in self.disturbances if disturbance.what in noted.what]
        if same:
            # It goes on: the programs that have come since are not to blame.
            disturbance = replace(disturbance, programs=same[0].programs)
        if any(noted.step == disturbance.step for noted in same):
            return
        for place, noted in enumerate(self.disturbances):
            if _kind(noted) == _kind(disturbance):
                both = f"{noted.what}; {disturbance.what}"
                self.disturbances[place] = replace(noted, what=both)
                return
        self.disturbances.append(disturbance)

    def _send_canaries(self, step: Step, bracket: CanaryBracket) -> bool:
        """Send a round of canaries; whether one could be sent from every point."""
        refused = self.canaries.send(step.name, bracket)
        for point, error in refused:
            hosts: Collection[str] = (point.host,)
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in GONE:
                # Whoever deletes one end of a veth deletes the other.
                ends = (link.ends for link in self._topology.links if link.name == point.link)
                hosts = {end.host for pair in ends for end in pair} | {point.host}
            self._note(self._disturbers.of_network(step, hosts, error.refusal))
        return not refused

    def _run_programs(self, step: Step) -> None:
        """Run the step's programs until all their processes have ended."""
        session = None if self._talk is None else self._session(self._talk, step)
        programs = self._step_run(step) if session is None else session
        self._stack.callback(programs.close)
        if self._programs is not None:
            self._loop.remove(self._programs)
        self._programs = programs
        self._loop.add(programs)
        if self.stepper is not None:
            self.stepper.watch(programs)
        self._disturbers.add(step)
        watched = [self._namespaces[host] for host in self._watched()]
        before = [read_configuration(namespace) for namespace in watched]
        mounts = self._mounts()
        self.runs += programs.run()
        if session is not None:
            self._disturbers.add(replace(step, programs=tuple(session.started)))
        for namespace, then in zip(watched, before, strict=True):
            now = read_configuration(namespace)
            self._note_lost(step, namespace.name, then.lost(now))
            if self._tracer is None:  # else the calls that change it are seen
                self.instruments += (
                    Instrument(InstrumentKind.PACKET_FILTER, None, 0, text) for text in now.unseen
                )
        if lost := lost_mounts(mounts, self._mounts()):
            found = self._disturbers.of_files(step, ", ".join(lost))
            self._note(replace(found, blinds=False))
        self.instruments += programs.instruments
        self.noted += programs.noted
        self.not_noted += programs.not_noted
        self.key_logs += programs.key_logs
        for what in programs.unended:
            self._note(self._disturbers.of_processes(step, what))

    def _step_run(self, step: Step) -> StepRun:
        return StepRun(
            step,
            self._namespaces,
            self._tracer,
            self._take_turn,
            self.hosts.see_unix_sockets,
            lambda: self.hosts.hold("served"),
            self._confinement,
            notes_lines=self._notes_lines,
            key_logs=self._key_logs.get(step.name),
            own=self._own_processes(),
            may_end=None if self.stepper is None else self.stepper.may_end,
            cells=self._cells.get(step.name),
            traffic=self._traffic if step.name in self._cells else None,
        )

    def _session(self, talk: Talk, step: Step) -> SessionRun:
        from lab.kernel.session.session import SessionRun  # few runs need it

        def serve_idle() -> None:
            self._loop.serve_once(IDLE_MS)

        return SessionRun(
            talk,
            step.name,
            self._namespaces,
            self._tracer,
            self._take_turn,
            serve_idle,
            self.hosts.watch,
            lambda: self.hosts.hold("served"),
            self._confinement,
            notes_lines=self._notes_lines,
            own=self._own_processes(),
            wires=self._wires,
            so_far=self.so_far,
            new_key_log=self._new_key_log,
        )

    @property
    def sysctls(self) -> tuple[SysctlSet, ...]:
        """What was set of the hosts' namespaces."""
        return tuple(each for namespace in self._namespaces.values() for each in namespace.sysctls)

    def _own_processes(self) -> Sequence[int]:
        wires = () if self._wires is None else (self._wires.pid,)
        cells = (each.pid for cells in self._cells.values() for each in cells.values())
        return (self.recorder.writer.pid, *wires, *cells)

    def _watched(self) -> Collection[str]:
        """The hosts whose configuration programs may change: of a session, those to come too."""
        if self._talk is not None and self._disturbers.may_configure():
            return self._topology.hosts
        return self._disturbers.hosts()

    def _note_lost(self, step: Step, host: str, lost: Sequence[str]) -> None:
        """Note what a host's network has lost, though it can be observed as before."""
        if lost:
            what = f"on host {host}, {', '.join(lost)}"
            found = self._disturbers.of_network(step, (host,), what)
            self._note(replace(found, blinds=False))

    def _mounts(self) -> Mapping[int, Mount]:
        """The mounts that the programs share, if they do."""
        return self._confinement.mounts() if self._confinement else {}

    def _drain(self, step: Step) -> None:
        """Wait until no TCP connection has anything left to send; note those that have."""
        namespaces = self._namespaces.values()
        while self.stepper is not None and not self.stepper.may_end(
            not any(map(has_undrained_tcp, namespaces))
        ):
            self._loop.serve_once(TURN_MS)
        self._loop.serve_until(
            lambda: not any(map(has_undrained_tcp, namespaces)), DRAIN_DEADLINE_S
        )
        lines = [line for namespace in namespaces for line in undrained_tcp(namespace)]
        self.unfinished += [f"step {step.name}: {line}" for line in lines]

    def _record_translations(self, step: Step) -> None:
        """Record what the NATs have changed in this step."""
        for nat in self._topology.nats:
            try:
                self.hosts.read_translations(nat.host)
            except KernelRefused as error:
                self._note(self._disturbers.of_network(step, (nat.host,), error.refusal))

    def _take_turn(self, wait_ms: int) -> None:
        """One turn of the loop while programs run. Frames do not end its wait."""
        self._loop.serve_once(min(wait_ms, TURN_MS))
        if self.stepper is not None and self.stepper.end_ns is not None:
            assert self._programs is not None
            for running in self._programs.programs:
                running.end_by(self.stepper.end_ns)
        self.hosts.take_turn(self.recorder.come())


def _kind(disturbance: Disturbance) -> tuple[object, ...]:
    """What two disturbances that are said as one have in common."""
    return disturbance.step, disturbance.programs, disturbance.blinds


def _failed_by(denied: str, run: ProgramRun, step: Step) -> ProgramRun:
    """The program's record with what was denied to it in that step, before what came of that."""
    if not denied or run.step != step.name:
        return run
    return replace(run, failure="; ".join(filter(None, (denied, run.failure))))
