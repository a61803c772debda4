"""`wirelab diff`: two runs of one scenario against each other."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Print what differs, or write it as a page; the status is 0 where nothing does but times."""
    from lab.analysis.difference.difference import compare_runs
    from lab.errors import UsageError
    from lab.run import judged

    first, second = (
        judged(folder, folder_of_scenarios=options.scenarios)
        for folder in (options.first, options.second)
    )
    if first.scenario != second.scenario:
        raise UsageError(
            f"{options.first} is a run of {first.scenario} and {options.second} one of "
            f"{second.scenario}: runs of one scenario can be compared"
        )
    difference = compare_runs(
        (first.timelines, first.judgements), (second.timelines, second.judgements)
    )
    if options.html:
        from pathlib import Path

        from lab.derive import write_text
        from lab.report.html.diff_page import diff_page

        page = diff_page(difference, options.first, options.second, first.title)
        write_text(page, Path(options.html))
        print(options.html)
    else:
        from lab.report.terminal.difference import draw_difference
        from lab.report.terminal.page import Page

        page_ = Page(ascii_only=options.ascii)
        page_.print(draw_difference(difference, page_.style))
    return 0 if difference.is_same else 1
