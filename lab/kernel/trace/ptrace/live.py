"""Calls reported while they are made, from a tracer process to the init, without ever waiting."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Iterator

from lab.kernel.trace.ptrace.calls import CallFacts, StoppedCall

MESSAGE_BYTES = 1 << 18
_ROOM_BYTES = 1 << 20


def live_pair() -> tuple[socket.socket, socket.socket]:
    """The init's end and the tracer's, neither of which waits. Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM_BYTES)
    for end in (ours, theirs):
        end.setblocking(False)
    return ours, theirs


class LiveFeed:
    """The tracer's end."""

    def __init__(self, theirs: socket.socket) -> None:
        self._socket = theirs
        self._lost = 0

    def tell(self, call: StoppedCall) -> None:
        """Tell of a call as far as it is known; where there is no room it is counted."""
        message = pickle.dumps((self._lost, call.record()), pickle.HIGHEST_PROTOCOL)
        try:
            self._socket.send(message)
        except OSError:
            self._lost += 1
        else:
            self._lost = 0


def read_live(ours: socket.socket) -> Iterator[tuple[int, CallFacts]]:
    """What has come, each with how many before it were lost."""
    while True:
        try:
            message = ours.recv(MESSAGE_BYTES)
        except (BlockingIOError, ConnectionResetError):
            return
        if not message:
            return
        yield pickle.loads(message)
