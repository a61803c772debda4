"""That something is being done, for whoever waits at a terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab.errors import printable

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


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Show a bar on standard error; what is yielded takes how many are done, and what is said.

    Nothing where standard error is no terminal. It is gone when the block ends, and its thread is
    not there before it is called.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda done, said: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}", markup=False),
    )
    progress = Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = progress.add_task(what, total=total, said="")

    def tell(done: int, said: str) -> None:
        progress.start()
        progress.update(task, completed=done, said=printable(said))

    try:
        yield tell
    finally:
        progress.stop()


def _show(what: str, over: threading.Event) -> None:
    if over.wait(PATIENCE_S):
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        over.wait()
