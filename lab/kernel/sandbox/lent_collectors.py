"""Collectors of what BPF records that are lent to the runs which threads of this process make.

A process with threads forks no sandbox (sandbox/starting.py), and so cannot keep collectors itself
either, which are forked when they are first asked for. A process beside it does, which is forked
while it has one thread yet.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from lab.kernel.sandbox.starting import may_fork
from lab.kernel.trace.collecting.pool import CollectorPool


@contextmanager
def lent_collectors() -> Iterator[None]:
    """Have the runs that are made meanwhile, by any thread, borrow their collectors.

    Each would make its own else (lab.kernel.trace.collecting.pool), which it does all the same
    where this process must not fork (may_fork). Raises OSError.
    """
    if not may_fork():
        yield
        return
    pool = CollectorPool()
    ours, theirs = socket.socketpair()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # An interrupt is for the command: it ends, and with it this.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        pid = os.fork()
        if pid == 0:
            ours.close()
            _keep(pool, theirs)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    theirs.close()
    pool.leave()
    with ours:
        yield
    os.waitpid(pid, 0)


def _keep(pool: CollectorPool, lives: socket.socket) -> NoReturn:
    """The pool's life, until the socket of whoever borrows is closed."""
    status = 1
    try:
        os.setsid()
        poll = select.poll()
        poll.register(pool, select.POLLIN)
        poll.register(lives, select.POLLIN)
        while lives.fileno() not in (ready for ready, _ in poll.poll()):
            pool.serve()
        pool.end()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
