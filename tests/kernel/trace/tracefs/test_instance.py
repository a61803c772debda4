"""tracefs instances: whoever is killed, none is left, and nobody loses one that is in use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest
import traced_programs
from outside import children, environment, is_alive, wait_until

from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_tracefs")]


def instances(observer: Sandbox, supervisor: int) -> list[str]:
    """Those that the sandbox of that supervisor has."""
    return [
        name
        for name in observer.call(traced_programs.instances)
        if name.split("-")[2] == str(supervisor)
    ]


def kinds(names: list[str]) -> list[str]:
    return [name.rpartition("-")[2] for name in names]


def wait_until_removed(observer: Sandbox, supervisor: int) -> None:
    wait_until(lambda: not instances(observer, supervisor))


def test_a_traced_sandbox_has_two_and_leaves_none(sandbox: Sandbox) -> None:
    with open_sandbox() as traced:
        traced.call(traced_programs.hold_tracer)
        names = instances(sandbox, traced.supervisor_pid)
        assert names == sorted(
            map(traced.call(traced_programs.owner_of_all).name, names_of_kinds())
        )
    wait_until_removed(sandbox, traced.supervisor_pid)


def names_of_kinds() -> tuple[str, str]:
    return "calls", "kernel"


def test_a_sandbox_that_traces_nothing_has_none(sandbox: Sandbox) -> None:
    with open_sandbox() as untraced:
        untraced.call(len, "")
        assert instances(sandbox, untraced.supervisor_pid) == []


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

    def kill_all(self) -> None:
        """The parent, the supervisor and init, so that nobody can clean up."""
        (first,) = children(self.supervisor)
        # Stopped, so that none sees another's end.
        for pid in (self.supervisor, first, self.process.pid):
            os.kill(pid, signal.SIGSTOP)
        for pid in (self.supervisor, first, self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not is_alive(self.supervisor) and not is_alive(first))


@pytest.mark.parametrize("function", ["hold_tracer", "begin_tracer"])
def test_the_parents_death_leaves_none(sandbox: Sandbox, function: str) -> None:
    parent = Parent(function)
    parent.process.kill()
    parent.process.wait()
    wait_until_removed(sandbox, parent.supervisor)


@pytest.mark.parametrize("function", ["hold_tracer", "begin_tracer"])
def test_what_everybodys_death_leaves_the_next_start_sweeps(
    sandbox: Sandbox, function: str
) -> None:
    parent = Parent(function)
    parent.kill_all()
    with open_sandbox() as following:
        following.call(traced_programs.hold_tracer)
        wait_until_removed(sandbox, parent.supervisor)
        assert kinds(instances(sandbox, following.supervisor_pid)) == ["calls", "kernel"]


def test_without_a_next_start_they_would_be_left(sandbox: Sandbox) -> None:
    """The control: that everybody's death does leave them.

    Another lab that starts just then (tests run side by side) sweeps them, so once is enough.
    """
    seen = []
    for _ in range(10):
        parent = Parent("hold_tracer")
        parent.kill_all()
        left = instances(sandbox, parent.supervisor)
        sandbox.call(traced_programs.remove_instances, *left)
        seen.append(kinds(left))
        if seen[-1] == ["calls", "kernel"]:
            return
    pytest.fail(f"none of ten was left whole: {seen}")


def test_a_living_labs_instances_survive_other_starts(sandbox: Sandbox) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(open_sandbox()) for _ in range(3)]
        pending = [one.submit(traced_programs.hold_tracer) for one in opened]
        for each in pending:
            each.result()
        for one in opened:
            assert kinds(instances(sandbox, one.supervisor_pid)) == ["calls", "kernel"]
    for one in opened:
        wait_until_removed(sandbox, one.supervisor_pid)


def test_only_what_has_surely_lost_its_owner_is_swept(sandbox: Sandbox) -> None:
    owner = sandbox.call(traced_programs.owner_of_all)
    nobody = 4_194_304  # above any pid (proc(5), pid_max)
    left = {
        owner._replace(pid=nobody).name("calls"),
        owner._replace(start_time=owner.start_time + 1).name("kernel"),
    }
    kept = {
        owner.name("kernel"),
        owner._replace(namespace=owner.namespace + 1, pid=nobody).name("calls"),
        owner._replace(pid=nobody).name("other"),
        f"x{owner._replace(pid=nobody).name('calls')}".replace("xwirelab", "wirelab-x"),
    }
    sandbox.call(traced_programs.make_instances, *left, *kept)
    try:
        with open_sandbox() as following:
            following.call(traced_programs.hold_tracer)
            wait_until(lambda: not left & set(sandbox.call(traced_programs.instances)))
            assert kept <= set(sandbox.call(traced_programs.instances))
    finally:
        sandbox.call(traced_programs.remove_instances, *kept)


WHY_NOT = """
import sys
sys.path[:] = sys.argv[1:]
import traced_programs
from lab.kernel.sandbox.sandbox import open_sandbox
with open_sandbox() as sandbox:
    print(sandbox.call(traced_programs.why_not))
"""


def test_an_ordinary_user_reads_why_not(as_nobody: list[str]) -> None:
    command = [*as_nobody, sys.executable, "-c", WHY_NOT, *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.stdout == "root's own capabilities are needed\n", done.stderr
