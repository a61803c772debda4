"""Textual, which is an extra: whether it is there."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from lab.errors import MachineError

INSTALL = "-m pip install 'wirelab[step]'"
"""Behind the interpreter's name: of a checkout it is that of .venv, whose wirelab has the extra."""


def need_textual() -> None:
    """Raise MachineError with the line that installs it, where Textual is missing."""
    if find_spec("textual") is None:
        raise MachineError(
            f"this needs Textual, which is not installed; to mend: {sys.executable} {INSTALL}"
        )
