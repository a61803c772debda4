"""Starts the collector of what BPF records early, since it takes long to become ready.

It looks through the kernel's types and loads some twenty programs, which takes 60 ms of a CPU. The
init starts it before it imports what builds a topology.

Where many runs are made by processes that one has forked, that one may lend them a collector
(pool.py), which is ready already.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from lab.kernel.system.message_socket import MessageSocket, PeerGone
from lab.kernel.system.owner import has_owner

if TYPE_CHECKING:
    from lab.kernel.trace.collecting.collector import Collector

PRIORITY = -10
"""The collector's niceness: it must not wait for a CPU while the programs fill a ring."""


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


def why_no_collector() -> str:
    """Why a sandbox cannot have one, in a few words; "" if it can."""
    if not has_owner():
        return "root's own capabilities are needed"
    # Imported here: what has no owner does not need it.
    from lab.kernel.trace.bpf.probe import why_no_bpf

    return why_no_bpf()


def begin_early() -> None:
    """Start the collector for a later BpfTracer, if this process can have one.

    If it cannot, `BpfTracer.why_not` says why later.
    """
    global _started
    # OSError: where a limit on descriptors or processes is the cause, the run finds out.
    try:
        if not why_no_collector():
            _started = _borrow() or start_collector()
    except OSError:
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
        end(started)


def end(started: Started) -> None:
    """End a collector, and wait for its end, or give it back."""
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


def become_collector() -> Collector:
    """The collector that this process is from now on."""
    with suppress(OSError):  # in some containers even root may not: then it is as others are
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    # Imported only by the process that needs it.
    from lab.kernel.trace.collecting.collector import Collector

    gc.freeze()
    gc.enable()  # off since the supervisor's start
    return Collector()


def _collect(messages: MessageSocket) -> None:
    """Serve as the collector of this sandbox; never returns."""
    status = 1
    try:
        become_collector().serve(messages)
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
