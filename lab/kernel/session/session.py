"""A session inside: programs are started, served and ended as the caller asks."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from lab.errors import LabError, ProgramError
from lab.kernel.network.namespace import Namespace
from lab.kernel.programs.confinement import Confinement
from lab.kernel.programs.group import ProgramGroup
from lab.kernel.programs.key_log import KeyLogFile
from lab.kernel.programs.running_program import NEVER_STARTED, RunningProgram
from lab.kernel.programs.terminal import Terminal
from lab.kernel.session.requests import (
    AskJobs,
    AskSoFar,
    AskWireRules,
    Ended,
    EndSession,
    EndWireRules,
    GoOn,
    Interrupt,
    Job,
    NetworkReady,
    Resize,
    SetWireRule,
    StartFront,
    StartJob,
    Taken,
    Terminate,
    Typed,
    Written,
)
from lab.kernel.system.message_socket import PeerGone, Talk
from lab.kernel.trace.tracer import Tracer
from lab.model.program import Program
from lab.records import ProgramRun, Recording

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.kernel.links.wires import Wires

WAIT_MS = 20
_SIGNALLED = 128  # what a shell adds to a signal's number


class SessionRun(ProgramGroup):
    """The programs of a session; one at most is at the front, the others are jobs."""

    def __init__(
        self,
        talk: Talk,
        step: str,
        namespaces: Mapping[str, Namespace],
        tracer: Tracer | None,
        serve: Callable[[int], None],
        serve_idle: Callable[[], None],
        at_start: Callable[[str], None],
        before_end: Callable[[], None],
        confinement: Confinement | None = None,
        *,
        notes_lines: bool = False,
        own: Sequence[int] = (),
        wires: Wires | None = None,
        so_far: Callable[[tuple[ProgramRun, ...]], Recording] | None = None,
        new_key_log: Callable[[], KeyLogFile] | None = None,
    ) -> None:
        """As ProgramGroup; `serve_idle` is a turn of the loop while no program runs.

        `at_start` is called with the host of each program that is to start, `before_end` when the
        session is over and nothing has been ended for that, `so_far` makes a recording of what was
        observed until now, `new_key_log` a file for a program's TLS secrets.
        """
        super().__init__(
            step, namespaces, tracer, serve, confinement, notes_lines=notes_lines, own=own
        )
        self._talk = talk
        self._serve_idle = serve_idle
        self._at_start = at_start
        self._before_end = before_end
        self._wires = wires
        self._so_far = so_far
        self._new_key_log = new_key_log
        self._is_over = False
        self._front: RunningProgram | None = None
        self._terminal: Terminal | None = None
        self._written: deque[Written] = deque()
        """What the front program has written and the caller has not read."""
        self._is_shown = True
        self._typed = b""
        """What has been typed and the terminal had no room for."""
        self._jobs: list[RunningProgram] = []
        self._told: list[list[int]] = []
        """Of each job how much of its stdout and its stderr the caller has read."""
        self._judged: set[str] = set()
        self.started: list[Program] = []
        """What was to be started, in that order."""

    def run(self) -> tuple[ProgramRun, ...]:
        """Serve the caller until it quits; the records of all programs, which have ended.

        Raises CallerGone, KernelRefused and InstrumentError.
        """
        self._talk.say(NetworkReady())
        while not self._is_over:
            if any(running.ended_ns is None for running in self.programs):
                self._take_turn(WAIT_MS)
            else:
                self._let_own_go_on()
                self._serve_idle()
            self._judge_ends()
        self._before_end()
        self._terminate("went on, and was ended by SIGTERM when the session ended")
        self._judge_ends()
        self._end_everything()
        records = self._records()
        return tuple(records[program.name] for program in self.started)

    def descriptors(self) -> tuple[int, ...]:
        """The programs' and the caller's; not the outputs of which the caller has enough."""
        every = super().descriptors()
        if self._front is not None and (self._written or not self._is_shown):
            withheld = {output.descriptor for output in self._front.outputs}
            every = tuple(each for each in every if each not in withheld)
        return (*every, self._talk.fileno())

    def take(self, readable: Collection[int]) -> None:
        """Read what programs have written, and do what is asked."""
        super().take(readable)
        if self._talk.fileno() in readable:
            self._answer(self._talk.receive())
        self._type()
        self._tell()

    def close(self) -> None:
        """Kill the programs that still run, and close what is open."""
        super().close()
        self._leave_front()

    def _answer(self, request: object) -> None:
        match request:
            case StartFront(program, settings):
                terminal = None
                if settings is not None:
                    folder = self._confinement.terminals if self._confinement else None
                    terminal = Terminal(*settings, folder)
                self._start_front(program, terminal)
            case StartJob(program):
                self._start_job(program)
            case GoOn():
                self._is_shown = True
            case Typed(data):
                self._typed += data
            case Resize(rows, columns):
                if self._terminal is not None:
                    self._terminal.resize(rows, columns)
            case Interrupt():
                self._interrupt()
            case AskJobs():
                self._talk.say(tuple(map(self._job, range(len(self._jobs)))))
            case Terminate(number):
                self._talk.say(self._end_job(number))
            case SetWireRule(text):
                self._say_of_wires(lambda wires: _added(wires, text))
            case EndWireRules(way):
                self._say_of_wires(lambda wires: wires.stop(way))
            case AskWireRules():
                self._say_of_wires(lambda wires: wires.in_force())
            case AskSoFar():
                self._say_of_wires(lambda _: self._recording())
            case EndSession():
                self._is_over = True

    def _say_of_wires(self, what: Callable[[Wires], object]) -> None:
        """Say what the wires answer, or why they do not."""
        assert self._wires is not None
        try:
            said = what(self._wires)
        except LabError as error:
            said = str(error)
        except PeerGone:
            said = "the process that carries the links' frames was killed"
        self._talk.say(said)

    def _recording(self) -> Recording:
        """What was observed so far, with the programs as they are now."""
        assert self._so_far is not None
        records = self._records()
        return self._so_far(tuple(records[program.name] for program in self.started))

    def _interrupt(self) -> None:
        if self._terminal is not None:
            self._typed += self._terminal.interrupt_key()
        elif self._front is not None:
            self._front.signal(signal.SIGINT, "was sent SIGINT by the session's user")

    def _start_front(self, program: Program, terminal: Terminal | None) -> None:
        self._note_start(program)
        try:
            self._front = self._launch(program, terminal)
        except ProgramError as error:
            self._note_unstarted(program, str(error))
            if terminal is not None:
                terminal.close()
            self._talk.say(Ended(NEVER_STARTED, str(error)))
            return
        self._terminal = terminal
        if terminal is not None:
            terminal.leave_far()
        front, written = self._front, self._written
        front.stdout.also = lambda data: written.append(Written(data, False))
        front.stderr.also = lambda data: written.append(Written(data, True))

    def _note_start(self, program: Program) -> None:
        self.started.append(program)
        self._at_start(program.host)
        if self._new_key_log is not None:
            self._key_logs[program.name] = self._new_key_log()

    def _start_job(self, program: Program) -> None:
        self._note_start(program)
        try:
            running = self._launch(program)
        except ProgramError as error:
            self._note_unstarted(program, str(error))
            self._talk.say(Ended(NEVER_STARTED, str(error)))
            return
        self._jobs.append(running)
        self._told.append([0, 0])
        self._talk.say(self._job(len(self._jobs) - 1))

    def _job(self, place: int) -> Job:
        """What is new of a job; what it has written is given once."""
        running, told = self._jobs[place], self._told[place]
        new = b""
        for each, output in enumerate((running.stdout, running.stderr)):
            new += output.data[told[each] :]
            told[each] = len(output.data)
        status = None if running.ended_ns is None else _status(running)
        return Job(place + 1, running.pid, running.program.name, status, new)

    def _end_job(self, number: int) -> bool:
        if not 1 <= number <= len(self._jobs) or self._jobs[number - 1].ended_ns is not None:
            return False
        self._jobs[number - 1].signal(signal.SIGTERM, "was ended by the session's user")
        return True

    def _type(self) -> None:
        """Write what was typed into the terminal, as far as that has room."""
        if self._typed:
            written = len(self._typed) if self._terminal is None else self._write()
            self._typed = self._typed[written:]
            if not self._typed:
                self._talk.say(Taken())

    def _write(self) -> int:
        assert self._terminal is not None
        return self._terminal.write(self._typed)

    def _tell(self) -> None:
        """Tell what the front program has written, a piece once the one before was shown."""
        if not self._is_shown:
            return
        if self._written:
            self._is_shown = False
            self._talk.say(self._written.popleft())
        elif self._front is not None and self._front.ended_ns is not None:
            status = _status(self._front)
            self._leave_front()
            self._talk.say(Ended(status))

    def _leave_front(self) -> None:
        """Have no program at the front any more."""
        if self._front is not None:
            self._front.stdout.also = self._front.stderr.also = None
            self._front = None
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None

    def _judge_ends(self) -> None:
        """Note failures of those that have ended since this was called last."""
        for running in self.programs:
            name = running.program.name
            if running.ended_ns is None or name in self._judged:
                continue
            self._judged.add(name)
            if running.has_terminal:
                # Its user has seen it, and may have meant it.
                if running.exit_status:
                    running.remark = running.remark or f"exited with status {_status(running)}"
            else:
                others = [p.program.name for p in self.programs if p is not running]
                running.check_end(others)


def _added(wires: Wires, text: str) -> str:
    """What is wrong with a rule that holds from now on: nothing."""
    wires.add(text)
    return ""


def _status(running: RunningProgram) -> int:
    """As a shell says it."""
    status = running.exit_status
    assert status is not None
    return status if status >= 0 else _SIGNALLED - status
