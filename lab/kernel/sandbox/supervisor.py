"""The sandbox's own two processes: the keeper, and the first process it guards.

The keeper unshares the namespaces, forks the first process (pid 1 of the new pid
namespace) and from then on only watches: when the process that opened the sandbox dies,
by whatever signal, the keeper kills the first process. When the first process dies, the
kernel kills everything else in its pid namespace and reclaims namespaces, links and mounts.
When the keeper dies first, the kernel kills the first process (PR_SET_PDEATHSIG).

What root's runs are traced by is the one thing that the kernel does not reclaim: the keeper
owns it and has it removed (lab.kernel.trace.tracefs.instance).

Run as a program by lab.kernel.sandbox.sandbox: arguments are the channel's descriptor, the opener's
pid, a module to import while no call has arrived yet, and whether programs shall be traced.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.errors import KernelRefused, LabError, MachineError
from lab.kernel.system import libc
from lab.kernel.system.capabilities import has_capabilities
from lab.kernel.system.channel import Channel, ChannelClosed
from lab.kernel.trace.tracefs import instance as trace_instance
from lab.kernel.trace.tracefs import start as trace_start

NETNS_DIRECTORY = Path("/run/netns")
TRACED = "traced"
SHARED_DIRECTORY = Path("/run/wirelab")  # for what programs of several hosts share


def main() -> None:
    """Become the keeper; never returns."""
    descriptor, opener_pid = int(sys.argv[1]), int(sys.argv[2])
    channel = Channel(socket.socket(fileno=descriptor))
    opener = os.pidfd_open(opener_pid)
    if os.getppid() != opener_pid:
        os._exit(1)  # the opener died before it could be watched
    try:
        _enter_namespaces()
    except LabError as error:
        channel.send(("error", error))
        os._exit(1)
    terminated = _notice_sigterm()
    alive_read, alive_write = os.pipe()
    first = os.fork()
    if first == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(terminated)
        os.close(alive_write)
        _become_first_process(channel, alive_read)
    channel.close()
    os.close(alive_read)
    _keep(opener, first, terminated)


def _notice_sigterm() -> int:
    """A descriptor that becomes readable with SIGTERM.

    A handler alone would not do: a signal that comes between two of Python's looks at its
    handlers and the poll(2) after them would go unnoticed.
    """
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writable)
    signal.signal(signal.SIGTERM, lambda *_: None)
    return readable


def _keep(opener: int, first: int, terminated: int) -> None:
    """Wait until either process ends, or for SIGTERM, and end the first process."""
    guarded = os.pidfd_open(first)
    poll = select.poll()
    for descriptor in (opener, guarded, terminated):
        poll.register(descriptor, select.POLLIN)
    poll.poll()
    signal.pidfd_send_signal(guarded, signal.SIGKILL)  # a zombie takes it as well
    os.waitpid(first, 0)
    trace_instance.remove_behind_me()
    os._exit(0)


def _enter_namespaces() -> None:
    """Unshare; with a user namespace where this process lacks the capabilities."""
    flags = libc.CLONE_NEWNS | libc.CLONE_NEWPID | libc.CLONE_NEWNET
    uid, gid = os.geteuid(), os.getegid()
    advice = "`wirelab doctor` says what forbids it"
    if uid != 0:
        advice = "run with sudo, or `wirelab doctor` says how to allow unprivileged user namespaces"
    privileged = has_capabilities("CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_NET_RAW")
    if privileged:
        trace_instance.note_owner()
    try:
        if privileged:
            libc.unshare(flags, "cannot create namespaces")
            return
        libc.unshare(libc.CLONE_NEWUSER, "cannot create a user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        libc.unshare(flags, "cannot create namespaces inside a user namespace")
    except KernelRefused as error:
        raise KernelRefused(error.refusal, advice) from error.__cause__
    except OSError as error:
        attempt = f"cannot map uid {uid} into a user namespace"
        raise KernelRefused(f"{attempt}: {error}", advice) from None


def _become_first_process(channel: Channel, keeper_alive: int) -> None:
    """Prepare the mounts, then serve calls until the channel closes; never returns."""
    libc.kill_me_with_my_parent(signal.SIGKILL)
    if select.select([keeper_alive], [], [], 0)[0]:
        os._exit(1)  # the keeper died before its death was bound to ours
    try:
        try:
            _prepare_mounts()
        except LabError as error:
            channel.send(("error", error))
            os._exit(1)
        channel.send(("ready", None))
        if sys.argv[4] == TRACED:
            trace_start.begin_early()
        _preload(channel, sys.argv[3])
        while True:
            function, arguments = channel.receive()
            channel.send(_outcome(function, arguments))
    except ChannelClosed:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _preload(channel: Channel, module: str) -> None:
    """Import the module; where it cannot be, that is the answer to the first call, and the end."""
    try:
        importlib.import_module(module)
    except LabError as error:
        channel.send(("error", error))
    except ModuleNotFoundError as error:
        advice = "`make` sets up the project's .venv"
        channel.send(("error", MachineError(f"{error.name} is not installed; {advice}")))
    else:
        return
    os._exit(1)


def _outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    """A call's result as it goes over the channel."""
    try:
        return "value", function(*arguments)
    except LabError as error:
        return "error", error
    except Exception:
        return "crash", traceback.format_exc()


def _prepare_mounts() -> None:
    """Private mounts: a /run for names of namespaces and sockets, a /proc of this pid namespace.

    The whole of /run is covered, because a folder made in it would be left behind on the host.
    """
    libc.mount("none", "/", None, libc.MS_REC | libc.MS_PRIVATE)
    quiet = libc.MS_NOSUID | libc.MS_NODEV
    libc.mount("tmpfs", "/run", "tmpfs", quiet, "mode=755")
    NETNS_DIRECTORY.mkdir()
    SHARED_DIRECTORY.mkdir()
    try:
        libc.mount("proc", "/proc", "proc", quiet | libc.MS_NOEXEC)
    except KernelRefused as error:
        raise KernelRefused(
            f"{error}; in a container, start it with systempaths=unconfined"
        ) from error.__cause__
