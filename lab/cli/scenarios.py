"""`wirelab scenarios`: all of them in short, then what they decide."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from lab.model.family import Family
    from lab.results import Result


def execute(options: Namespace) -> int:
    """Run every scenario; a few lines for each, then the statements."""
    from lab.cli.results import collect, families
    from lab.report.terminal.progress import working
    from lab.run import run_scenario, wanted_runs
    from lab.scenario_files import builtin_scenarios

    def present(result: Result) -> None:
        from lab.report.terminal.claims import draw_summary
        from lab.report.terminal.page import Page

        page = Page(ascii_only=options.ascii)
        page.print(draw_summary(result.title, result.judgements, page.style, result.failures))

    def run(path: Path, family: Family) -> Result:
        with working(f"{path.stem} over IPv{family.value}"):
            result = run_scenario(
                path,
                family,
                options.out,
                options.trace,
                notes_lines=options.source,
                keeps_secrets=not options.no_secrets,
                pages=False,
            )
        present(result)
        return result

    began = time.monotonic()
    wanted = wanted_runs(builtin_scenarios().values(), families(options.family))
    results = collect((run(path, family) for path, family in wanted), options.junit)
    took_s = time.monotonic() - began

    from lab.analysis.decisions import decide
    from lab.model.statements import STATEMENTS
    from lab.report.terminal.claims import draw_total
    from lab.report.terminal.page import Page
    from lab.report.terminal.tables import draw_decisions
    from lab.results import exit_status

    decisions = decide(STATEMENTS, [(r.scenario, j) for r in results for j in r.judgements])
    page = Page(ascii_only=options.ascii)
    page.print([page.style.heading("Statements")])
    page.print(draw_decisions(decisions, page.style))
    page.print([page.style.heading("Total")])
    judgements = [judgement for result in results for judgement in result.judgements]
    page.print([draw_total(judgements, len(results), took_s, page.style)])
    return exit_status(results)
