"""The programs of one step, from the start of the first until no process of theirs is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from lab.errors import ProgramError
from lab.kernel.network.namespace import Namespace
from lab.kernel.network.sockets import has_undrained_tcp
from lab.kernel.programs.confinement import Confinement
from lab.kernel.programs.doing import what_it_does
from lab.kernel.programs.group import POLL_MS, ProgramGroup
from lab.kernel.programs.key_log import KeyLogFile
from lab.kernel.programs.listening import ListeningWatch
from lab.kernel.programs.rest import RestWatch, rest_of
from lab.kernel.programs.running_program import RunningProgram
from lab.kernel.trace.tracer import Tracer
from lab.model.program import Program, Step
from lab.records import ProgramRun

TYPE_CHECKING = False  # as typing has it; few runs need it
if TYPE_CHECKING:
    from lab.kernel.cells.open_cell import OpenCell

DRAIN_DEADLINE_S = 2.0  # for programs that serve to close what their clients have closed
WORK_S = 1.0  # for programs in cells to end, that are at work when the others have ended
PATIENT_MS = 20  # between checks of the programs' deadlines
FAILURE_GRACE_S = 2.0  # for the others to end by themselves once one has failed


class StepRun(ProgramGroup):
    """The programs of a scenario's step, each started once those before it are ready."""

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
        may_end: Callable[[bool], bool] | None = None,
        cells: Mapping[str, OpenCell] | None = None,
        traffic: Callable[[], tuple[bool, int]] | None = None,
    ) -> None:
        """As ProgramGroup. `at_checkpoint` is called for each checkpoint that a program waits at.

        `when_served` is, once all have ended but those that serve. Until `may_end`, which is given
        whether TCP has nothing left to send, those serve on, and a failed program ends no other.
        `traffic` is whether anything is on its way, and what changes with each frame; where it is
        given nobody is waited for any longer who waits himself, for what does not come.
        """
        super().__init__(
            step.name,
            namespaces,
            tracer,
            serve,
            confinement,
            notes_lines=notes_lines,
            key_logs=key_logs,
            own=own,
            cells=cells,
        )
        self._step = step
        self._at_checkpoint = at_checkpoint
        self._when_served = when_served
        self._may_end = may_end
        self._rest = RestWatch(self._look, traffic) if traffic is not None else None
        self._hopeless = ""
        """Why no further program is started; "" if the next one is."""
        self._failed_ns: int | None = None
        """When a program was first found to have failed and ended (CLOCK_MONOTONIC)."""

    def run(self) -> tuple[ProgramRun, ...]:
        """The programs' records: each was started once those before it were ready; all ended.

        A program's failure is in its record. Raises KernelRefused and InstrumentError.
        """
        for program in self._step.programs:
            self._start(program)
        while any(p.ended_ns is None and not p.program.serves for p in self.programs):
            self._take_turn()
            self._end_after_failure()
        self._end_servers()
        self._end_everything()
        records = self._records()
        return tuple(records[program.name] for program in self._step.programs)

    def take(self, readable: Collection[int]) -> None:
        """Read the readable outputs, note which programs have ended, and serve checkpoints."""
        super().take(readable)
        for running in self.programs:
            if (checkpoint := running.take_checkpoint()) is not None:
                self._at_checkpoint(checkpoint)
                running.pass_checkpoint()

    def _start(self, program: Program) -> None:
        """Start a program and wait until it is ready, unless one that it needs never became so."""
        if self._hopeless:
            self._leave_out(program, f"was not started, since {self._hopeless}")
            return
        namespace = self._namespaces[program.host]
        listening = ListeningWatch(namespace, program.listens) if program.listens else None
        try:
            running = self._launch(program)
        except ProgramError as error:
            self._leave_out(program, str(error))
            return
        if program.signals_ready:
            self._wait_until_ready(running)
        elif listening is not None:
            self._wait_until_listening(running, listening)
            self.instruments.append(listening.instrument)

    def _leave_out(self, program: Program, failure: str) -> None:
        self._note_unstarted(program, failure)
        if (program.signals_ready or program.listens) and program.is_needed:
            self._hopeless = self._hopeless or f"{program.name} {failure}"

    def _wait_until_ready(self, running: RunningProgram) -> None:
        while running.ready_ns is None and not running.failure:
            self._take_turn()
            running.check_ready()
        if running.failure and running.ready_ns is None and running.program.is_needed:
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
                if running.program.is_needed:
                    self._hopeless = f"{running.program.name} ended before it listened on {wanted}"
                return
            if time.monotonic_ns() > deadline_ns:
                does = self._what_it_does(running)
                running.fail(f"never listened on {wanted} within {deadline_s:g} s{does}")
                return
            if self._are_at_rest() and not listening.has_appeared():
                does = self._what_it_does(running) or ": it waits for something else"
                running.fail(f"never listened on {wanted}, and never would{does}")
                return
            self._take_turn(POLL_MS)
        running.note_listening()
        if ports := listening.udp_ports():
            plural = "port" if len(ports) == 1 else "ports"
            listed = ", ".join(map(str, ports))
            running.reached = f"is reached at UDP {plural} {listed} alone: no TCP socket listens"

    def _what_it_does(self, running: RunningProgram) -> str:
        """What a program does that is waited for, behind a colon; "" if unknown."""
        cell = self._cells.get(running.program.name)
        said = what_it_does(running.pid, [cell.pid] if cell else ())
        return f": {said}" if said else ""

    def _take_turn(self, wait_ms: int = PATIENT_MS) -> None:
        super()._take_turn(wait_ms)
        for running in self.programs:
            running.check_output()
            running.check_limits()
            running.check_end([p.program.name for p in self.programs if p is not running])
        if any(running.is_overdue for running in self.programs):
            # Those that still run may wait for each other: what they wrote shows which is to blame.
            for running in self.programs:
                if running.ended_ns is None and not running.program.serves:
                    running.end_late()
        self._note_orphans()
        asking = next((running for running in self.programs if running.asks_for_rest), None)
        if asking is not None and self._are_at_rest():
            # The others ask anew: what this one does now may be what they wait for.
            asking.tell_rest()
            self._begin_rest()

    def _are_at_rest(self) -> bool:
        """Whether nothing more will happen, unless somebody who asks for just this goes on."""
        return self._rest is not None and self._rest.is_reached()

    def _begin_rest(self) -> None:
        if self._rest is not None:
            self._rest.begin()

    def _look(self) -> str | None:
        asking = {p.pid: p.question for p in self.programs if p.asks_for_rest}
        found = rest_of(self._own_processes(), asking)
        return None if found is None else f"{found} {asking}"

    def _end_after_failure(self) -> None:
        """Kill programs that still run FAILURE_GRACE_S after another has failed and ended."""
        failed = [
            p
            for p in self.programs
            if p.failure and p.ended_ns is not None and p.program.ends_others
        ]
        if not failed or not (self._may_end is None or self._may_end(True)):
            return
        now_ns = time.monotonic_ns()
        self._failed_ns = self._failed_ns or now_ns
        if now_ns - self._failed_ns > FAILURE_GRACE_S * 1e9:
            for running in self.programs:
                if running.ended_ns is None and not running.program.serves:
                    names = " and ".join(each.program.name for each in failed)
                    running.end_failed(f"was ended {FAILURE_GRACE_S:g} s after {names} had failed")

    def _end_servers(self) -> None:
        """Give programs that serve time to end with their clients; then end them by SIGTERM."""
        if not any(running.program.serves for running in self.programs):
            return
        self._when_served()
        if self._may_end is not None:
            while not self._are_gone() and not self._may_end(self._are_drained()):
                self._take_turn()
        self._begin_rest()
        self._serve_until(
            lambda: self._are_gone() or self._are_drained() or self._are_at_rest(),
            DRAIN_DEADLINE_S,
        )
        # Who is about to end by itself may only lack a processor.
        self._serve_until(lambda: self._are_gone() or not self._are_at_work(), WORK_S)
        lingers = (p.program.linger_s for p in self.programs if p.program.serves)
        self._serve_until(lambda: self._are_gone() or self._are_at_rest(), max(lingers))
        self._terminate("went on, and was ended by SIGTERM when the others had ended")

    def _are_at_work(self) -> bool:
        return any(cell.is_at_work for cell in self._cells.values())

    def _are_drained(self) -> bool:
        return not any(map(has_undrained_tcp, self._namespaces.values()))
