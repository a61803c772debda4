"""A confined program: its user, capabilities and environment, and what goes wrong before it."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from typing import Any

import pytest
from step_programs import python, run

from lab.errors import KernelRefused, UsageError
from lab.kernel.confinement import Confined
from lab.kernel.programs.confinement import KEPT, Confinement, Identity
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system.capabilities import NUMBERS
from lab.model.program import Program
from lab.records import ProgramRun, RanAs

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

WHO = Identity("somebody", 65534, 65533, (65533, 4), "/home/somebody")
ASK = """
import os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
names = "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"
print([int(status[name], 16) for name in names])
print((os.getresuid(), os.getresgid(), sorted(os.getgroups())))
print([os.environ.get(name) for name in ("HOME", "USER", "LOGNAME")])
open("/dev/stderr", "w").write("by its name")
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: there is no other user")


def run_one(
    sandbox: Sandbox, program: Program, identity: Identity | None = None, *names: str
) -> ProgramRun:
    """The program's run, with the host's files as they are."""
    ran_as = RanAs("", 0, (), (), (), host_files=True)
    confined = Confined(identity, names, "/", None, ran_as)
    (found,) = run(sandbox, program, confined=confined).programs
    return found


def bits(*names: str) -> int:
    return sum(1 << NUMBERS[name] for name in names)


def said(run: ProgramRun) -> list[Any]:
    """What ASK printed of its capabilities, its ids and its environment."""
    assert (run.exit_status, run.stderr) == (0, "by its name")
    return [ast.literal_eval(line) for line in run.stdout.splitlines()]


def test_it_keeps_two_capabilities_over_execve_and_can_gain_none(sandbox: Sandbox) -> None:
    capabilities, ids, _ = said(run_one(sandbox, python(ASK)))
    assert KEPT == ("CAP_NET_BIND_SERVICE", "CAP_NET_RAW")
    assert capabilities == [bits(*KEPT)] * 5 + [1]
    assert ids == (os.getresuid(), os.getresgid(), sorted(os.getgroups()))


def test_more_capabilities_are_the_runs_or_the_programs_own(sandbox: Sandbox) -> None:
    program = replace(python(ASK), capabilities=("CAP_NET_ADMIN",))
    capabilities, *_ = said(run_one(sandbox, program, None, "CAP_SYS_PTRACE"))
    assert capabilities == [bits(*KEPT, "CAP_NET_ADMIN", "CAP_SYS_PTRACE")] * 5 + [1]


@needs_root
def test_it_runs_as_another_user_with_the_same_capabilities(sandbox: Sandbox) -> None:
    capabilities, ids, environment = said(run_one(sandbox, python(ASK), WHO))
    assert capabilities == [bits(*KEPT)] * 5 + [1]
    assert ids == ((65534,) * 3, (65533,) * 3, [4, 65533])
    assert environment == ["/home/somebody", "somebody", "somebody"]


@needs_root
def test_what_it_may_not_execute_fails_as_any_program_does(sandbox: Sandbox) -> None:
    found = run_one(sandbox, Program("it", "client", ("/etc/shadow",)), WHO)
    assert found.failure == "cannot be started: /etc/shadow: Permission denied"


def test_what_goes_wrong_in_the_child_is_known_in_the_parent(sandbox: Sandbox) -> None:
    with pytest.raises(KernelRefused, match=r"^cannot confine a program: "):
        run_one(sandbox, python(ASK), replace(WHO, groups=(1 << 32,)))


def test_an_unknown_capability_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^there is no capability 'NET_RAW'; did you mean 'CAP_"):
        Confinement(None, ("NET_RAW",), "/", None)
