"""Programs that run at the same time, and what they leave: a source of the run's loop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from lab.kernel.network.namespace import Namespace
from lab.kernel.programs.confinement import Confinement
from lab.kernel.programs.key_log import KeyLogFile
from lab.kernel.programs.leftovers import ProcessesLeftError, end_all, orphans, signal_each
from lab.kernel.programs.output import Output
from lab.kernel.programs.running_program import RunningProgram, unstarted
from lab.kernel.programs.terminal import Terminal
from lab.kernel.trace.tracer import Tracer
from lab.model.program import Program
from lab.records import Instrument, KeyLog, ProgramRun, SourceLine

TYPE_CHECKING = False  # as typing has it; few runs need it
if TYPE_CHECKING:
    from lab.kernel.cells.open_cell import OpenCell
    from lab.kernel.source.notes import Noted, NotedProgram

POLL_MS = 1  # between checks of a condition for which there is no descriptor
TERM_GRACE_S = 1.0  # from SIGTERM to SIGKILL
STOPPED_S = 0.05  # until a process goes on that was stopped while it was being started


class ProgramGroup:
    """The running programs of one step; a source of the loop (lab.kernel.system.loop.Source).

    It starts them, reads what they write, and ends what is left of them; when, is said by what
    derives from it.
    """

    def __init__(
        self,
        step: str,
        namespaces: Mapping[str, Namespace],
        tracer: Tracer | None,
        serve: Callable[[int], None],
        confinement: Confinement | None = None,
        *,
        notes_lines: bool = False,
        key_logs: Mapping[str, KeyLogFile] | None = None,
        own: Sequence[int] = (),
        cells: Mapping[str, OpenCell] | None = None,
    ) -> None:
        """`serve` is one turn of the loop, which waits at most that many milliseconds.

        `notes_lines`: Python programs note the lines that make their calls. `key_logs`: by
        program, what its TLS library writes secrets to. `own` are pids of the lab's own processes
        besides the tracer's. `cells` are what holds programs that nobody trusts, by their names.
        """
        self._cells = dict(cells or {})
        self._own = own
        self._step_name = step
        self._namespaces = namespaces
        self._tracer = tracer
        self._serve = serve
        self._confinement = confinement
        self._notes_lines = notes_lines
        self._key_logs = dict(key_logs or {})
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
        self._orphans: frozenset[int] = frozenset()
        self._ended = 0
        """How many had ended when orphans were last looked for."""

    def run(self) -> tuple[ProgramRun, ...]:
        """The programs' records, once all have ended. Raises KernelRefused and InstrumentError."""
        raise NotImplementedError

    def descriptors(self) -> tuple[int, ...]:
        """Every open output, and the pidfd of every program that has not ended."""
        self._outputs = {o.descriptor: (p, o) for p in self.programs for o in p.outputs}
        self._ends = {p.ended: p for p in self.programs if p.ended_ns is None}
        return (*self._outputs, *self._ends)

    def take(self, readable: Collection[int]) -> None:
        """Read the readable outputs, and note which programs have ended."""
        for descriptor in self._outputs.keys() & readable:
            running, output = self._outputs[descriptor]
            running.take(output)
        for descriptor in self._ends.keys() & readable:
            self._ends[descriptor].note_end()

    def close(self) -> None:
        """Kill the programs that still run, and close their descriptors."""
        for running in self.programs:
            running.close()
        for noted in self._noted.values():
            noted.close()
        self._noted.clear()

    def line_now(self, program: str) -> SourceLine | None:
        """The line of a program's that has made a call last, if it notes them."""
        noted = self._noted.get(program)
        if noted is None:
            return None
        lines, uses = noted.read(program, self._step_name)
        return lines[max(uses, key=lambda use: use.entry_ns).line] if uses else None

    def _noting(self, program: Program) -> NotedProgram | None:
        """What the program shall run as so that it notes its lines; None where it does not."""
        if not self._notes_lines:
            return None
        from lab.kernel.source.command import python_command
        from lab.kernel.source.notes import NotedProgram

        command = python_command(program.argv)
        if isinstance(command, str):
            self.not_noted.append(f"nothing by {program.name}: {command}")
            return None
        noted = NotedProgram(command)
        self._noted[program.name] = noted
        return noted

    def _launch(self, program: Program, terminal: Terminal | None = None) -> RunningProgram:
        """Start it, with a terminal or without. Raises ProgramError and KernelRefused."""
        before_exec = self._tracer.prepare(program.name) if self._tracer else None
        with self._kept_going():
            running = RunningProgram(
                program,
                self._namespaces[program.host],
                before_exec,
                self._confinement,
                self._let_own_go_on,
                self._noting(program),
                self._key_logs[program.name].path if program.name in self._key_logs else "",
                terminal,
                self._cells.get(program.name),
            )
        self.programs.append(running)
        if self._tracer is not None:
            self._tracer.started(program.name, running.pid)
        return running

    def _note_unstarted(self, program: Program, failure: str) -> None:
        self._unstarted[program.name] = unstarted(program, self._step_name, failure)

    def _end_everything(self) -> None:
        """Kill every process that programs have left, and read what all have written."""
        for cell in self._cells.values():
            cell.kill()
        try:
            end_all(self._own_processes(), lambda: self._take_turn(POLL_MS))
        except ProcessesLeftError as error:
            self.unended.append(str(error))
        self._let_own_go_on()
        self._read_lines()
        self._read_key_logs()

    def _records(self) -> dict[str, ProgramRun]:
        """Of every program its record, by its name. All must have ended."""
        records = {p.program.name: p.record(self._step_name) for p in self.programs}
        return records | self._unstarted

    def _take_turn(self, wait_ms: int) -> None:
        """One turn of the loop, after which nobody has to be stopped."""
        self._let_own_go_on()
        self._serve(wait_ms)

    def _read_lines(self) -> None:
        for name, noted in self._noted.items():
            lines = noted.read(name, self._step_name)
            self.noted.append(lines)
            if noted.is_full:
                self.not_noted.append(
                    f"not all by {name}, which made more calls than there was room for"
                )
            elif not lines[1]:
                self.not_noted.append(f"nothing by {name}, which made no call that is noted")

    def _read_key_logs(self) -> None:
        for name, file in self._key_logs.items():
            if (written := file.read(name, self._step_name)) is not None:
                self.key_logs.append(written)

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
        inits = [cell.pid for cell in self._cells.values()]
        return orphans(running, self._own_processes(), inits)

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
        inits = (cell.pid for cell in self._cells.values())
        return (*self._own, *inits, *(self._tracer.own_processes() if self._tracer else ()))

    def _terminate(self, remark: str) -> None:
        """SIGTERM to all that run, and to orphans: a program may have gone into the background.

        SIGKILL for programs that do not end by it.
        """
        if self._are_gone():
            return
        for running in self.programs:
            running.signal(signal.SIGTERM, remark)
        signal_each(self._find_orphans(), signal.SIGTERM)
        self._serve_until(self._are_gone, TERM_GRACE_S)
        for running in self.programs:
            if running.ended_ns is None:
                running.remark = f"went on, and was killed {TERM_GRACE_S:g} s after SIGTERM"
                running.kill()

    def _are_gone(self) -> bool:
        return all(p.ended_ns is not None for p in self.programs) and not self._find_orphans()

    def _serve_until(self, done: Callable[[], bool], deadline_s: float) -> None:
        deadline_ns = time.monotonic_ns() + round(deadline_s * 1e9)
        while not done() and time.monotonic_ns() <= deadline_ns:
            self._take_turn(5)
