from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from outside import environment, wait_until_gone

import lab
from lab.kernel.sandbox.starting import may_fork

# What is executed as the command's own process is, in another.
COMMAND = """
import os, signal, sys, threading
sys.path[:] = sys.argv[1:]
import inside
from lab.kernel.sandbox import sandbox, starting
events = []
sys.addaudithook(lambda name, _: events.append(name))
starting.fork_from_here()
def once():
    events.clear()
    with sandbox.open_sandbox() as opened:
        answer = opened.call(abs, -1)
    return answer, "subprocess.Popen" in events
"""

FORKED = (
    COMMAND
    + """
assert starting.may_fork()
print(once(), once())
"""
)
THREADED = (
    COMMAND
    + """
over = threading.Event()
threading.Thread(target=over.wait).start()
assert not starting.may_fork()
print(once())
over.set()
"""
)
FRESH = (
    COMMAND
    + """
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
held, other = os.pipe()
sys.stdout.write("once, ")
with sandbox.open_sandbox() as opened:
    print(*opened.call(inside.inherits, os.fstat(held).st_ino))
"""
)
KILLED = (
    COMMAND
    + """
with sandbox.open_sandbox() as opened:
    opened.call(inside.start_daemon)
    os.kill(os.getpid(), signal.SIGKILL)
"""
)
INTERRUPTED = (
    COMMAND
    + """
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"handled "))
def interrupt():
    if starting._forks:
        starting._forks = False
        os.kill(os.getpid(), signal.SIGINT)
os.register_at_fork(after_in_child=interrupt)
print(once())
"""
)
CHILDREN_IGNORED = (
    COMMAND
    + """
starting._forks = False
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(once())
"""
)


def output_of(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *sys.path],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert not done.returncode, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.kernel
def test_the_commands_own_process_is_forked_while_it_has_one_thread(marker: str) -> None:
    assert output_of(FORKED) == "(1, False) (1, False)\n"
    assert output_of(THREADED) == "(1, True)\n"
    wait_until_gone(marker)


def test_no_other_process_is_forked() -> None:
    assert not may_fork()


@pytest.mark.kernel
def test_a_fork_leaves_what_is_its_parents(marker: str) -> None:
    # Its handlers, its descriptors, its standard input, what it has not yet written; not what it
    # has ignored.
    assert output_of(FRESH) == "once, SIG_DFL SIG_IGN /dev/null False\n"
    wait_until_gone(marker)


@pytest.mark.kernel
def test_a_fork_ends_with_its_parent(marker: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, *sys.path], env=environment())
    assert done.returncode == -signal.SIGKILL
    wait_until_gone(marker)


@pytest.mark.kernel
def test_an_interrupt_at_the_fork_is_the_parents_alone(marker: str) -> None:
    # The terminal's reaches the fork as well, before that has a session of its own.
    assert output_of(INTERRUPTED) == "(1, False)\n"
    wait_until_gone(marker)


@pytest.mark.kernel
def test_a_supervisor_waits_for_its_init_where_sigchld_was_ignored(marker: str) -> None:
    assert output_of(CHILDREN_IGNORED) == "(1, True)\n"
    wait_until_gone(marker)


@pytest.mark.kernel
def test_the_command_waits_for_its_forks_where_sigchld_was_ignored(
    marker: str, tmp_path: Path
) -> None:
    ignored = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
    run = "os.execv(sys.executable, [sys.executable, '-m', 'lab', 'run', 'tcp', '--out', '.'])"
    done = subprocess.run(
        [sys.executable, "-c", ignored + run],
        capture_output=True,
        text=True,
        env=environment() | {"PYTHONPATH": str(Path(lab.__file__).parents[1])},
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    wait_until_gone(marker)
