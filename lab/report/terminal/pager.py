"""What is longer than the terminal, in a pager, as git does it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which
from typing import TextIO

DEFAULT = "less"
LESS = "FRX"
"""End at once what fits the screen, obey colours and nothing else, leave the screen as it is."""


@contextmanager
def paged(wanted: bool) -> Iterator[TextIO]:
    """Where to print to: a pager on a terminal, standard output elsewhere or where none is wanted.

    $PAGER is the pager's command, given to the shell; an empty one, or `cat`, is none. It is waited
    for at the end, and whoever leaves it early misses only what would have been printed.
    """
    command = os.environ.get("PAGER", DEFAULT).strip()
    is_there = command not in ("", "cat") and (command != DEFAULT or which(DEFAULT))
    if not (wanted and is_there and sys.stdout.isatty()):
        yield sys.stdout
        return
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        env={"LESS": LESS, "LV": "-c"} | os.environ,
    )
    assert process.stdin is not None
    pipe = _Pipe(process.stdin, encoding=sys.stdout.encoding, errors=sys.stdout.errors)
    # The pager's own keys, Ctrl-C among them, are not ours while it shows something.
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        yield pipe
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            pipe.close()
            process.wait()
        finally:
            signal.signal(signal.SIGINT, interrupt)


class _Pipe(io.TextIOWrapper):
    """A pipe to a reader who may leave."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            return

    def close(self) -> None:
        try:
            super().close()
        except BrokenPipeError:
            return
