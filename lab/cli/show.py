"""`wirelab show`: the flows of any capture file."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Print the ladder of each flow of a file."""
    from lab.report.terminal.page import Page, draw_capture
    from lab.run import read_file

    shown = read_file(options.file)
    page = Page(ascii_only=options.ascii)
    page.print(
        draw_capture(shown.crossings, shown.flows, shown.conversations, shown.canaries, page.style)
    )
    return 0
