"""Parts of the analysis that are remembered while tests run.

Most pure tests judge a recording again with one thing changed. The frames and the lines that
stay need not be read again, which was a third of the time that all pure tests took: a frame or
a program's output is a frozen value, and what it means is another, the same for the same one.
"""

from __future__ import annotations

from functools import lru_cache

from lab.analysis import assembly
from lab.analysis.flows import crossings

VALUES = 20_000
"""More than all recordings have; what is changed at random goes as it came."""


def remember() -> None:
    """From now on read each frame once, and each program's output once."""
    for module, name in ((crossings, "dissect"), (assembly, "parse_transcript")):
        setattr(module, name, lru_cache(VALUES)(getattr(module, name)))
