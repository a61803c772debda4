"""`wirelab play`: a recorded run, walked through."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Show the run in a folder, until whoever looks has seen enough."""
    from lab.cli.stepped.terminal import need_terminal
    from lab.screen.needed import need_textual

    need_textual()
    need_terminal()
    from lab.run import judged
    from lab.screen.play import play
    from lab.stepping.playing import Playing
    from lab.stepping.recorded import played

    result = judged(options.folder, folder_of_scenarios=options.scenarios)
    runs = tuple(played(timeline, result.scenario) for timeline in result.timelines)
    play(Playing(runs))
    return 0
