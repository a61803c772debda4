"""`wirelab compare`: the same messages over TCP, UDP and unix, side by side."""

from __future__ import annotations

from contextlib import ExitStack

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
        from lab.cli.results import open_page, replay_command
        from lab.report.terminal.claims import draw_claims_briefly, draw_closing
        from lab.report.terminal.opening import draw_opening
        from lab.report.terminal.tables import draw_table

        with ExitStack() as stack:
            page = open_page(options, stack)
            lesson, judgements, style = result.lesson, result.judgements, page.style
            page.print(draw_opening(result.heading, lesson, judgements, result.failures, style))
            if result.table is not None:
                page.print(draw_table(result.table, style))
            page.print(draw_claims_briefly(judgements, style))
            again = replay_command(result.folder)
            page.print(draw_closing(result.folder, result.note, again, style))

    compare = builtin_scenarios()["compare"]
    result = run_scenario(
        compare,
        Family.IPV4,
        options.out,
        options.trace,
        present,
        notes_lines=options.source,
        keeps_secrets=not options.no_secrets,
    )

    from lab.results import exit_status

    return exit_status([result])
