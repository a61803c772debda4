"""Starts the collector of tracefs' events early, since it takes long to become ready.

To change an instance's clock or size the kernel waits for every CPU, some 25 ms each. The init
starts the collector before it imports what builds a topology, and the collector has its instances
made before it imports what it is.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import NamedTuple

from lab.errors import KernelRefused
from lab.kernel.system.message_socket import MessageSocket, PeerGone
from lab.kernel.trace.tracefs.instance import has_owner, mount_tracefs
from lab.kernel.trace.tracefs.instance_pair import InstancePair

PRIORITY = -10
"""The collector's niceness: it must not wait for a CPU while the programs fill a buffer."""
SWITCH_S = 0.0002
"""How long a thread of it that computes keeps one waiting that the kernel has answered. Making an
instance takes a dozen calls, which Python's 5 ms would make 60 ms."""


class Started(NamedTuple):
    """A collector that runs."""

    messages: MessageSocket
    pid: int


_started: Started | None = None


def begin_early() -> None:
    """Start the collector for a later TracefsTracer, if this process can have one.

    If it cannot, `TracefsTracer.why_not` says why later.
    """
    global _started
    # OSError: where a limit on descriptors or processes is the cause, the run finds out.
    try:
        if has_owner():
            mount_tracefs()
            _started = start_collector()
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
        os.kill(started.pid, signal.SIGKILL)
        os.waitpid(started.pid, 0)


def start_collector() -> Started:
    """Start a collector as a child process."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _collect(MessageSocket(theirs))
    theirs.close()
    return Started(MessageSocket(ours), pid)


def _collect(messages: MessageSocket) -> None:
    """Serve as the collector; never returns."""
    status = 1
    try:
        with suppress(OSError):  # in some containers even root may not: then it is as others are
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        sys.setswitchinterval(SWITCH_S)
        instances = InstancePair()
        # Imported only by the process that needs it.
        from lab.kernel.trace.tracefs.collector import Collector

        gc.freeze()
        gc.enable()  # off since the supervisor's start
        Collector(messages, instances).serve()
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
