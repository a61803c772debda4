"""Who owns what the kernel does not reclaim, and whether that process has ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from outside import environment

from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system import owner as owner_module
from lab.kernel.system.owner import Owner, has_ended, owner


def test_its_name_tells_which_process_it_is() -> None:
    assert Owner(4026531836, 77, 123456).name("cell-1") == "wirelab-4026531836-77-123456-cell-1"


def seen_of_others() -> dict[str, bool]:
    """In a sandbox: of owners that differ from its own whether they have ended."""
    here = owner()
    nobody = 4_194_304  # above any pid (proc(5), pid_max)
    return {
        "itself": has_ended(here),
        "no process": has_ended(here._replace(pid=nobody)),
        "a process before": has_ended(here._replace(start_time=here.start_time + 1)),
        "of another namespace": has_ended(here._replace(namespace=here.namespace + 1, pid=nobody)),
    }


@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="only root's sandboxes have an owner")
def test_one_has_ended_if_it_is_certain(sandbox: Sandbox) -> None:
    assert sandbox.call(seen_of_others) == {
        "itself": False,
        "no process": True,
        "a process before": True,
        "of another namespace": False,
    }


@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="only root's sandboxes have an owner")
def test_it_is_the_supervisor(sandbox: Sandbox) -> None:
    assert sandbox.call(owner).pid == sandbox.supervisor_pid


WITHOUT = """
import sys
sys.path[:] = sys.argv[1:]
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.kernel.system.owner import has_owner
with open_sandbox() as sandbox:
    print(sandbox.call(has_owner))
"""


@pytest.mark.kernel
def test_an_ordinary_users_sandbox_has_none(as_nobody: tuple[str, ...]) -> None:
    command = [*as_nobody, sys.executable, "-c", WITHOUT, *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.stdout == "False\n", done.stderr


@pytest.mark.programs
def test_who_has_ended_is_no_process_any_more() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        proc = os.open("/proc", os.O_PATH)
        started = owner_module._start_time(proc, str(process.pid))
        assert started is not None
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        # A zombie has ended, though its number is still taken.
        assert owner_module._start_time(proc, str(process.pid)) is None
    assert owner_module._start_time(proc, str(process.pid)) is None
    os.close(proc)
