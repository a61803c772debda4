"""A program that runs in a namespace: its start, readiness and end, and all it writes."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection
from contextlib import nullcontext, suppress
from typing import IO

from lab.errors import InstrumentError, ProgramError, printable
from lab.kernel.programs.confinement import Confinement
from lab.kernel.programs.key_log import VARIABLE
from lab.kernel.programs.output import OUTPUT_LIMIT_BYTES, Budget, Output
from lab.kernel.programs.terminal import Terminal, take_terminal
from lab.kernel.system import libc
from lab.kernel.system.capabilities import ambient_capabilities
from lab.kernel.system.confining import Start
from lab.model.allowed import Cell
from lab.model.counted import counted
from lab.model.program import Program
from lab.records import Limit, ProgramRun

TYPE_CHECKING = False  # as typing has it; few runs need it
if TYPE_CHECKING:
    from lab.kernel.cells.open_cell import OpenCell
    from lab.kernel.network.namespace import Namespace
    from lab.kernel.source.notes import NotedProgram

DYING_MS = 200
REAP_DEADLINE_S = 5.0
# What no fault of a program's own raises: somebody has sent it. The kernel does where memory lacks.
_SENT = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})
_ENDED_BY = {-signal.SIGXCPU: Limit.CPU, -signal.SIGXFSZ: Limit.FILE}
"""The kernel's signals for limits of one process: getrlimit(2)."""
NEVER_STARTED = 127  # a shell's exit status for it: POSIX.1-2017, Shell Command Language, 2.8.2


class RunningProgram:
    """A started program. The caller polls its `outputs` and its pidfd, `ended`."""

    def __init__(
        self,
        program: Program,
        namespace: Namespace | None,
        before_exec: Callable[[], None] | None = None,
        confinement: Confinement | None = None,
        release: Callable[[], None] = lambda: None,
        noted: NotedProgram | None = None,
        key_log: str = "",
        terminal: Terminal | None = None,
        cell: OpenCell | None = None,
        merged: bool = False,
    ) -> None:
        """Start it inside the namespace, or in that of the caller.

        Its process calls `before_exec` just before execve(2).

        `release` is called while its end is waited for, to let go on who has to see it first.
        `noted` is what it shall run as, if it notes its lines; `key_log` names the file that its
        TLS library shall write secrets to, if any. It has the `terminal`, or reads nothing and
        writes to pipes; to one where what it writes is to be `merged`. In a `cell` it is held by
        that, not by the confinement.
        Raises ProgramError if it cannot be started; the message is worded as a record's failure.
        KernelRefused if it cannot be confined.
        """
        self.program = program
        self.has_terminal = terminal is not None
        self._release = release
        self.failure = ""
        self.remark = ""
        self.reached = ""
        """How it is reached, if that may surprise; else ""."""
        ready_read, ready_write = os.pipe2(os.O_CLOEXEC)
        checkpoint_near, checkpoint_far = socket.socketpair()
        rest_near, rest_far = socket.socketpair()
        environment = dict(os.environ)
        # The lab may have one, which names a file of its user: not for these secrets.
        environment.pop(VARIABLE, None)
        if key_log and cell is None:
            environment[VARIABLE] = key_log
        passed: list[int] = []
        given: list[str] = []
        for wanted, variable, descriptor in (
            (program.signals_ready, "READY_FD", ready_write),
            (program.has_checkpoints, "CHECKPOINT_FD", checkpoint_far.fileno()),
            (program.asks_for_rest, "REST_FD", rest_far.fileno()),
        ):
            if wanted:
                environment[variable] = str(descriptor)
                passed.append(descriptor)
                given.append(variable)
        start: Start | None = None
        if cell is not None:
            start = cell.start((1, 2, *passed))
            environment = cell.environment({name: environment[name] for name in given})
        elif confinement is not None:
            start = confinement.start(program.capabilities, passed)
            environment = confinement.environment(environment)
        if noted is not None:
            passed.append(noted.descriptor)
        self.started_ns = time.time_ns()
        try:
            kept = () if start else program.capabilities
            with (
                namespace.entered() if namespace else nullcontext(),
                ambient_capabilities(kept),
                cell.entered() if cell else nullcontext(),
            ):
                process = subprocess.Popen(
                    program.argv if noted is None else noted.argv,
                    stdin=subprocess.DEVNULL if terminal is None else terminal.far,
                    stdout=subprocess.PIPE if terminal is None else terminal.far,
                    stderr=_stderr(terminal, merged=merged),
                    pass_fds=passed,
                    env=environment,
                    start_new_session=True,
                    preexec_fn=_in_turn(
                        None if terminal is None else take_terminal,
                        None if cell or (confinement and confinement.has_view) else _leave_mounts,
                        start.confine if start else None,
                        before_exec,
                    ),
                )
        except (OSError, subprocess.SubprocessError) as error:
            os.close(ready_read)
            checkpoint_near.close()
            rest_near.close()
            if start is not None:
                start.raise_failure()
            why = (
                _why_not_run(program.argv[0], error)
                if isinstance(error, OSError)
                else f"{error} (to be traced)"
            )
            raise ProgramError(f"cannot be started: {printable(program.argv[0])}: {why}") from None
        finally:
            os.close(ready_write)
            checkpoint_far.close()
            rest_far.close()
            if start is not None:
                start.close()
        self._process = process
        self.ended = os.pidfd_open(process.pid)
        self._cell = cell
        self.ended_by: Limit | None = None
        """The limit of its cell that has ended it."""
        self._most_output = OUTPUT_LIMIT_BYTES
        if cell is not None:
            self._most_output = cell.cell.limits.output_kib << 10
        self._budget = Budget(self._most_output)
        self.stdout, self.stderr = (
            self._output_of(pipe) for pipe in (terminal or process.stdout, process.stderr)
        )
        self.ready = Output(ready_read, self._budget)
        self.checkpoints = Output(checkpoint_near.detach(), self._budget)
        self._questions = Output(rest_near.detach(), self._budget)
        self._outputs = (self.stdout, self.stderr, self.ready, self.checkpoints, self._questions)
        for output in self.outputs:
            os.set_blocking(output.descriptor, False)
        self._was_terminated = False
        self._was_overfull = False
        self.ready_ns: int | None = None
        self.ended_ns: int | None = None
        self.stopped_ns: int | None = None
        """When the lab began to end it."""
        # CLOCK_MONOTONIC: the records' clock may be set meanwhile.
        self._deadline_ns = time.monotonic_ns() + round(program.deadline_s * 1e9)

    def _output_of(self, pipe: IO[bytes] | Terminal | None) -> Output:
        """What is read from that end; a closed output where there is none."""
        if pipe is None:
            return Output(-1, self._budget, closed=True)
        if isinstance(pipe, Terminal):
            return Output(os.dup(pipe.near), self._budget)
        output = Output(os.dup(pipe.fileno()), self._budget)
        pipe.close()
        return output

    @property
    def pid(self) -> int:
        """The pid of its process."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """Its exit status, -N where signal N ended it; None while it runs."""
        return self._process.returncode

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Those of its outputs that are still open."""
        return tuple(output for output in self._outputs if not output.closed)

    @property
    def beyond(self) -> int:
        """How many bytes of its output were read and not kept."""
        return self._budget.beyond

    def take_checkpoint(self) -> str | None:
        """The checkpoint it waits at, or None."""
        name, end, rest = self.checkpoints.data.partition(b"\n")
        if not end:
            return None
        self.checkpoints.data = rest
        return name.decode("ascii", "backslashreplace")

    def pass_checkpoint(self) -> None:
        """Let it go on from its checkpoint, unless it has ended meanwhile."""
        if not self.checkpoints.closed:
            with suppress(BrokenPipeError):
                os.write(self.checkpoints.descriptor, b"go on\n")

    @property
    def asks_for_rest(self) -> bool:
        """Whether it has asked when the others have come to rest, and has no answer yet."""
        return self.ended_ns is None and bool(self.question)

    def tell_rest(self) -> None:
        """Tell it that they have, unless it has ended meanwhile."""
        question, self._questions.data = self.question, bytearray()
        if question and not self._questions.closed:
            with suppress(BrokenPipeError):
                os.write(self._questions.descriptor, question + b"\n")

    @property
    def question(self) -> bytes:
        """The last whole line that it has asked; an empty one takes the one before it back."""
        return bytes(self._questions.data).rpartition(b"\n")[0].rpartition(b"\n")[2]

    def take(self, output: Output) -> None:
        """Read from one of its descriptors that poll found readable."""
        output.read()
        self._note_readiness()

    def note_end(self) -> None:
        """Collect its exit status and remaining output; to be called once `ended` is readable.

        Processes that it left running may hold its outputs open for ever, or write for ever, so
        that outputs are read until they would block, not to their end, and up to the limit.
        """
        if self.ended_ns is None:
            self.ended_ns = time.time_ns()
            self._reap()
            if self._cell is not None and self.exit_status in _ENDED_BY:
                self.ended_by = self.ended_by or _ENDED_BY[self.exit_status]
            if self._cell is not None and self.exit_status == -signal.SIGKILL:
                self.ended_by = self.ended_by or self._cell.killed_by()
            for output in self.outputs:
                left = self._most_output
                while left > 0 and (output.also or not self._budget.beyond):
                    count = 0 if output.closed else output.read()
                    left = left - count if count else 0
            # It may have become ready and ended between two turns of the caller's loop.
            self._note_readiness()

    def _reap(self) -> None:
        """Collect its exit status. Raises InstrumentError if it cannot be had.

        A process that is traced is reaped by its tracer first.
        """
        deadline_ns = time.monotonic_ns() + round(REAP_DEADLINE_S * 1e9)
        wait_s = 0.00005
        while self._process.poll() is None:
            if time.monotonic_ns() > deadline_ns:
                what = f"program {self.program.name} has ended, and its tracer does not say so"
                raise InstrumentError(f"{what} within {REAP_DEADLINE_S:g} s")
            self._release()
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 0.001)

    def check_ready(self) -> None:
        """Kill it, as failed, if it can no longer write to READY_FD and has not done so."""
        if self.ready_ns is not None:
            return
        if self.ready.closed and self.ended_ns is None:
            # A process that dies closes its descriptors a moment before it has ended.
            poll = select.poll()
            poll.register(self.ended, select.POLLIN)
            if poll.poll(DYING_MS):
                self.note_end()
        if self.ready_ns is None and (self.ready.closed or self.ended_ns is not None):
            self.check_end()
            self.end_failed("never became ready: it wrote nothing to READY_FD")

    def note_listening(self) -> None:
        """Note that it is ready: the socket that it was expected to open is there."""
        self.ready_ns = time.time_ns()

    def check_output(self) -> None:
        """Kill it and its process group, as failed, if they have written too much."""
        if self._budget.beyond and not self._was_overfull:
            self._was_overfull = True
            self._end_cell(Limit.OUTPUT)
            # Its group is there as long as a process of it is, be it a zombie.
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.end_failed(f"wrote more than {self._most_output} bytes")
            # Those of its processes that have left the group get SIGPIPE.
            for output in self.outputs:
                output.close()

    def check_limits(self) -> None:
        """End all in its cell, and note the failure, where they have taken more than they may."""
        if self._cell is not None and self.ended_by is None:
            limit = self._cell.exceeded()
            if limit is not None:
                self._end_cell(limit)
                self.end_failed(f"took more than its cell allows: {_taken(limit, self._cell.cell)}")

    def _end_cell(self, limit: Limit) -> None:
        if self._cell is not None:
            self.ended_by = self.ended_by or limit
            self._cell.kill()

    @property
    def is_overdue(self) -> bool:
        """Whether it runs beyond its deadline. A program that serves has none."""
        is_late = time.monotonic_ns() > self._deadline_ns
        return is_late and self.ended_ns is None and not self.program.serves

    def end_by(self, deadline_ns: int) -> None:
        """Give it no more time than until then (CLOCK_MONOTONIC)."""
        self._deadline_ns = min(self._deadline_ns, deadline_ns)

    def end_late(self) -> None:
        """Kill it, as failed, because it has taken too long."""
        left_s = (self._deadline_ns - time.monotonic_ns()) / 1e9
        taken = f"{self.program.deadline_s - max(0.0, left_s):.3g}"
        was_ready = self.ready_ns is not None or not self.program.signals_ready
        state = "had not ended" if was_ready else "never became ready:"
        self.end_failed(f"{state} {taken} s after its start")

    def check_end(self, others: Collection[str] = ()) -> None:
        """Note a failure if it has ended by itself with another exit status than 0.

        `others` are the programs that could send it a signal.
        """
        status = self._process.returncode
        if self.ended_ns is None or not status or self._was_terminated:
            return
        if status > 0:
            self.fail(f"exited with status {status}")
            return
        sender = " or ".join(others) if -status in _SENT else ""
        maybe = f", which {sender} may have sent" if sender else ""
        self.fail(f"was killed by {_signal_name(-status)}{maybe}")

    def signal(self, number: signal.Signals, remark: str) -> None:
        """Send a signal to it and the others of its process group; its end is no failure then."""
        if self.ended_ns is None:
            self._was_terminated = True
            self.stopped_ns = time.time_ns()
            self.remark = remark
            os.killpg(self.pid, number)

    def end_failed(self, what: str) -> None:
        """Kill it, and note its failure."""
        self.kill()
        self.fail(what)

    def fail(self, what: str) -> None:
        """Note a failure: what it did, and the end of its stderr. Only the first is kept."""
        if self.failure:
            return
        lines = self.stderr.data.decode("utf-8", "backslashreplace").strip().splitlines()
        said = f"its stderr ends: {printable(lines[-1])}" if lines else "it wrote nothing to stderr"
        self.failure = f"{what}; {said}"

    def kill(self) -> None:
        """Kill it if it runs, and collect what it has written."""
        if self.ended_ns is None:
            self.stopped_ns = self.stopped_ns or time.time_ns()
            signal.pidfd_send_signal(self.ended, signal.SIGKILL)
            self.note_end()

    def record(self, step: str) -> ProgramRun:
        """Its record as part of a step; of one that runs, as if it ended now with status 0."""
        status = self._process.returncode
        return ProgramRun(
            name=self.program.name,
            host=self.program.host,
            argv=self.program.argv,
            started_ns=self.started_ns,
            ready_ns=self.ready_ns,
            ended_ns=self.ended_ns or time.time_ns(),
            exit_status=0 if status is None else status,
            stdout=self.stdout.data.decode("utf-8", "backslashreplace"),
            stderr=self.stderr.data.decode("utf-8", "backslashreplace"),
            step=step,
            failure=self.failure,
            remark="; ".join(filter(None, (self.reached, self.remark, self._beyond()))),
            stopped_ns=self.stopped_ns,
            cell=self._cell.record(self.ended_by) if self._cell else None,
            stdout_bytes=_if_no_text(self.stdout.data),
        )

    def _beyond(self) -> str:
        """What is to be said of output that was not kept."""
        beyond = self._budget.beyond
        kept = f"of its output, the first {self._most_output} bytes are kept"
        return f"{kept} and {counted(beyond, 'byte')} more were read" if beyond else ""

    def close(self) -> None:
        """Kill it if it runs, and close its descriptors."""
        self.kill()
        for output in self._outputs:
            output.close()
        os.close(self.ended)

    def _note_readiness(self) -> None:
        if self.ready.data and self.ready_ns is None:
            self.ready_ns = time.time_ns()


def _if_no_text(data: bytearray) -> bytes | None:
    """The bytes where they are no text in UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return bytes(data)
    return None


def _stderr(terminal: Terminal | None, *, merged: bool) -> int:
    if terminal is not None:
        return terminal.far
    return subprocess.STDOUT if merged else subprocess.PIPE


def _taken(limit: Limit, cell: Cell) -> str:
    """A limit in words: "10 s of the processors' time"."""
    unit = {
        Limit.CPU: "s of the processors' time",
        Limit.MEMORY: "MiB of memory",
        Limit.WALL: "s from its start",
        Limit.FRAMES: "frames on the run's links",
        Limit.CAPTURED: "MiB of frames in the run",
    }[limit]
    return f"{getattr(cell.limits, limit.value):g} {unit}"


def _in_turn(*steps: Callable[[], None] | None) -> Callable[[], None] | None:
    """A function that calls those of the steps that are there; None where there is none."""
    wanted = [step for step in steps if step is not None]

    def call() -> None:
        for step in wanted:
            step()

    return call if wanted else None


def _leave_mounts() -> None:
    """Give this process mounts of its own: what it unmounts, /proc say, the lab goes on using."""
    libc.unshare(libc.CLONE_NEWNS, "cannot create a mount namespace for a program")
    libc.mount("none", "/", None, libc.MS_REC | libc.MS_PRIVATE)


def _why_not_run(name: str, error: OSError) -> str:
    """Why a command could not be run, in a few words.

    If a folder of PATH cannot be searched, execvp(3) fails with EACCES for a command that does
    not exist: then this says that it does not.
    """
    if error.errno == errno.EACCES and "/" not in name:
        folders = os.get_exec_path()
        if not any(os.path.lexists(os.path.join(folder, name)) for folder in folders):  # noqa: PTH118
            return os.strerror(errno.ENOENT)
    return error.strerror or str(error)


def unstarted(program: Program, step: str, failure: str) -> ProgramRun:
    """The record of a program that could not be started."""
    now_ns = time.time_ns()
    return ProgramRun(
        name=program.name,
        host=program.host,
        argv=program.argv,
        started_ns=now_ns,
        ready_ns=None,
        ended_ns=now_ns,
        exit_status=NEVER_STARTED,
        stdout="",
        stderr="",
        step=step,
        failure=failure,
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time signal between SIGRTMIN and SIGRTMAX
