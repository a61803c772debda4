"""How a sandbox's supervisor, its outermost process, is started: forked, or as an interpreter.

A fork begins at once, with all that its parent has imported; a fresh interpreter takes 30 ms to
start and to import that again. But a fork has the locks of its parent's threads, and whatever else
that process is about. So it is for the command `wirelab` alone, while that has one thread; whoever
else runs something (pytest, a notebook, a program with threads) gets a fresh interpreter.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from lab.kernel.system.descriptors import leave_descriptors_but

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    import subprocess

# -I and -S: neither the environment nor site-packages' start-up files may change what the
# sandbox's processes are; they get the parent's own import path instead. And its own package:
# that path may lead by a folder named `lab` of the current directory.
#
# What is imported stays: collecting it again and again costs a tenth of the imports.
_BOOT = """
import gc, sys
gc.disable()
sys.path[:] = [sys.argv[6]]
import lab
sys.path[:] = sys.argv[7:]
from lab.kernel.sandbox.supervisor import main
lender = int(sys.argv[5]) if sys.argv[5] else None
main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], traced=sys.argv[4] == "traced", lender=lender)
"""

PACKAGE = Path(__file__).resolve().parents[2]
"""The folder of `lab`."""

_forks = False


def fork_from_here() -> None:
    """Have supervisors forked from now on: this process is the command, and nobody else's."""
    global _forks
    _forks = True


def may_fork() -> bool:
    """Whether a supervisor is forked: in the command's own process, as long as it has one thread.

    A lock that another thread holds would stay locked in the fork.
    """
    return _forks and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  nothing else is slower


class Supervisor(Protocol):
    """A child process."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def terminate(self) -> None:
        """Send it SIGTERM."""

    def kill(self) -> None:
        """Send it SIGKILL."""

    def ends_within(self, seconds: float | None) -> bool:
        """Wait until it ends, which None does for ever; whether it did."""


class Forked:
    """A forked child process, waited for by its pidfd."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._is_reaped = False

    def terminate(self) -> None:
        """See Supervisor."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """See Supervisor."""
        self._send(signal.SIGKILL)

    def ends_within(self, seconds: float | None) -> bool:
        """See Supervisor."""
        if not self._is_reaped:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            if not poll.poll(None if seconds is None else seconds * 1000):
                return False
            os.waitpid(self.pid, 0)
            os.close(self._descriptor)
            self._is_reaped = True
        return True

    def _send(self, number: signal.Signals) -> None:
        if not self._is_reaped:
            signal.pidfd_send_signal(self._descriptor, number)


class _Interpreter:
    """A child process that is an interpreter of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.terminate = process.terminate
        self.kill = process.kill

    def ends_within(self, seconds: float | None) -> bool:
        """See Supervisor."""
        from subprocess import TimeoutExpired

        try:
            self._process.wait(seconds)
        except TimeoutExpired:
            return False
        return True


def start_supervisor(
    messages: int, preload: str, *, traced: bool, kept: Sequence[int], shared: Sequence[str]
) -> Supervisor:
    """Start a supervisor, with that end of the message socket and the descriptors `kept`.

    The modules `shared` are imported before a fork: once, not twice.

    It has a session of its own: the terminal's Ctrl-C reaches the parent alone, which closes. Its
    standard input is /dev/null. Raises OSError.
    """
    if may_fork():
        return _fork(messages, preload, traced=traced, kept=kept, shared=shared)
    return _execute(messages, preload, traced=traced, kept=kept)


def _execute(messages: int, preload: str, *, traced: bool, kept: Sequence[int]) -> Supervisor:
    import subprocess

    from lab.kernel.trace.collecting.start import descriptors_to_borrow

    # -I has it ignore the environment, PYTHONDONTWRITEBYTECODE too: root would leave files.
    isolated = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    wanted = "traced" if traced else "untraced"
    borrowed = descriptors_to_borrow()
    arguments = [str(messages), str(os.getpid()), preload, wanted, "".join(map(str, borrowed))]
    paths = [str(PACKAGE.parent), *sys.path]
    return _Interpreter(
        subprocess.Popen(
            [sys.executable, *isolated, "-c", _BOOT, *arguments, *paths],
            stdin=subprocess.DEVNULL,
            pass_fds=[messages, *kept, *borrowed],
            start_new_session=True,
        )
    )


def _fork(
    messages: int, preload: str, *, traced: bool, kept: Sequence[int], shared: Sequence[str]
) -> Supervisor:
    for each in ("lab.kernel.sandbox.supervisor", *shared):
        importlib.import_module(each)
    parent = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # No handler of the parent's runs in the fork.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become_supervisor(parent, messages, preload, traced=traced, kept=kept, mask=mask)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return Forked(pid)


def _become_supervisor(
    parent: int,
    messages: int,
    preload: str,
    *,
    traced: bool,
    kept: Sequence[int],
    mask: Collection[int],
) -> NoReturn:
    """What the fork does until it ends: it leaves its parent's things, as execve(2) would.

    `mask` are the signals that its parent has blocked; all are until the handlers are gone.
    """
    status = 1
    try:
        from lab.kernel.sandbox.supervisor import main
        from lab.kernel.trace.collecting.start import descriptors_to_borrow

        os.setsid()
        _reset_signals(mask)
        # Those that its parent has open may be all that it may have.
        leave_descriptors_but({messages, *kept, *descriptors_to_borrow()})
        nothing = os.open(os.devnull, os.O_RDONLY)
        if nothing != 0:
            os.dup2(nothing, 0)
            os.close(nothing)
        main(messages, parent, preload, traced=traced)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _reset_signals(mask: Collection[int]) -> None:
    """Handlers are the parent's own; what is ignored stays so, as in a new interpreter.

    An interrupt that came before this was a session of its own is the parent's, too.
    """
    signal.set_wakeup_fd(-1)
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN and signal.sigpending():
        signal.sigtimedwait((signal.SIGINT,), 0)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
