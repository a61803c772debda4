"""`wirelab scenarios`: all of them in short, then what they decide."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.results import Result


def execute(options: Namespace) -> int:
    """Run every scenario; a few lines for each, then the statements."""
    from lab.cli.results import collect, families
    from lab.run import run_scenario, wanted_runs
    from lab.scenario_files import builtin_scenarios

    def present(result: Result) -> None:
        from lab.report.terminal.page import Page, draw_summary

        page = Page(ascii_only=options.ascii)
        page.print(draw_summary(result.title, result.judgements, page.style, result.failures))

    results = collect(
        (
            run_scenario(path, family, options.out, options.trace, present)
            for path, family in wanted_runs(builtin_scenarios().values(), families(options.family))
        ),
        options.junit,
    )

    from lab.analysis.decisions import decide
    from lab.model.statements import STATEMENTS
    from lab.report.terminal.page import Page
    from lab.report.terminal.tables import draw_decisions
    from lab.results import exit_status

    decisions = decide(STATEMENTS, [(r.scenario, j) for r in results for j in r.judgements])
    page = Page(ascii_only=options.ascii)
    page.print([page.style.heading("Statements")])
    page.print(draw_decisions(decisions, page.style))
    return exit_status(results)
