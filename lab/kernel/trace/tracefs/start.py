"""How the collector of tracefs' events is started: early, for what it has to wait for takes long.

An instance's clock and size are changed only after the kernel has waited for every CPU, some
25 ms each. The first process has that begun before it imports what builds a topology.
"""

from __future__ import annotations

import os
import signal
import socket
import traceback
from typing import NamedTuple

from lab.errors import KernelRefused
from lab.kernel.system.channel import Channel
from lab.kernel.trace.tracefs.instance import has_owner, mount_tracefs


class Started(NamedTuple):
    """A collector at work."""

    channel: Channel
    pid: int


_started: Started | None = None


def begin_early() -> None:
    """Start the collector for the tracer that will come, where there can be one.

    Where there cannot, `TracefsTracer.why_not` says why once it is asked.
    """
    global _started
    try:
        if has_owner():
            mount_tracefs()
            _started = start_collector()
    except KernelRefused:
        return


def take_started() -> Started:
    """The collector that was started early, once; else a new one."""
    global _started
    started, _started = _started, None
    return started or start_collector()


def end_started() -> None:
    """End the collector that was started early, if it was, where another instrument is taken.

    It would be taken for a process that a program has left behind.
    """
    global _started
    started, _started = _started, None
    if started is not None:
        started.channel.close()
        os.kill(started.pid, signal.SIGKILL)
        os.waitpid(started.pid, 0)


def start_collector() -> Started:
    """A collector. Its process is a child of this one."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _collect(Channel(theirs))
    theirs.close()
    return Started(Channel(ours), pid)


def _collect(channel: Channel) -> None:
    """Be the collector; never returns."""
    status = 1
    try:
        # Imported by the one process that needs it.
        from lab.kernel.trace.tracefs.collector import Collector

        Collector(channel).serve()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
