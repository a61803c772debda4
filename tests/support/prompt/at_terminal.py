"""`wirelab shell` at a terminal of the test's: what is typed, and what is seen."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

from outside import DEADLINE_S, command, environment

PROMPT = b"wirelab> "
BEGINNING_S = 30.0


class AtTerminal:
    """A session whose terminal this is; use it in a with statement."""

    def __init__(self, out: Path, *words: str, **variables: str) -> None:
        self.folder = out
        self._near, far = os.openpty()
        self.seen = b""
        """All that was seen and not yet expected."""
        self.resize(30, 100)
        self.before = termios.tcgetattr(far)
        self._far = far
        self.process = subprocess.Popen(
            command("shell", "two", "--out", out, "-q", "--no-pager", *words),
            cwd=out,
            env=environment(TERM="dumb", **variables),
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self) -> AtTerminal:
        self.expect(PROMPT, BEGINNING_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._near)
        os.close(self._far)

    def type(self, keys: bytes) -> None:
        os.write(self._near, keys)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._near, termios.TIOCSWINSZ, struct.pack("=HHHH", rows, columns, 0, 0))

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal has the attributes that it had."""
        return termios.tcgetattr(self._far) == self.before

    def expect(self, wanted: bytes, deadline_s: float = DEADLINE_S) -> bytes:
        """Wait until it is seen; all that was seen up to its end."""
        end = time.monotonic() + deadline_s
        while wanted not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._near], [], [], left)[0]:
                raise AssertionError(f"{wanted!r} was not seen; this was: {self.seen!r}")
            self.seen += os.read(self._near, 1 << 16)
        found, _, self.seen = self.seen.partition(wanted)
        return found + wanted

    def line(self, line: str) -> bytes:
        """Type a line; all that is seen until the next prompt."""
        self.type(line.encode() + b"\n")
        return self.expect(PROMPT)

    def quit(self) -> tuple[int, str]:
        """The exit status, and all that is seen until the end."""
        self.type(b"quit\n")
        self.expect(b"shell over IPv", BEGINNING_S)
        while self.process.poll() is None or select.select([self._near], [], [], 0)[0]:
            if select.select([self._near], [], [], 0.05)[0]:
                self.seen += os.read(self._near, 1 << 16)
        return self.process.wait(), self.seen.decode()
