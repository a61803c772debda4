"""The programs of one step, from the start of the first until no process of theirs is left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from lab.errors import ProgramError
from lab.kernel.network.namespace import Namespace
from lab.kernel.network.netlink import import_unix_diag
from lab.kernel.network.sockets import has_undrained_tcp
from lab.kernel.programs.confinement import Confinement
from lab.kernel.programs.key_log import KeyLogFile
from lab.kernel.programs.leftovers import ProcessesLeftError, end_all, orphans, signal_each
from lab.kernel.programs.listening import ListeningWatch
from lab.kernel.programs.running_program import Output, RunningProgram, unstarted
from lab.kernel.source.command import python_command
from lab.kernel.source.notes import Noted, NotedProgram
from lab.kernel.trace.tracer import Tracer
from lab.model.program import Program, Step
from lab.records import Instrument, KeyLog, ProgramRun

POLL_MS = 1  # between checks of a condition for which there is no descriptor
PATIENT_MS = 20  # between checks of the programs' deadlines
DRAIN_DEADLINE_S = 2.0  # for programs that serve to close what their clients have closed
TERM_GRACE_S = 1.0  # from SIGTERM to SIGKILL
STOPPED_S = 0.05  # until a process goes on that was stopped while it was being started
FAILURE_GRACE_S = 2.0  # for the others to end by themselves once one has failed


class StepRun:
    """The running programs of one step; a source of the loop (lab.kernel.system.loop.Source)."""

    def __init__(
        self,
        step: Step,
        namespaces: Mapping[str, Namespace],
        tracer: Tracer | None,
        serve: Callable[[int], None],
        at_checkpoint: Callable[[str], None],
        when_served: Callable[[], None],
        confinement: Confinement | None = None,
        *,
        notes_lines: bool = False,
        key_logs: Mapping[str, KeyLogFile] | None = None,
        own: Sequence[int] = (),
    ) -> None:
        """`serve` is one turn of the loop, which waits at most that many milliseconds.

        `at_checkpoint` is called with the name of each checkpoint that a program waits at,
        `when_served` once all have ended but those that serve.
        `notes_lines`: Python programs note the lines that make their calls. `key_logs`: by
        program, what its TLS library writes secrets to. `own` are pids of the lab's own processes
        besides the tracer's.
        """
        self._own = own
        self._step = step
        self._namespaces = namespaces
        self._tracer = tracer
        self._serve = serve
        self._at_checkpoint = at_checkpoint
        self._when_served = when_served
        self._confinement = confinement
        self._notes_lines = notes_lines
        self._key_logs = key_logs or {}
        self.key_logs: list[KeyLog] = []
        """What was written there, once all have ended."""
        self._noted: dict[str, NotedProgram] = {}
        self.noted: list[Noted] = []
        """What the programs have noted of their lines, once all have ended."""
        self.not_noted: list[str] = []
        """What is to be said of those that noted nothing, or not all."""
        self._outputs: dict[int, tuple[RunningProgram, Output]] = {}
        self._ends: dict[int, RunningProgram] = {}
        self.programs: list[RunningProgram] = []
        """The programs that were started, in the order of their start."""
        self.instruments: list[Instrument] = []
        self.unended: list[str] = []
        """What is to be said of processes that could not be ended."""
        self._unstarted: dict[str, ProgramRun] = {}
        self._hopeless = ""
        """Why no further program is started; "" if the next one is."""
        self._orphans: frozenset[int] = frozenset()
        self._ended = 0
        """How many had ended when orphans were last looked for."""
        self._failed_ns: int | None = None
        """When a program was first found to have failed and ended (CLOCK_MONOTONIC)."""

    def run(self) -> tuple[ProgramRun, ...]:
        """The programs' records: each was started once those before it were ready; all ended.

        A program's failure is in its record. Raises KernelRefused and InstrumentError.
        """
        if any(program.has_checkpoints or program.listens for program in self._step.programs):
            import_unix_diag()  # now, because later a program would wait for the import
        for program in self._step.programs:
            self._start(program)
        while any(p.ended_ns is None and not p.program.serves for p in self.programs):
            self._take_turn()
            self._end_after_failure()
        self._end_servers()
        try:
            end_all(self._own_processes(), lambda: self._take_turn(POLL_MS))
        except ProcessesLeftError as error:
            self.unended.append(str(error))
        self._let_own_go_on()
        self._read_lines()
        self._read_key_logs()
        records = {p.program.name: p.record(self._step.name) for p in self.programs}
        records |= self._unstarted
        return tuple(records[program.name] for program in self._step.programs)

    def descriptors(self) -> tuple[int, ...]:
        """Every open output, and the pidfd of every program that has not ended."""
        self._outputs = {o.descriptor: (p, o) for p in self.programs for o in p.outputs}
        self._ends = {p.ended: p for p in self.programs if p.ended_ns is None}
        return (*self._outputs, *self._ends)

    def take(self, readable: Collection[int]) -> None:
        """Read the readable outputs, note which programs have ended, and serve checkpoints."""
        for descriptor in self._outputs.keys() & readable:
            running, output = self._outputs[descriptor]
            running.take(output)
        for descriptor in self._ends.keys() & readable:
            self._ends[descriptor].note_end()
        for running in self.programs:
            if (checkpoint := running.take_checkpoint()) is not None:
                self._at_checkpoint(checkpoint)
                running.pass_checkpoint()

    def close(self) -> None:
        """Kill the programs that still run, and close their descriptors."""
        for running in self.programs:
            running.close()
        for noted in self._noted.values():
            noted.close()
        self._noted.clear()

    def _noting(self, program: Program) -> NotedProgram | None:
        """What the program shall run as so that it notes its lines; None where it does not."""
        if not self._notes_lines:
            return None
        command = python_command(program.argv)
        if isinstance(command, str):
            self.not_noted.append(f"nothing by {program.name}: {command}")
            return None
        noted = NotedProgram(command)
        self._noted[program.name] = noted
        return noted

    def _read_lines(self) -> None:
        for name, noted in self._noted.items():
            lines = noted.read(name, self._step.name)
            self.noted.append(lines)
            if noted.is_full:
                self.not_noted.append(
                    f"not all by {name}, which made more calls than there was room for"
                )
            elif not lines[1]:
                self.not_noted.append(f"nothing by {name}, which made no call that is noted")

    def _read_key_logs(self) -> None:
        for name, file in self._key_logs.items():
            if (written := file.read(name, self._step.name)) is not None:
                self.key_logs.append(written)

    def _start(self, program: Program) -> None:
        """Start a program and wait until it is ready, unless one before it never became ready."""
        if self._hopeless:
            self._leave_out(program, f"was not started, since {self._hopeless}")
            return
        namespace = self._namespaces[program.host]
        listening = ListeningWatch(namespace, program.listens) if program.listens else None
        before_exec = self._tracer.prepare(program.name) if self._tracer else None
        try:
            with self._kept_going():
                running = RunningProgram(
                    program,
                    namespace,
                    before_exec,
                    self._confinement,
                    self._let_own_go_on,
                    self._noting(program),
                    self._key_logs[program.name].path if self._key_logs else "",
                )
        except ProgramError as error:
            self._leave_out(program, str(error))
            return
        self.programs.append(running)
        if self._tracer is not None:
            self._tracer.started(program.name, running.pid)
        if program.signals_ready:
            self._wait_until_ready(running)
        elif listening is not None:
            self._wait_until_listening(running, listening)
            self.instruments.append(listening.instrument)

    def _leave_out(self, program: Program, failure: str) -> None:
        self._unstarted[program.name] = unstarted(program, self._step.name, failure)
        if program.signals_ready or program.listens:
            self._hopeless = self._hopeless or f"{program.name} {failure}"

    def _wait_until_ready(self, running: RunningProgram) -> None:
        while running.ready_ns is None and not running.failure:
            self._take_turn()
            running.check_ready()
        if running.failure and running.ready_ns is None:
            self._hopeless = f"{running.program.name} never became ready"

    def _wait_until_listening(self, running: RunningProgram, listening: ListeningWatch) -> None:
        """Wait for the socket, whichever of the program's processes opens it.

        If it never comes but the program lives, the other programs are started all the same:
        what happens to them is worth seeing.
        """
        wanted = running.program.listens
        assert wanted is not None
        deadline_s = min(wanted.deadline_s, running.program.deadline_s)
        listening.root = f"/proc/{running.pid}/root"
        deadline_ns = time.monotonic_ns() + round(deadline_s * 1e9)
        while not listening.has_appeared():
            is_dead = running.ended_ns is not None and not self._find_orphans()
            # It may have opened it and ended since the last check.
            if is_dead and not listening.has_appeared():
                running.fail(f"ended before it listened on {wanted}")
                self._hopeless = f"{running.program.name} ended before it listened on {wanted}"
                return
            if time.monotonic_ns() > deadline_ns:
                running.fail(f"never listened on {wanted} within {deadline_s:g} s")
                return
            self._take_turn(POLL_MS)
        running.note_listening()
        if ports := listening.udp_ports():
            plural = "port" if len(ports) == 1 else "ports"
            listed = ", ".join(map(str, ports))
            running.reached = f"is reached at UDP {plural} {listed} alone: no TCP socket listens"

    def _take_turn(self, wait_ms: int = PATIENT_MS) -> None:
        self._let_own_go_on()
        self._serve(wait_ms)
        for running in self.programs:
            running.check_output()
            running.check_end([p.program.name for p in self.programs if p is not running])
        if any(running.is_overdue for running in self.programs):
            # Those that still run may wait for each other: what they wrote shows which is to blame.
            for running in self.programs:
                if running.ended_ns is None and not running.program.serves:
                    running.end_late()
        self._note_orphans()

    def _note_orphans(self) -> None:
        """Note a remark if a program has ended and left processes running."""
        ended = [running for running in self.programs if running.ended_ns is not None]
        if len(ended) == self._ended:
            return
        self._ended = len(ended)
        found = self._find_orphans()
        last = max(ended, key=lambda running: running.ended_ns or 0)
        if found - self._orphans and not last.remark and not last.failure:
            last.remark = "exited with status 0 while processes that it had started went on"
        self._orphans |= found

    def _find_orphans(self) -> frozenset[int]:
        running = [p.pid for p in self.programs if p.ended_ns is None]
        return orphans(running, self._own_processes())

    def _let_own_go_on(self) -> None:
        """Continue those of the lab's own processes that a program has stopped."""
        for pid in self._own_processes():
            with suppress(ChildProcessError):
                if os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG) is not None:
                    signal_each((pid,), signal.SIGCONT)

    @contextmanager
    def _kept_going(self) -> Iterator[None]:
        """While a program is being started, which is waited for, nobody's SIGSTOP delays it.

        It may meet the program's process before its execve(2), or its tracer.
        """
        known = {running.pid for running in self.programs}

        def let_go_on(*_: object) -> None:
            self._let_own_go_on()
            with suppress(ChildProcessError):
                stopped = os.waitid(os.P_ALL, 0, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
                if stopped is not None and stopped.si_pid not in known:
                    os.waitid(os.P_PID, stopped.si_pid, os.WSTOPPED | os.WNOHANG)
                    signal_each((stopped.si_pid,), signal.SIGCONT)

        before = signal.signal(signal.SIGALRM, let_go_on)
        signal.setitimer(signal.ITIMER_REAL, STOPPED_S, STOPPED_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _own_processes(self) -> Sequence[int]:
        return (*self._own, *(self._tracer.own_processes() if self._tracer else ()))

    def _end_after_failure(self) -> None:
        """Kill programs that still run FAILURE_GRACE_S after another has failed and ended."""
        failed = [p for p in self.programs if p.failure and p.ended_ns is not None]
        if not failed:
            return
        now_ns = time.monotonic_ns()
        self._failed_ns = self._failed_ns or now_ns
        if now_ns - self._failed_ns > FAILURE_GRACE_S * 1e9:
            for running in self.programs:
                if running.ended_ns is None and not running.program.serves:
                    names = " and ".join(each.program.name for each in failed)
                    running.end_failed(f"was ended {FAILURE_GRACE_S:g} s after {names} had failed")

    def _end_servers(self) -> None:
        """Give programs that serve time to end with their clients; then end them by SIGTERM.

        SIGTERM goes to orphans as well: a program may have gone into the background.
        """
        if not any(running.program.serves for running in self.programs):
            return
        self._when_served()
        self._serve_until(lambda: self._are_gone() or self._are_drained(), DRAIN_DEADLINE_S)
        lingers = (p.program.linger_s for p in self.programs if p.program.serves)
        self._serve_until(self._are_gone, max(lingers))
        if self._are_gone():
            return
        for running in self.programs:
            running.terminate()
        signal_each(self._find_orphans(), signal.SIGTERM)
        self._serve_until(self._are_gone, TERM_GRACE_S)
        for running in self.programs:
            if running.ended_ns is None:
                running.remark = f"went on, and was killed {TERM_GRACE_S:g} s after SIGTERM"
                running.kill()

    def _are_gone(self) -> bool:
        return all(p.ended_ns is not None for p in self.programs) and not self._find_orphans()

    def _are_drained(self) -> bool:
        return not any(map(has_undrained_tcp, self._namespaces.values()))

    def _serve_until(self, done: Callable[[], bool], deadline_s: float) -> None:
        deadline_ns = time.monotonic_ns() + round(deadline_s * 1e9)
        while not done() and time.monotonic_ns() <= deadline_ns:
            self._take_turn(5)
