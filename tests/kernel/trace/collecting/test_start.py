"""The collector that is started early: it is ended where it is not used, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import traced_programs
from bpf_loaded import is_loaded, programs_of
from outside import children, environment, is_alive, wait_until

from lab.kernel.sandbox.sandbox import open_sandbox
from lab.records import InstrumentKind

pytestmark = pytest.mark.kernel


@pytest.mark.usefixtures("needs_bpf", "needs_ptrace")
@pytest.mark.parametrize("choice", ["auto", "ptrace"])
def test_a_collector_that_is_not_wanted_after_all_is_ended(choice: str) -> None:
    """Else it would be reported as a process that a program has left behind."""
    with open_sandbox() as sandbox:
        instrument, others = sandbox.call(traced_programs.others_when_refused, choice)
    assert (instrument.kind, instrument.slack_ns) == (InstrumentKind.CALLS, 20_000)
    assert not others


PARENT = """
import sys
sys.path[:] = sys.argv[1:]
import inside, traced_programs
from lab.kernel.sandbox.sandbox import open_sandbox
with open_sandbox() as sandbox:
    print(sandbox.supervisor_pid, flush=True)
    sandbox.call(traced_programs.{function})
    print("up", flush=True)
    sandbox.call(inside.block)
"""


class Parent:
    """A process of its own that opens a traced sandbox."""

    def __init__(self, function: str) -> None:
        command = [sys.executable, "-c", PARENT.format(function=function), *sys.path]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
        assert self.process.stdout is not None
        with self.process.stdout as said:
            self.supervisor = int(said.readline())
            assert said.readline() == b"up\n"
        (self.init,) = children(self.supervisor)

    def programs(self) -> set[int]:
        """The BPF programs of its collector, by their ids."""
        return {number for pid in children(self.init) for number in programs_of(pid)}

    def kill_all(self) -> None:
        """The parent, the supervisor and init, so that nobody can clean up."""
        # Stopped, so that none sees another's end.
        for pid in (self.supervisor, self.init, self.process.pid):
            os.kill(pid, signal.SIGSTOP)
        for pid in (self.supervisor, self.init, self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not is_alive(self.supervisor) and not is_alive(self.init))


@pytest.mark.usefixtures("needs_bpf")
def test_the_parents_death_leaves_no_program_in_the_kernel() -> None:
    parent = Parent("hold_tracer")
    programs = parent.programs()
    assert len(programs) >= 14
    assert all(map(is_loaded, programs))
    parent.process.kill()
    parent.process.wait()
    wait_until(lambda: not any(map(is_loaded, programs)))


@pytest.mark.usefixtures("needs_bpf")
@pytest.mark.parametrize("function", ["hold_tracer", "begin_tracer"])
def test_nor_does_everybodys(function: str) -> None:
    parent = Parent(function)
    programs = parent.programs()
    parent.kill_all()
    wait_until(lambda: not any(map(is_loaded, programs)))


WHY_NOT = """
import sys
sys.path[:] = sys.argv[1:]
import traced_programs
from lab.kernel.sandbox.sandbox import open_sandbox
with open_sandbox() as sandbox:
    print(sandbox.call(traced_programs.why_not))
"""


def test_an_ordinary_user_reads_why_not(as_nobody: tuple[str, ...]) -> None:
    command = [*as_nobody, sys.executable, "-c", WHY_NOT, *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.stdout == "root's own capabilities are needed\n", done.stderr
