"""A cell at work: its namespaces, the process that holds them, and what its programs take.

That process, pid 1 of the cell's pid namespace, is forked by the sandbox's init, makes the root and
then only reaps. With its death the kernel ends all in the cell at once, however many they are.

Source: pid_namespaces(7), mount_namespaces(7), ipc_namespaces(7), uts_namespaces(7).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NoReturn

from lab.errors import KernelRefused
from lab.kernel.cells.calls import cell_filter
from lab.kernel.cells.control_group import ControlGroup, open_control_group
from lab.kernel.cells.limits import MIB, limits_kept, set_limits
from lab.kernel.cells.root import HOME, PATH, SUBMISSION, USER, RootPlan, make_root
from lab.kernel.cells.usage import is_at_work, proportional_bytes, read_usage
from lab.kernel.cells.user import CellUser, cell_user
from lab.kernel.system import libc
from lab.kernel.system.capabilities import keep_only, last_capability
from lab.kernel.system.confining import Start
from lab.kernel.system.descriptors import leave_descriptors_but
from lab.kernel.system.made import send_made, take_made
from lab.model.allowed import Cell
from lab.records import CellRun, Limit

NAMESPACES = {"mnt": libc.CLONE_NEWNS, "ipc": libc.CLONE_NEWIPC, "uts": libc.CLONE_NEWUTS}
"""Their files in /proc/pid/ns, and their kinds."""
LOOK_S = 0.05
"""Between two looks at what its processes take."""
LOOKS = 4
"""So many that find a program at work say that it does not wait; each that does not undoes two."""
_FOLDERS = 2  # SUBMISSION and /proc, whose descriptors come behind those of the namespaces


class OpenCell:
    """A cell, which is being made from now on; to be used in a sandbox's init."""

    def __init__(self, cell: Cell, names: Sequence[tuple[str, str]] = ()) -> None:
        """`names` are addresses and names that can be looked up in it. Raises KernelRefused."""
        self.cell = cell
        self._user = cell_user()
        self._filter = cell_filter()
        self._last = last_capability()
        self._group = open_control_group(cell.limits)
        self._descriptors: list[int] = []
        """Of the namespaces in the order of NAMESPACES, SUBMISSION, /proc, and of the user
        namespace where there is one."""
        self._started: float | None = None
        self._looked = 0.0
        self._cpu_s = 0.0
        self._at_work = 0
        """So many looks at it have found it at work, the last ones: LOOKS."""
        self.captured: Callable[[], tuple[int, int]] = lambda: (0, 0)
        """How many frames and bytes were captured in the run; none in a cell without a network."""
        self._captured_before = 0, 0
        limits = cell.limits
        self._root = RootPlan(
            cell.folder, cell.shows, limits.disk_mib, self._user.uid, self._user.gid, tuple(names)
        )
        self._answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._pids = -1
        try:
            libc.unshare(libc.CLONE_NEWPID, "cannot create a pid namespace for a cell")
            try:
                self.pid = os.fork()
                if self.pid == 0:
                    _be_init(self._root, self._user, self._group, theirs)
                flags = os.O_RDONLY | os.O_CLOEXEC
                self._pids = os.open("/proc/self/ns/pid_for_children", flags)
            finally:
                self._return()
        except OSError as error:
            if self._group is not None:
                self._group.remove()
            raise KernelRefused(f"cannot fork: {error.strerror}") from error
        finally:
            theirs.close()
        self._end = os.pidfd_open(self.pid)
        self._is_reaped = False

    def wait(self) -> None:
        """Wait until it is ready. Raises LabError."""
        if self._descriptors:
            return
        most = len(NAMESPACES) + _FOLDERS + (0 if self._user.is_own else 1)
        try:
            self._descriptors = take_made(self._answer, most, "a cell")
        except OSError as error:
            raise KernelRefused("no descriptors are left for a cell's namespaces") from error

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What this process forks in the with statement's body is in the cell's pid namespace."""
        libc.setns(self._pids, libc.CLONE_NEWPID, "cannot enter a cell's pid namespace")
        try:
            yield
        finally:
            self._return()

    def start(self, outputs: Sequence[int]) -> Start:
        """The confinement of one program, which may open those descriptors by name again.

        Raises LabError where the cell could not be made.
        """
        self.wait()
        if self._started is None:
            self._started, self._captured_before = time.monotonic(), self.captured()
        return Start(partial(self._confine, outputs))

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """A program's environment: nothing of the lab's own but what is `given`."""
        return {
            "PATH": PATH,
            "HOME": HOME,
            "USER": USER,
            "LOGNAME": USER,
            "LANG": "C.UTF-8",
            "TMPDIR": "/tmp",
            **given,
        }

    def exceeded(self) -> Limit | None:
        """The limit that its processes have exceeded, of those that the lab keeps itself."""
        now = time.monotonic()
        if self._started is None or now - self._looked < LOOK_S:
            return None
        self._looked = now
        limits = self.cell.limits
        if now - self._started > limits.wall_s:
            return Limit.WALL
        (frames, captured), before = self.captured(), self._captured_before
        if frames - before[0] > limits.frames:
            return Limit.FRAMES
        if captured - before[1] > limits.captured_mib * MIB:
            return Limit.CAPTURED
        proc = self._descriptors[len(NAMESPACES) + 1]
        try:
            usage = read_usage(proc)
            # Threads that take turns may each be seen while it is another's.
            has_worked = usage.cpu_s > self._cpu_s or is_at_work(proc)
            change = 1 if has_worked else -2
            self._at_work = min(max(self._at_work + change, 0), 2 * LOOKS)
            self._cpu_s = usage.cpu_s
            taken_s = self._group.cpu_s() if self._group else usage.cpu_s
            if taken_s > limits.cpu_s:
                return Limit.CPU
            most = limits.memory_mib * MIB
            if usage.resident_bytes > most and proportional_bytes(proc) > most:
                return Limit.MEMORY
        except OSError:
            return None  # it is coming to its end
        return None

    @property
    def is_at_work(self) -> bool:
        """Whether any of its processes is running now, or could be."""
        if not self._descriptors:
            return False
        try:
            return is_at_work(self._descriptors[len(NAMESPACES) + 1])
        except OSError:
            return False  # it has come to its end

    def killed_by(self) -> Limit | None:
        """The limit for which the kernel has killed all in it."""
        with suppress(OSError):
            if self._group is not None and self._group.has_lacked_memory:
                return Limit.MEMORY
        return None

    def record(self, ended_by: Limit | None) -> CellRun:
        """How its programs were held."""
        kept = limits_kept(self._group.keeps if self._group else ())
        return CellRun(self._user.uid, kept, ended_by, self._at_work >= LOOKS)

    @property
    def submission(self) -> int:
        """A descriptor of its copy of the folder; that of a cell that is ready."""
        return self._descriptors[len(NAMESPACES)]

    def kill(self) -> None:
        """End all that is in it. Whoever started its programs has to wait for them."""
        if not self._is_reaped:
            signal.pidfd_send_signal(self._end, signal.SIGKILL)

    def wait_for_end(self) -> None:
        """Wait until nothing is in it any more, once it was killed and its programs waited for."""
        if not self._is_reaped:
            select.select([self._end], [], [])
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            self._is_reaped = True

    def close(self) -> None:
        """End it, once its programs have been waited for, and free what it holds."""
        self.kill()
        self.wait_for_end()
        if self._group is not None:
            self._group.remove()
            self._group = None
        self._answer.close()
        for descriptor in (*self._descriptors, self._own_pids, self._pids, self._end):
            os.close(descriptor)
        self._descriptors = []

    def _return(self) -> None:
        libc.setns(self._own_pids, libc.CLONE_NEWPID, "cannot return to the pid namespace")

    def _confine(self, outputs: Sequence[int]) -> None:
        """Confine this process, a child forked in the cell. Raises OSError and KernelRefused."""
        if self._group is not None:
            self._group.enter()
        for descriptor, kind in zip(self._descriptors, NAMESPACES.values(), strict=False):
            libc.setns(descriptor, kind, "cannot enter a cell's namespaces")
        os.chdir(SUBMISSION)
        os.umask(0o022)
        if self._user.is_own:
            for descriptor in outputs:
                os.fchown(descriptor, self._user.uid, self._user.gid)
        self._user.become(None if self._user.is_own else self._descriptors[-1])
        libc.join_session_keyring()
        set_limits(self.cell.limits)
        keep_only((), self._last)
        self._filter.install()


def _be_init(
    plan: RootPlan, user: CellUser, group: ControlGroup | None, channel: socket.socket
) -> NoReturn:
    """Make the cell's namespaces but for that of its processes, and be its init."""
    descriptors: list[int] = []
    failed: BaseException | None = None
    try:
        if group is not None:
            group.enter()
        leave_descriptors_but({channel.fileno()})
        for number in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        namespace = user.enclosed()
        libc.unshare(sum(NAMESPACES.values()), "cannot create a cell's namespaces")
        flags = os.O_RDONLY | os.O_CLOEXEC
        descriptors = [os.open(f"/proc/self/ns/{name}", flags) for name in NAMESPACES]
        libc.mount("none", "/", None, libc.MS_REC | libc.MS_PRIVATE)
        socket.sethostname(USER)
        descriptors.append(make_root(plan))
        descriptors.append(os.open("/proc", flags | os.O_DIRECTORY))
        if namespace is not None:
            descriptors.append(namespace)
        # What is in the cell must not read the lab's memory from here.
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
    except BaseException as error:
        failed = error
    try:
        send_made(channel, descriptors, failed)
        leave_descriptors_but(())
        _reap()
    finally:
        os._exit(0)


def _reap() -> NoReturn:
    """Wait for whatever ends in the cell, for ever."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            signal.sigwait({signal.SIGCHLD})
