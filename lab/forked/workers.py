"""Things of one program done each in a process of its own: none reaches another.

A server is forked first, while this process has one thread, and has imported what is needed. It
forks a worker for each thing, which so need not import anything.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from lab.forked.server import Beside, ask, serve

_NUMBER_BYTES = 4


class Workers:
    """Called with a number it has that done in a process, and waits for its end."""

    def __init__(
        self,
        do: Callable[[int], None],
        clear: Callable[[], None] = lambda: None,
        begin_beside: Callable[[], Beside | None] = lambda: None,
    ) -> None:
        """Fork the server, while there is one thread.

        `do` is called in the workers, and `clear` once all have ended and no more is asked.
        `begin_beside` is called in the server first.
        """

        def do_it(data: bytes) -> bytes:
            do(int.from_bytes(data, "big"))
            return b""

        self._asked, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with server:
            self._pid = os.fork()
            if self._pid == 0:
                self._asked.close()
                serve(server, do_it, clear, begin_beside)

    def __call__(self, number: int) -> str:
        """Why it was not done, in words; "" where it was. From any thread."""
        _, why = ask(self._asked, number.to_bytes(_NUMBER_BYTES, "big"))
        return why

    def close(self) -> None:
        """End the server and what it has under way."""
        self._asked.close()
        os.waitpid(self._pid, 0)
