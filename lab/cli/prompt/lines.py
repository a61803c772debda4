"""Where a session's lines come from: options, a script, or somebody who types."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from lab.cli.prompt.interrupts import Interrupts

PROMPT = "wirelab> "


def scripted(given: Sequence[str], interrupts: Interrupts) -> Iterator[str]:
    """The lines given, or those of standard input, each shown as if it had been typed.

    Raises KeyboardInterrupt.
    """
    source = iter(given) if given else iter(sys.stdin.readline, "")
    while True:
        with interrupts.raising():
            line = next(source, None)
        if line is None:
            return
        line = line.removesuffix("\n")
        sys.stdout.write(f"{PROMPT}{line}\n")
        sys.stdout.flush()
        yield line
