"""`wirelab replay`: a recorded run, judged again."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Judge the run in a folder again, and print its report."""
    from lab.cli.results import print_report
    from lab.results import exit_status
    from lab.run import replay

    result = replay(options.folder, folder_of_scenarios=options.scenarios)
    print_report(result, options)
    return exit_status([result])
