"""That something is being done, for whoever waits at a terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 1.0
"""What is over sooner needs no sign."""


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show `what` with a sign that moves, on standard error, once the block takes its time.

    Nothing where standard error is no terminal. It is gone when the block ends: nothing may be
    printed inside.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(what, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show(what: str, over: threading.Event) -> None:
    if over.wait(PATIENCE_S):
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        over.wait()
