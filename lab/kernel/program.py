"""A program at work in a namespace: started, ready, ended, with all it wrote."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass, field

from lab.errors import ProgramError
from lab.kernel.namespace import Namespace
from lab.program import Program
from lab.records import ProgramRun

OUTPUT_LIMIT_BYTES = 1 << 20
READ_BYTES = 1 << 16


@dataclass(slots=True)
class Output:
    """What comes out of one of a program's descriptors."""

    descriptor: int
    data: bytearray = field(default_factory=bytearray)
    closed: bool = False

    def read(self) -> bool:
        """Take some of what is there, at the end of the file close; False if there is nothing."""
        try:
            chunk = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return False
        self.data += chunk
        if not chunk:
            self.close()
        return bool(chunk)

    def close(self) -> None:
        """Close the descriptor, once."""
        if not self.closed:
            os.close(self.descriptor)
            self.closed = True


class RunningProgram:
    """A started program. Its outputs and `ended` are for the caller's poll to watch."""

    def __init__(self, program: Program, namespace: Namespace) -> None:
        """Start it inside the namespace.

        Raises ProgramError where it cannot be started.
        """
        self.program = program
        ready_read, ready_write = os.pipe2(os.O_CLOEXEC)
        environment = dict(os.environ)
        if program.signals_ready:
            environment["READY_FD"] = str(ready_write)
        self.started_ns = time.time_ns()
        try:
            with namespace.entered():
                process = subprocess.Popen(
                    program.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=[ready_write] if program.signals_ready else [],
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            os.close(ready_read)
            reason = f"cannot start {shlex.join(program.argv)}: {error.strerror}"
            raise ProgramError(f"program {program.name}: {reason}") from None
        finally:
            os.close(ready_write)
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self.ended = os.pidfd_open(process.pid)
        self.stdout = Output(os.dup(process.stdout.fileno()))
        self.stderr = Output(os.dup(process.stderr.fileno()))
        self.ready = Output(ready_read)
        for output in (self.stdout, self.stderr, self.ready):
            os.set_blocking(output.descriptor, False)
        process.stdout.close()
        process.stderr.close()
        self.ready_ns: int | None = None
        self.ended_ns: int | None = None
        self.deadline_ns = self.started_ns + round(program.deadline_s * 1e9)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Its descriptors that are still open."""
        return tuple(o for o in (self.stdout, self.stderr, self.ready) if not o.closed)

    def take(self, output: Output) -> None:
        """Read from one of its descriptors that poll found readable.

        Raises ProgramError where it writes without bound, or closed READY_FD unsignalled.
        """
        output.read()
        if output is self.ready:
            if output.data and self.ready_ns is None:
                self.ready_ns = time.time_ns()
        elif len(output.data) > OUTPUT_LIMIT_BYTES:
            self.kill()
            raise self._error(f"wrote more than {OUTPUT_LIMIT_BYTES} bytes")

    def note_end(self) -> None:
        """Collect its exit status and last words; to be called once `ended` is readable.

        What it left running may hold its outputs open for ever, so that they are read until
        they would block, not until their end.
        """
        if self.ended_ns is None:
            self.ended_ns = time.time_ns()
            self._process.wait()
            for output in self.outputs:
                while not output.closed and output.read():
                    pass

    def check_ready(self) -> None:
        """Raise ProgramError where it can no longer become ready."""
        if self.ready_ns is None and (self.ready.closed or self.ended_ns is not None):
            self.check_end()
            raise self._error("never became ready: it wrote nothing to READY_FD")

    def check_deadline(self) -> None:
        """Kill it and raise ProgramError where it has outlived its deadline."""
        if self.ended_ns is None and time.time_ns() > self.deadline_ns:
            was_ready = self.ready_ns is not None or not self.program.signals_ready
            self.kill()
            state = "had not ended" if was_ready else "never became ready:"
            raise self._error(f"{state} {self.program.deadline_s:g} s after its start")

    def check_end(self) -> None:
        """Raise ProgramError where it has ended with another exit status than 0."""
        status = self._process.returncode
        if self.ended_ns is not None and status:
            how = (
                f"exited with status {status}"
                if status > 0
                else f"was killed by {signal.Signals(-status).name}"
            )
            raise self._error(how)

    def kill(self) -> None:
        """Kill it if it is alive, and collect what it had written."""
        if self.ended_ns is None:
            signal.pidfd_send_signal(self.ended, signal.SIGKILL)
            self.note_end()

    def record(self) -> ProgramRun:
        """What it was and did. It must have ended."""
        assert self.ended_ns is not None
        return ProgramRun(
            name=self.program.name,
            host=self.program.host,
            argv=self.program.argv,
            started_ns=self.started_ns,
            ready_ns=self.ready_ns,
            ended_ns=self.ended_ns,
            exit_status=self._process.returncode,
            stdout=self.stdout.data.decode("utf-8", "backslashreplace"),
            stderr=self.stderr.data.decode("utf-8", "backslashreplace"),
        )

    def close(self) -> None:
        """Kill it if need be and close its descriptors."""
        self.kill()
        for output in (self.stdout, self.stderr, self.ready):
            output.close()
        os.close(self.ended)

    def _error(self, what: str) -> ProgramError:
        """One line on what it did, and the end of its stderr."""
        lines = self.stderr.data.decode("utf-8", "backslashreplace").strip().splitlines()
        said = f"; its stderr ends: {lines[-1]}" if lines else "; it wrote nothing to stderr"
        command = shlex.join(self.program.argv)
        return ProgramError(f"program {self.program.name} ({command}) {what}{said}")
