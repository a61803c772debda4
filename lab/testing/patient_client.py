"""A TCP client of a test's own, or a sheet's: it says and hears, and waits within bounds.

For functions that run on hosts (`lab.python`): it needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from collections.abc import Callable, Sequence

from lab.testing.rest import REST

REFUSED = "refused"
"""Nobody listens there: a RST answered the SYN (RFC 9293, 3.10.7.1)."""
UNANSWERED = "unanswered"
"""Nothing came in answer to the SYNs, or an ICMP error."""
FIN = "FIN"
"""The other side has closed, or shut down its writing: recv(2) returned 0."""
RST = "RST"
"""The other side has reset the connection."""
TOO_MUCH = "too much"
"""More came than anybody asked for: nothing more of it is read."""

_AGAIN_S = 0.02
_OPENING_S = 3.0
"""For a SYN-ACK that comes again: RFC 6298, 2.1."""
_CHUNK_BYTES = 1 << 16
_FIN_WAIT_2 = 5  # include/net/tcp_states.h
_STUCK_S = 0.5
_LISTENER_S = 0.3
_BEYOND_BYTES = 1 << 20
_GONE = frozenset({errno.ECONNRESET, errno.EPIPE})


def wait_for(
    reads: Sequence[socket.socket], writes: Sequence[socket.socket], seconds: float
) -> tuple[bool, bool]:
    """Whether there is something to read, and whether something can be sent, once there is.

    At the latest after so many seconds, or when nothing can come any more: lab/testing/rest.py.
    """
    return REST.wait(reads, writes, seconds)


class Patience:
    """How long something is waited for that may never come: a listener, bytes, the end.

    The first time it is generous, since a machine may be busy; once it was in vain, the same is
    waited for less long, and after several times hardly at all. A wait that ended since all had
    come to rest was not in vain: it has shown what it should. One may be that of several clients.
    """

    def __init__(self, first_s: float = 2.0, later_s: float = 0.3, most: int = 8) -> None:
        """After `most` times in vain nothing is waited for longer than it takes to look."""
        self.bytes_s = self.end_s = self._listener_s = first_s
        self.opening_s = max(first_s, _OPENING_S)
        self._later_s = later_s
        self._left = most
        self._known: set[int] = set()

    def bytes_never_came(self) -> None:
        """Neither came any, nor could any be sent."""
        if not REST.was_reached:
            self.bytes_s = self._later()

    def end_never_came(self) -> None:
        """The other side did not close."""
        if not REST.was_reached:
            self.end_s = self._later()

    def listener_s(self, port: int) -> float:
        """Nobody waits again for a listener that was there before, or never came."""
        return 0.0 if port in self._known else self._listener_s

    def knows(self, port: int) -> None:
        """Whether somebody listens on that port is known."""
        self._known.add(port)

    def _later(self) -> float:
        self._left -= 1
        return self._later_s if self._left > 0 else min(self._later_s, _AGAIN_S)


class PatientClient:
    """A connection, and all that came of it.

    Its methods return whether it went as wanted, and raise nothing for what the other side does.
    """

    def __init__(
        self,
        address: str,
        port: int,
        patience: Patience | None = None,
        *,
        receive_buffer: int | None = None,
        waits: bool = True,
    ) -> None:
        """Connect to a literal address; while nobody listens yet, again until patience ends.

        `receive_buffer` is the SO_RCVBUF of its socket. Unless it `waits`, the SYN is sent and
        `wait_until_open` is to be called.
        """
        self.got = bytearray()
        """All that came."""
        self.sent = bytearray()
        """All that its socket has taken."""
        self.end = ""
        """How it ended for the client: one of the words above, "" as long as it has not."""
        self.ended_early = False
        """Whether the other side has ended it before `finish` was called."""
        self._is_finished = False
        self._address = address
        self._port = port
        self._patience = patience or Patience()
        self._receive_buffer = receive_buffer
        self._at_once = 0
        """What connect(2) itself said, unless that was that it is under way."""
        self.port = 0
        """Its own port, of the last time it was tried; 0 where it got none."""
        self._socket = self._begun()
        if waits:
            self.wait_until_open()

    @property
    def is_open(self) -> bool:
        """Whether it was opened and has not ended."""
        return not self.end

    def wait_until_open(self) -> bool:
        """Whether the connection is established. Where it is refused it is tried again."""
        began = time.monotonic()
        is_first, is_last = True, False
        while not self.end:
            _, writable = wait_for((), (self._socket,), self._patience.opening_s)
            error = self._at_once or self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if writable and not error:
                self._patience.knows(self._port)
                return True
            if error != errno.ECONNREFUSED:
                self._ends(UNANSWERED)
            elif is_last or time.monotonic() - began > self._patience.listener_s(self._port):
                self._ends(REFUSED)
                self._patience.knows(self._port)
            else:
                self._socket.close()
                if is_first:
                    time.sleep(_AGAIN_S)
                else:
                    wait_for((), (), _LISTENER_S)
                    is_last = REST.was_reached
                is_first = False
                self._socket = self._begun()
        return False

    def say(self, data: bytes) -> bool:
        """Send it, and keep meanwhile what comes. Whether all of it was sent."""
        return self._converse(data, lambda: True)

    def hear(self, number: int) -> bool:
        """Whether so many bytes have come in all, once they have or patience ends."""
        return self._converse(b"", lambda: len(self.got) >= number)

    def finish(self) -> None:
        """Say that nothing more will be sent: a FIN (shutdown(2), SHUT_WR)."""
        self._is_finished = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._was_reset()

    def hear_end(self) -> bool:
        """Whether the other side has ended the connection, once it has or patience ends."""
        while self.is_open:
            readable, _ = wait_for((self._socket,), (), self._patience.end_s)
            if not readable:
                self._patience.end_never_came()
                return False
            self._read()
        return True

    def push(self, data: bytes) -> int:
        """Send without reading anything, until it is sent or nothing moves. How much was sent.

        Nothing moves when the buffers of both sides are full.
        """
        done = 0
        while self.is_open and done < len(data):
            _, writable = wait_for((), (self._socket,), _STUCK_S)
            if not writable:
                break
            done += self._send(data[done:])
        return done

    def wait_until_finished(self) -> bool:
        """Whether the other side has all that was sent and the FIN (FIN-WAIT-2)."""
        until = time.monotonic() + self._patience.bytes_s
        while time.monotonic() < until:
            state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            if state == _FIN_WAIT_2:
                return True
            time.sleep(_AGAIN_S)
        return False

    def close(self) -> None:
        """Close it. With unread bytes that is a RST (RFC 2525, 2.17), else a FIN."""
        self._socket.close()

    def reset(self) -> None:
        """Close it by a RST, whatever is unread (socket(7), SO_LINGER with a time of 0)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _begun(self) -> socket.socket:
        """A socket whose SYN is sent."""
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._receive_buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        said = made.connect_ex((self._address, self._port))
        self._at_once = 0 if said == errno.EINPROGRESS else said
        self.port = made.getsockname()[1]
        return made

    def _converse(self, data: bytes, is_enough: Callable[[], bool]) -> bool:
        """Send and read until all is sent and that is enough; False where it ends before.

        Patience is for each time that nothing moves.
        """
        left = data
        while self.is_open and (left or not is_enough()):
            writes: Sequence[socket.socket] = (self._socket,) if left else ()
            seconds = self._patience.bytes_s
            readable, writable = wait_for((self._socket,), writes, seconds)
            if not readable and not writable:
                self._patience.bytes_never_came()
                return False
            if readable:
                self._read()
            elif writable:
                left = left[self._send(left) :]
        return not left and is_enough()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._ends(RST if error.errno in _GONE else UNANSWERED)
            return
        self.got += data
        if not data:
            self._ends(FIN)
        elif len(self.got) > len(self.sent) + _BEYOND_BYTES:
            self._ends(TOO_MUCH)

    def _send(self, data: bytes) -> int:
        try:
            number = self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._was_reset()
            return 0
        self.sent += data[:number]
        return number

    def _was_reset(self) -> None:
        """Read what came before the RST; its error is reported once, by the call that failed."""
        with contextlib.suppress(OSError):
            while self.is_open and (data := self._socket.recv(_CHUNK_BYTES)):
                self.got += data
        self._ends(RST)

    def _ends(self, how: str) -> None:
        if not self.end:
            self.end = how
            self.ended_early = not self._is_finished and how in (FIN, RST)
