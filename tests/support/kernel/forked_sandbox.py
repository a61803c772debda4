"""Sandboxes that are forked from a process which has imported what they run.

A process of pytest's has threads, so the lab starts a fresh interpreter for each sandbox of it
(lab.kernel.sandbox.starting): 40 ms of a CPU, of which 30 are imports. A server that has one thread
forks them here, as the command does for itself. Tests whose subject is how a sandbox starts, those
of tests/kernel/sandbox, have the interpreter.
"""

from __future__ import annotations

import fcntl
import functools
import gc
import importlib
import os
import pickle
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from outside import LIKE_A_MARKER, MARKER, become_marked, marked_at

import lab.kernel
from lab.kernel.sandbox import sandbox as of_sandboxes
from lab.kernel.system.descriptors import leave_descriptors_but

_BOOT = "import sys; sys.path[:] = sys.argv[2:]; from forked_sandbox import main; main()"
_ABOVE_ALL = 900
"""Descriptors from here on are nobody's."""
_ONE_ASKS = threading.Lock()


class _Asked(NamedTuple):
    numbers: tuple[int, ...]
    """The descriptors that it has, of which the first is that of its messages."""
    preload: str
    traced: bool
    lender: int | None
    environ: dict[str, str]
    folder: str
    paths: list[str]


class _Forked:
    """A supervisor, as lab.kernel.sandbox.starting has them: a grandchild of this process."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor
        self._has_ended = False

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def ends_within(self, seconds: float | None) -> bool:
        if not self._has_ended:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            if not poll.poll(None if seconds is None else seconds * 1000):
                return False
            os.close(self._descriptor)
            self._has_ended = True
        return True

    def _send(self, number: signal.Signals) -> None:
        if not self._has_ended:
            signal.pidfd_send_signal(self._descriptor, number)


@contextmanager
def sandboxes_forked() -> Iterator[None]:
    """Have the sandboxes that this process opens meanwhile forked, by whichever function."""
    import pytest  # not the server's

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_sandboxes, "start_supervisor", _start_supervisor)
        yield


def _start_supervisor(
    messages: int, preload: str, *, traced: bool, kept: Sequence[int], shared: Sequence[str]
) -> _Forked:
    from lab.kernel.trace.collecting.start import descriptors_to_borrow

    borrowed = descriptors_to_borrow()
    numbers = (messages, 1, 2, *kept, *borrowed)
    lender = borrowed[0] if borrowed else None
    asked = _Asked(numbers, preload, traced, lender, {**os.environ}, str(Path.cwd()), [*sys.path])
    with _ONE_ASKS:
        socket.send_fds(_server(), [pickle.dumps(tuple(asked))], numbers)
        said, (descriptor,), _, _ = socket.recv_fds(_server(), 100, 1)
    return _Forked(int(said), descriptor)


@functools.cache
def _server() -> socket.socket:
    """What asks the server of this process, which ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, str(theirs.fileno()), *sys.path],
            env=os.environ | {MARKER: LIKE_A_MARKER},
            stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True,
        )  # fmt: skip
    return ours


def _serve(server: socket.socket) -> None:
    while True:
        data, descriptors, _, _ = socket.recv_fds(server, 1 << 20, 100)
        if not data:
            return
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        pid = os.fork()
        if pid == 0:
            _become_supervisor(_Asked(*pickle.loads(data)), descriptors)
        # It is waited for later: nobody else has its number yet.
        descriptors.append(os.pidfd_open(pid))
        socket.send_fds(server, [str(pid).encode()], descriptors[-1:])
        for each in descriptors:
            os.close(each)


def _become_supervisor(asked: _Asked, descriptors: Sequence[int]) -> NoReturn:
    """What a fork does: it is as a fresh interpreter of who asks would be."""
    from lab.kernel.sandbox import supervisor

    try:
        parent = os.getppid()
        os.setsid()
        above = [fcntl.fcntl(each, fcntl.F_DUPFD, _ABOVE_ALL) for each in descriptors]
        for number, each in zip(asked.numbers, above, strict=True):
            os.dup2(each, number, inheritable=number <= 2)
        leave_descriptors_but({number for number in asked.numbers if number > 2})
        os.environ.clear()
        os.environ.update(asked.environ)
        become_marked(asked.environ)
        os.chdir(asked.folder)
        sys.path[:] = asked.paths
        messages, lender = asked.numbers[0], asked.lender
        supervisor.main(messages, parent, asked.preload, traced=asked.traced, lender=lender)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def main() -> None:
    gc.disable()  # as a supervisor starts
    marked_at()
    for module in pkgutil.walk_packages(lab.kernel.__path__, "lab.kernel."):
        if module.name != "lab.kernel.source.inside":  # which does something
            importlib.import_module(module.name)
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
