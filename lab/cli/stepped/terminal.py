"""Whether there is a terminal to show something on."""

from __future__ import annotations

import os

from lab.errors import UsageError


def need_terminal() -> None:
    """Raise UsageError where nobody types, or sees what is shown."""
    if not all(map(os.isatty, range(3))):
        raise UsageError("this needs a terminal: standard input, output or error is none")
