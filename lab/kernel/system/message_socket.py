"""Messages over a stream socket, each a Python value, between the lab's own processes."""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!Q")


class PeerGone(EOFError):
    """The other process closed its end, or died."""


class MessageSocket:
    """One end of a socketpair that carries pickled values.

    Both ends run the lab's own code and start with the same rights, so that pickle's
    trust in its peer is no wider than the trust that started it.
    """

    def __init__(self, endpoint: socket.socket) -> None:
        self._socket = endpoint

    def fileno(self) -> int:
        """The descriptor, for poll."""
        return self._socket.fileno()

    def send(self, value: Any) -> None:  # noqa: ANN401  any picklable value
        """Send one value. Raises PeerGone."""
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self._socket.sendall(_LENGTH.pack(len(data)) + data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise PeerGone("the other end is gone") from error

    def receive(self) -> Any:  # noqa: ANN401  any picklable value
        """Wait for one value and return it. Raises PeerGone."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        return pickle.loads(self._read(length))

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            try:
                count = self._socket.recv_into(view)
            except ConnectionResetError as error:
                raise PeerGone("the other end is gone") from error
            if count == 0:
                raise PeerGone("the other end is gone")
            view = view[count:]
        return data


class CallerGone(EOFError):
    """Whoever has called a function in a sandbox is gone, and its result is nobody's."""


class Talk:
    """The caller of a function that runs in a sandbox, who asks for more while it runs."""

    def __init__(self, messages: MessageSocket) -> None:
        self._messages = messages

    def fileno(self) -> int:
        """Readable when something was asked, or when the caller is gone."""
        return self._messages.fileno()

    def receive(self) -> Any:  # noqa: ANN401  any picklable value
        """What is asked next. Raises CallerGone."""
        try:
            return self._messages.receive()
        except PeerGone as error:
            raise CallerGone(*error.args) from None

    def say(self, value: object) -> None:
        """Tell the caller something. Raises CallerGone."""
        try:
            self._messages.send((SAID, value))
        except PeerGone as error:
            raise CallerGone(*error.args) from None


SAID = "said"
"""The kind of a message that is not yet a function's result."""
