"""`wirelab compare`: the same messages over TCP, UDP and unix, side by side."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.results import Result


def execute(options: Namespace) -> int:
    """Run the scenario `compare`; a table of its steps, then its claims."""
    from lab.model.family import Family
    from lab.run import run_scenario
    from lab.scenario_files import builtin_scenarios

    def present(result: Result) -> None:
        from lab.analysis.comparison import compare_steps
        from lab.cli.results import replay_command
        from lab.report.terminal.page import Page, draw_closing, draw_summary
        from lab.report.terminal.tables import draw_comparison

        page = Page(ascii_only=options.ascii)
        page.print(draw_comparison(compare_steps(result.timelines), page.style))
        page.print(draw_summary("Claims", result.judgements, page.style, result.failures))
        replay = replay_command(result.folder)
        page.print(draw_closing(result.judgements, result.folder, result.note, replay, page.style))

    compare = builtin_scenarios()["compare"]
    result = run_scenario(compare, Family.IPV4, options.out, options.trace, present)

    from lab.results import exit_status

    return exit_status([result])
