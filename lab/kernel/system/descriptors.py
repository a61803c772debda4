"""Descriptors that a forked process has of its parent's, and does not want. Source: fork(2)."""

from __future__ import annotations

import os
from collections.abc import Collection


def leave_descriptors_but(kept: Collection[int]) -> None:
    """Close all descriptors from 3 on but these.

    A reader of a pipe or a socket that were held open here would never see its end.
    """
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))
