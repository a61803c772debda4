"""A server that forks a process for each thing that it is asked to do, and what asks it.

What is asked and what is answered are bytes. Each question is a message on a socket (unix(7),
SOCK_SEQPACKET) with a pipe, by which the answer comes: so any thread may ask, several at a time.
When whoever asked dies, the server ends its processes and itself.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, Protocol

MOST_ASKED_BYTES = 1 << 16
_DONE = b"done"
_WHY_BYTES = 4096


class Beside(Protocol):
    """What a server serves as well, for the processes that it forks."""

    def fileno(self) -> int:
        """Readable when `serve` has something to do."""

    def serve(self) -> None:
        """Do it, without waiting long."""

    def leave(self) -> None:
        """Called in each process that is forked: close what the server alone is to have."""

    def end(self) -> None:
        """Called when all of them have ended."""


def ask(server: socket.socket, what: bytes) -> tuple[bytes, str]:
    """What was answered, and why nothing was, in words; "" where something was."""
    if len(what) > MOST_ASKED_BYTES:
        raise ValueError(f"{len(what)} bytes cannot be asked: {MOST_ASKED_BYTES} at most")
    reading, writing = os.pipe()
    try:
        with suppress(OSError):
            socket.send_fds(server, [what], [writing])
    finally:
        os.close(writing)
    with open(reading, "rb") as said:  # noqa: PTH123  a descriptor
        told = said.read()
    if told.startswith(_DONE):
        return told.removeprefix(_DONE), ""
    return b"", told.decode("utf-8", "replace") or "its process was killed"


def serve(
    server: socket.socket,
    do: Callable[[bytes], bytes],
    clear: Callable[[], None] = lambda: None,
    begin_beside: Callable[[], Beside | None] = lambda: None,
) -> NoReturn:
    """A server's life, in a process of one thread: it exits when nobody asks any more.

    `do` is called in the processes, and `clear` once all of them have ended. `begin_beside` is
    called first.
    """
    status = 1
    under_way: set[int] = set()
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when who asks does
        waking, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(server, selectors.EVENT_READ)
            selector.register(waking, selectors.EVENT_READ)
            beside = begin_beside()
            if beside is not None:
                selector.register(beside, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if waking in ready:
                    with suppress(BlockingIOError):
                        os.read(waking, 4096)
                    _reap(under_way)
                if beside is not None and beside.fileno() in ready:
                    beside.serve()
                if server.fileno() in ready and not _answer(server, do, under_way, beside):
                    break
        status = 0
        for pid in under_way:
            os.kill(pid, signal.SIGTERM)
        for pid in under_way:
            os.waitpid(pid, 0)
        if beside is not None:
            beside.end()
        clear()
    finally:
        os._exit(status)


def _answer(
    server: socket.socket,
    do: Callable[[bytes], bytes],
    under_way: set[int],
    beside: Beside | None,
) -> bool:
    """Fork a process for what is asked; False where nobody asks any more."""
    data, descriptors, _, _ = socket.recv_fds(server, MOST_ASKED_BYTES, 1)
    if not descriptors:
        return False
    (writing,) = descriptors
    os.set_inheritable(writing, False)  # what a process starts does not keep it open
    pid = os.fork()
    if pid == 0:
        server.close()
        if beside is not None:
            beside.leave()
        _work(do, data, writing)
    os.close(writing)
    under_way.add(pid)
    return True


def _work(do: Callable[[bytes], bytes], what: bytes, writing: int) -> NoReturn:
    """A process's life."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        said = _DONE + do(what)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:_WHY_BYTES] or b"?"
    with suppress(OSError), open(writing, "wb", closefd=False) as answer:
        answer.write(said)
    os._exit(0)


def _reap(under_way: set[int]) -> None:
    for pid in [*under_way]:
        with suppress(ChildProcessError):
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                under_way.discard(pid)
