"""The sandbox's own two processes: the supervisor, and the init that it supervises.

The supervisor unshares the namespaces, forks the init (pid 1 of the new pid namespace) and
from then on only watches: when its parent, the process that opened the sandbox, dies by
whatever signal, the supervisor kills the init. When the init dies, the kernel kills everything
else in its pid namespace and reclaims namespaces, links and mounts. When the supervisor dies
before the init, the kernel kills the init (PR_SET_PDEATHSIG).

The one thing that the kernel does not reclaim are control groups of root's cells, which are named
after the supervisor (lab.kernel.system.owner).

Started by lab.kernel.sandbox.starting, with garbage collection off: the init turns it on once it
has imported what it runs.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.errors import KernelRefused, LabError, MachineError
from lab.kernel.system import libc
from lab.kernel.system.capabilities import has_capabilities
from lab.kernel.system.limits import as_refusal
from lab.kernel.system.message_socket import CallerGone, MessageSocket, PeerGone, Talk
from lab.kernel.system.owner import note_owner
from lab.kernel.trace.collecting import start as trace_start

NETNS_DIRECTORY = Path("/run/netns")
SHARED_DIRECTORY = Path("/run/wirelab")  # for what programs of several hosts share
SECRETS_DIRECTORY = Path("/run/wirelab-secrets")  # a file for each program


def main(
    descriptor: int, parent_pid: int, preload: str, *, traced: bool, lender: int | None = None
) -> None:
    """Become the supervisor; never returns.

    `descriptor` is of the message socket, `preload` a module to import before the first call
    arrives; if `traced`, programs will be. `lender` is that of the socket by which a fresh
    interpreter asks for a collector, which a fork knows already.
    """
    if lender is not None:
        os.set_inheritable(lender, False)  # no program's
        trace_start.borrow_from(socket.socket(fileno=lender))
    # Where it is ignored, which is inherited, no child stays until it is waited for: wait(2).
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    messages = MessageSocket(socket.socket(fileno=descriptor))
    try:
        parent = os.pidfd_open(parent_pid)
        if os.getppid() != parent_pid:
            os._exit(1)  # the parent died before it could be watched
        _enter_namespaces()
        terminated = _notice_sigterm()
        alive_read, alive_write = os.pipe()
        init = os.fork()
    except (LabError, OSError) as error:
        refusal = error if isinstance(error, LabError) else as_refusal(error)
        if refusal is None:
            raise
        messages.send(("error", refusal))
        os._exit(1)
    if init == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(terminated)
        os.close(alive_write)
        _become_init(messages, alive_read, preload, traced=traced)
    messages.close()
    os.close(alive_read)
    _supervise(parent, init, terminated)


def _notice_sigterm() -> int:
    """A descriptor that becomes readable with SIGTERM.

    A handler alone would not do: Python would not notice a signal that arrives after it has
    last checked for handlers to run and before the poll(2) that follows.
    """
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writable)
    signal.signal(signal.SIGTERM, lambda *_: None)
    return readable


def _supervise(parent: int, init: int, terminated: int) -> None:
    """Wait until parent or init ends, or for SIGTERM; then end the init."""
    supervised = os.pidfd_open(init)
    poll = select.poll()
    for descriptor in (parent, supervised, terminated):
        poll.register(descriptor, select.POLLIN)
    poll.poll()
    signal.pidfd_send_signal(supervised, signal.SIGKILL)  # a zombie takes it as well
    os.waitpid(init, 0)
    os._exit(0)


def _enter_namespaces() -> None:
    """Unshare the namespaces, inside a user namespace if this process lacks capabilities."""
    flags = libc.CLONE_NEWNS | libc.CLONE_NEWPID | libc.CLONE_NEWNET
    uid, gid = os.geteuid(), os.getegid()
    advice = "`wirelab doctor` says what forbids it"
    if uid != 0:
        advice = "run with sudo, or `wirelab doctor` says how to allow unprivileged user namespaces"
    privileged = has_capabilities("CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_NET_RAW")
    if privileged:
        note_owner()
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


def _become_init(
    messages: MessageSocket, supervisor_alive: int, preload: str, *, traced: bool
) -> None:
    """Prepare the mounts, then serve calls until the socket closes; never returns."""
    libc.kill_me_with_my_parent(signal.SIGKILL)
    if select.select([supervisor_alive], [], [], 0)[0]:
        os._exit(1)  # the supervisor died before its death was bound to ours
    try:
        try:
            _prepare_mounts()
        except LabError as error:
            messages.send(("error", error))
            os._exit(1)
        messages.send(("ready", None))
        if traced:
            trace_start.begin_early()
        _preload(messages, preload)
        gc.freeze()
        gc.enable()
        while True:
            function, arguments, talks = messages.receive()
            if talks:
                arguments = (Talk(messages), *arguments)
            messages.send(_outcome(function, arguments))
    except (PeerGone, CallerGone):
        os._exit(0)
    except BaseException as error:
        if (refusal := as_refusal(error)) is None:
            traceback.print_exc()
        else:
            with suppress(PeerGone):
                messages.send(("error", refusal))
        os._exit(1)


def _preload(messages: MessageSocket, module: str) -> None:
    """Import the module. If that fails, answer the first call with the error, and exit."""
    try:
        importlib.import_module(module)
    except LabError as error:
        messages.send(("error", error))
    except ModuleNotFoundError as error:
        advice = "`make` sets up the project's .venv"
        messages.send(("error", MachineError(f"{error.name} is not installed; {advice}")))
    else:
        return
    os._exit(1)


def _outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    """A call's result as it is sent back: what kind it is, and the value."""
    try:
        return "value", function(*arguments)
    except CallerGone:
        raise
    except LabError as error:
        return "error", as_refusal(error) or error
    except Exception as error:
        if (refusal := as_refusal(error)) is not None:
            return "error", refusal
        return "crash", traceback.format_exc()


def _prepare_mounts() -> None:
    """Private mounts: a /run for names of namespaces and sockets, a /proc of this pid namespace.

    The whole of /run is covered, because a folder made in it would be left behind on the host.
    """
    libc.mount("none", "/", None, libc.MS_REC | libc.MS_PRIVATE)
    flags = libc.MS_NOSUID | libc.MS_NODEV
    libc.mount("tmpfs", "/run", "tmpfs", flags, "mode=755")
    NETNS_DIRECTORY.mkdir()
    SHARED_DIRECTORY.mkdir()
    SECRETS_DIRECTORY.mkdir()
    SECRETS_DIRECTORY.chmod(0o711)
    try:
        libc.mount("proc", "/proc", "proc", flags | libc.MS_NOEXEC)
    except KernelRefused as error:
        raise KernelRefused(
            f"{error}; in a container, start it with systempaths=unconfined"
        ) from error.__cause__
