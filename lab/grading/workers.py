"""Things done each in a process of its own, which ends with it: none reaches another.

A server is forked first, while this process has one thread, and has imported what is needed. It
forks a worker for each thing, which so need not import anything. When whoever asked dies, the
server ends its workers and itself.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

_DONE = b"done"
_NUMBER_BYTES = 4


class Workers:
    """Called with a number it has that done in a process, and waits for its end."""

    def __init__(self, do: Callable[[int], None], clear: Callable[[], None] = lambda: None) -> None:
        """Fork the server, while there is one thread.

        `do` is called in the workers, and `clear` once all have ended and no more is asked.
        """
        self._asked, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with server:
            self._pid = os.fork()
            if self._pid == 0:
                self._asked.close()
                _serve(server, do, clear)

    def __call__(self, number: int) -> str:
        """Why it was not done, in words; "" where it was. From any thread."""
        reading, writing = os.pipe()
        try:
            with suppress(OSError):
                socket.send_fds(self._asked, [number.to_bytes(_NUMBER_BYTES, "big")], [writing])
        finally:
            os.close(writing)
        with open(reading, "rb") as said:  # noqa: PTH123  a descriptor
            told = said.read()
        if told.startswith(_DONE):
            return ""
        return told.decode("utf-8", "replace") or "its process was killed"

    def close(self) -> None:
        """End the server and what it has under way."""
        self._asked.close()
        os.waitpid(self._pid, 0)


def _serve(server: socket.socket, do: Callable[[int], None], clear: Callable[[], None]) -> None:
    """The server's life: it never returns."""
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
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if waking in ready:
                    with suppress(BlockingIOError):
                        os.read(waking, 4096)
                    _reap(under_way)
                if server.fileno() in ready and not _answer(server, do, under_way):
                    break
        status = 0
        for pid in under_way:
            os.kill(pid, signal.SIGTERM)
        for pid in under_way:
            os.waitpid(pid, 0)
        clear()
    finally:
        os._exit(status)


def _answer(server: socket.socket, do: Callable[[int], None], under_way: set[int]) -> bool:
    """Fork a worker for what is asked; False where nobody asks any more."""
    data, descriptors, _, _ = socket.recv_fds(server, _NUMBER_BYTES, 1)
    if not data or not descriptors:
        return False
    (writing,) = descriptors
    os.set_inheritable(writing, False)  # what a worker starts does not keep it open
    pid = os.fork()
    if pid == 0:
        server.close()
        _work(do, int.from_bytes(data, "big"), writing)
    os.close(writing)
    under_way.add(pid)
    return True


def _work(do: Callable[[int], None], number: int, writing: int) -> None:
    """A worker's life: it never returns."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        do(number)
        said = _DONE
    except BaseException as error:
        said = f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:4096] or b"?"
    with suppress(OSError):
        os.write(writing, said)
    os._exit(0)


def _reap(under_way: set[int]) -> None:
    for pid in [*under_way]:
        with suppress(ChildProcessError):
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                under_way.discard(pid)
