"""What a program writes, read from its descriptors and kept within bounds."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field

OUTPUT_LIMIT_BYTES = 1 << 20
READ_BYTES = 1 << 16
_ENDS = frozenset({
    errno.ECONNRESET,  # of a unix stream whose program died with bytes unread
    errno.EIO,  # of a terminal that no process has open
})  # fmt: skip
"""What read(2) says of an output that has ended, besides nothing."""


@dataclass(slots=True)
class Budget:
    """How much of a program's output is kept, whichever of its processes writes it, and where."""

    left: int = OUTPUT_LIMIT_BYTES
    beyond: int = 0
    """Bytes that were read and not kept."""

    def take(self, chunk: bytes) -> bytes:
        """What is kept of a chunk."""
        kept = chunk[: self.left]
        self.left -= len(kept)
        self.beyond += len(chunk) - len(kept)
        return kept


@dataclass(slots=True)
class Output:
    """What is read from one of a program's descriptors."""

    descriptor: int
    budget: Budget = field(default_factory=Budget)
    data: bytearray = field(default_factory=bytearray)
    closed: bool = False
    also: Callable[[bytes], None] | None = None
    """Who gets all that is read, kept or not."""

    def read(self) -> int:
        """Read some of what has arrived, or close at the end of the file; how many bytes."""
        try:
            chunk = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno not in _ENDS:
                raise
            chunk = b""
        self.data += self.budget.take(chunk)
        if not chunk:
            self.close()
        elif self.also is not None:
            self.also(chunk)
        return len(chunk)

    def close(self) -> None:
        """Close the descriptor, unless that was done."""
        if not self.closed:
            os.close(self.descriptor)
            self.closed = True
