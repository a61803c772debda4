"""`wirelab record-test`: a test of pytest from runs that went as they should."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Print the test, or write it."""
    from lab.run import judged
    from lab.testing.record import recorded_test

    text = recorded_test([judged(folder) for folder in options.runs])
    if not options.out:
        print(text, end="")
        return 0
    from pathlib import Path

    from lab.derive import write_text

    write_text(text, Path(options.out))
    print(options.out)
    return 0
