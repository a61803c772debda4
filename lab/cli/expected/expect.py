"""`wirelab expect`: what can be expected of a run or a capture file, in words."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Print each form with what it means."""
    from textwrap import fill

    from lab.expect.words import WORDS

    assert options.command == "expect", "this is the command that it executes"
    for word in WORDS.values():
        print(word.form)
        print(fill(word.means, 76, initial_indent="    ", subsequent_indent="    "))
    return 0
