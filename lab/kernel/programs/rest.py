"""Whether programs have come to rest: each of their tasks waits, and no wait ends by itself.

A task counts as waiting where it sleeps in a call without a time limit, holds no timer and neither
handles nor blocks SIGALRM. So what is concluded is no matter of how fast the machine is: a program
that has work to do, and only was not given a processor yet, is not at rest. Where that cannot be
read nobody is.

Source: proc(5), /proc/pid/task/tid/status, /proc/pid/syscall, /proc/pid/fd, /proc/pid/timers;
pidfd_getfd(2).
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Collection
from pathlib import Path

from lab.kernel.system import libc
from lab.syscalls.waiting import WaitEnd, what_ends

INIT = 1
MOST_TASKS = 200
"""Of more it is not said that they rest."""
_TIMERS = ("anon_inode:[timerfd]", "anon_inode:[io_uring]")
"""Descriptors by which something may come of itself."""
_ALARM = 1 << signal.SIGALRM - 1
_TIME = struct.Struct("@ll")  # struct timeval
_ENDED = frozenset("ZX")


REST_NS = 100_000_000
"""They rest who have done so all this time. A datagram that was sent has come by then: it is handed
over within the call that sends it, or by a thread of the kernel's a little later."""
LOOK_NS = 25_000_000
"""Between two looks."""


class RestWatch:
    """Looks again and again, a little apart, until all is at rest."""

    def __init__(
        self, look: Callable[[], str | None], traffic: Callable[[], tuple[bool, int]]
    ) -> None:
        """`look` is as `rest_of`; `traffic` whether anything is on its way, and what changes with

        each frame.
        """
        self._look = look
        self._traffic = traffic
        self._looked_ns = 0
        self._since: tuple[int, object] | None = None
        """Since when it has been as it is, and what it is."""

    def begin(self) -> None:
        """What was before does not count."""
        self._since = None

    def is_reached(self) -> bool:
        """Whether nothing has gone on for REST_NS, and nothing can by itself."""
        now_ns = time.monotonic_ns()
        if now_ns - self._looked_ns < LOOK_NS:
            return False
        self._looked_ns = now_ns
        found = self._look()
        is_on_its_way, frames = (True, 0) if found is None else self._traffic()
        if is_on_its_way:
            self._since = None
            return False
        seen = found, frames
        if self._since is None or self._since[1] != seen:
            # From when all of it was seen, which may be a while after it was looked for.
            self._since = time.monotonic_ns(), seen
            return False
        return now_ns - self._since[0] >= REST_NS


class _Active(Exception):
    """A task may go on by itself."""


def rest_of(own: Collection[int], asking: Collection[int] = ()) -> str | None:
    """Something that changes when any process has gone on; None where one may do so by itself.

    It looks at all processes of this pid namespace but the init and the lab's `own`. Of those that
    are `asking` it is enough that they sleep: they ask for just this.
    """
    machine = os.uname().machine
    passed_over = {INIT, *own}
    left = MOST_TASKS
    said = []
    try:
        pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
        for pid in pids:
            if pid in passed_over:
                continue
            tasks = sorted(os.listdir(f"/proc/{pid}/task"), key=int)  # noqa: PTH208
            left -= len(tasks)
            if left < 0:
                return None
            said += [_task(machine, pid, tid, is_asking=pid in asking) for tid in tasks]
    except _Active:
        return None
    except OSError:
        return None  # one has just ended, or may not be looked into
    return " ".join(said)


def _task(machine: str, pid: int, tid: str, *, is_asking: bool) -> str:
    """What changes when that task goes on. Raises _Active, OSError."""
    status = _status(f"/proc/{pid}/task/{tid}/status")
    state = status["State"][:1]
    said = f"{tid}:{state}{status.get('voluntary_ctxt_switches')}"
    if state in _ENDED:
        return said
    if state != "S":
        raise _Active
    if is_asking:
        return tid  # it looks up again and again, and goes on where it is told to
    # Who has it blocked may read it from a signalfd(2).
    if (int(status["SigCgt"], 16) | int(status["SigBlk"], 16)) & _ALARM:
        raise _Active
    words = Path(f"/proc/{pid}/task/{tid}/syscall").read_text("ascii").split()
    if len(words) < 7:  # "running", or -1: it waits in no call
        raise _Active
    arguments = [int(word, 16) for word in words[1:7]]
    ends = what_ends(machine, int(words[0]), arguments)
    if ends is WaitEnd.BY_TIME:
        raise _Active
    if ends is WaitEnd.BY_ITS_SOCKET:
        _check_socket(pid, arguments[0] & 0xFFFFFFFF)
    if tid == str(pid):
        _check_timers(pid)
    return said


def _status(path: str) -> dict[str, str]:
    lines = Path(path).read_text("utf-8", "replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _check_timers(pid: int) -> None:
    """Raise _Active where the process has a timer. Raises OSError."""
    with os.scandir(f"/proc/{pid}/fd") as entries:
        for each in entries:
            if os.readlink(each.path) in _TIMERS:  # noqa: PTH115  a Path costs more
                raise _Active
    try:
        timers = Path(f"/proc/{pid}/timers").read_bytes()
    except FileNotFoundError:
        return  # a kernel without CONFIG_CHECKPOINT_RESTORE; what such a timer does is a signal
    if timers:
        raise _Active


def _check_socket(pid: int, descriptor: int) -> None:
    """Raise _Active where that descriptor is a socket whose calls end in time. Raises OSError."""
    if not os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith("socket:"):  # noqa: PTH115
        return
    process = os.pidfd_open(pid)
    try:
        copy = libc.copied_descriptor(process, descriptor)
    finally:
        os.close(process)
    with socket.socket(fileno=copy) as found:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            try:
                value = found.getsockopt(socket.SOL_SOCKET, option, _TIME.size)
            except OSError as error:
                if error.errno != errno.ENOPROTOOPT:
                    raise
                continue
            if any(_TIME.unpack(value)):
                raise _Active
