"""A folder that one command at a time writes to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import UsageError


@contextmanager
def alone_in(folder: Path, doing: str) -> Iterator[None]:
    """The block has the folder to itself, until it or its process ends. Source: flock(2).

    Raises UsageError where somebody else has it, who is `doing` so: "another sweep is writing to".
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"{doing} {folder}; use --out DIR") from None
    else:
        yield
    finally:
        os.close(descriptor)
