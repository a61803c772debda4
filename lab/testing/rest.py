"""Asking the lab when all other programs of a run have come to rest: what did not come never will.

For functions that run on hosts: it needs the standard library alone. Where the lab answers no such
question, as in runs without submissions, nothing ever rests. docs/grading-programs.md says what
rest is.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
from collections.abc import Sequence
from itertools import count

_SLICE_S = 0.05
_ANSWER_BYTES = 4096


class Rest:
    """One question at a time, by the descriptor that is named in REST_FD."""

    def __init__(self, descriptor: int | None) -> None:
        self.was_reached = False
        """Whether that ended the last wait."""
        self._descriptor = descriptor
        self._numbers = count(1)
        self._asked = b""

    def wait(
        self,
        reads: Sequence[socket.socket],
        writes: Sequence[socket.socket],
        seconds: float,
    ) -> tuple[bool, bool]:
        """Whether there is something to read, and whether something can be sent, once there is.

        Or once nothing can come any more, or after so many seconds. It is waited for in many short
        waits, each of which lasts longer on a busy machine: so the program that is waited for has a
        share of it as well.
        """
        self.was_reached = False
        try:
            for number in range(max(1, round(seconds / _SLICE_S))):
                if number == 1:  # most waits end before
                    self._ask()
                found = self._look(reads, writes, min(seconds, _SLICE_S))
                if any(found):
                    return found
                if self.was_reached:
                    # The last of it may have come together with the answer.
                    return self._look(reads, writes, 0.0)
        finally:
            self._take_back()
        return False, False

    def _look(
        self,
        reads: Sequence[socket.socket],
        writes: Sequence[socket.socket],
        seconds: float,
    ) -> tuple[bool, bool]:
        is_awaited = self._descriptor is not None and self._asked and not self.was_reached
        places = [each.fileno() for each in reads]
        if is_awaited and self._descriptor is not None:
            places.append(self._descriptor)
        readable, writable, _ = select.select(places, writes, (), seconds)
        if is_awaited and self._descriptor in readable:
            readable.remove(self._descriptor)
            self.was_reached = self._is_answered()
        return bool(readable), bool(writable)

    def _ask(self) -> None:
        if self._descriptor is not None:
            self._asked = b"%d" % next(self._numbers)
            self._write(self._asked)

    def _take_back(self) -> None:
        if self._asked and not self.was_reached:
            self._write(b"")
        self._asked = b""

    def _write(self, line: bytes) -> None:
        assert self._descriptor is not None, "asked"
        with contextlib.suppress(OSError):
            os.write(self._descriptor, line + b"\n")

    def _is_answered(self) -> bool:
        """Whether the answer is to this question, and not to one that was taken back too late."""
        assert self._descriptor is not None, "asked"
        return self._asked in os.read(self._descriptor, _ANSWER_BYTES).split(b"\n")


def _descriptor() -> int | None:
    named = os.environ.get("REST_FD", "")
    return int(named) if named.isdigit() else None


REST = Rest(_descriptor())
"""That of this process."""
