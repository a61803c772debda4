"""Starts the collector of tracefs' events early, since it takes long to become ready.

To change an instance's clock or size the kernel waits for every CPU, some 25 ms each. The init
starts the collector before it imports what builds a topology, and the collector has its instances
made before it imports what it is.

Where many runs are made by processes that one has forked, that one may lend them a collector
(keeper.py), which is ready already.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from lab.errors import KernelRefused
from lab.kernel.system.message_socket import MessageSocket, PeerGone
from lab.kernel.trace.tracefs.instance import has_owner, mount_tracefs
from lab.kernel.trace.tracefs.instance_pair import InstancePair

if TYPE_CHECKING:
    from lab.kernel.trace.tracefs.collector import Collector

INIT = 1
"""The init's pid in its sandbox."""
PRIORITY = -10
"""The collector's niceness: it must not wait for a CPU while the programs fill a buffer."""
SWITCH_S = 0.0002
"""How long a thread of it that computes keeps one waiting that the kernel has answered. Making an
instance takes a dozen calls, which Python's 5 ms would make 60 ms."""


class Started(NamedTuple):
    """A collector that runs."""

    messages: MessageSocket
    pid: int | None
    """That of this process's child; None of a collector that is lent."""


_started: Started | None = None
_lender: socket.socket | None = None


def borrow_from(lender: socket.socket) -> None:
    """Have the sandboxes of this process, and of those forked from it, ask there for a collector.

    It is a unix(7) socket of messages (SOCK_SEQPACKET). Each is a stream socket, by which the
    collector is to serve the sandbox's init, and the pidfd of that init.
    """
    global _lender
    _lender = lender


def descriptors_to_borrow() -> tuple[int, ...]:
    """What a sandbox that is forked has to keep open to ask for a collector."""
    return () if _lender is None else (_lender.fileno(),)


def begin_early() -> None:
    """Start the collector for a later TracefsTracer, if this process can have one.

    If it cannot, `TracefsTracer.why_not` says why later.
    """
    global _started
    # OSError: where a limit on descriptors or processes is the cause, the run finds out.
    try:
        if has_owner():
            mount_tracefs()
            _started = _borrow() or start_collector()
    except (KernelRefused, OSError):
        return


def take_started() -> Started:
    """The collector that was started early; a new one if there is none or it was taken."""
    global _started
    started, _started = _started, None
    return started or start_collector()


def end_started() -> None:
    """End the collector that was started early, if any: another instrument is used.

    It would be mistaken for a process that a program has left running.
    """
    global _started
    started, _started = _started, None
    if started is not None:
        started.messages.close()
        if started.pid is not None:
            os.kill(started.pid, signal.SIGKILL)
            os.waitpid(started.pid, 0)


def _borrow() -> Started | None:
    """A collector that is lent; None where nobody lends any, or not any more."""
    if _lender is None:
        return None
    ours, theirs = socket.socketpair()
    me = os.pidfd_open(os.getpid())
    try:
        with theirs:
            socket.send_fds(_lender, [b"lend"], [theirs.fileno(), me])
    except OSError:
        ours.close()
        return None
    finally:
        os.close(me)
    return Started(MessageSocket(ours), None)


def start_collector() -> Started:
    """Start a collector as a child process."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _collect(MessageSocket(theirs))
    theirs.close()
    return Started(MessageSocket(ours), pid)


def become_collector(without: Collection[int]) -> Collector:
    """The collector that this process is from now on; see Collector for `without`."""
    with suppress(OSError):  # in some containers even root may not: then it is as others are
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    sys.setswitchinterval(SWITCH_S)
    instances = InstancePair()
    # Imported only by the process that needs it.
    from lab.kernel.trace.tracefs.collector import Collector

    gc.freeze()
    gc.enable()  # off since the supervisor's start
    return Collector(instances, without)


def _collect(messages: MessageSocket) -> None:
    """Serve as the collector of this sandbox; never returns."""
    status = 1
    try:
        become_collector({INIT, os.getpid()}).serve(messages)
        status = 0
    except BaseException as error:
        from lab.kernel.system.limits import as_refusal

        if (refusal := as_refusal(error)) is None:
            traceback.print_exc()
        else:
            with suppress(PeerGone):
                messages.send(("error", refusal))
    finally:
        os._exit(status)
