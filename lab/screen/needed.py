"""Textual, which is an extra: whether it is there."""

from __future__ import annotations

from importlib.util import find_spec

from lab.errors import ExtraMissing


def need_textual() -> None:
    """Raise ExtraMissing with the line that installs it, where Textual is missing."""
    if find_spec("textual") is None:
        raise ExtraMissing("this needs Textual", "step")
