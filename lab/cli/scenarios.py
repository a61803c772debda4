"""`wirelab scenarios`: all of them in short, several at once, then what they decide."""

from __future__ import annotations

import sys
import time
from operator import itemgetter

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from pathlib import Path

    from lab.batch import Batch
    from lab.model.family import Family
    from lab.results import Result


def execute(options: Namespace) -> int:
    """Run every scenario; a few lines for each as it ends, then the statements."""
    from lab.batch import Batch, usual_jobs
    from lab.cli.results import collect, families
    from lab.run import lent_collectors, run_scenario, wanted_runs
    from lab.scenario_files import builtin_scenarios, load_scenario

    def run(wanted: tuple[Path, Family]) -> Result:
        path, family = wanted
        return run_scenario(
            path,
            family,
            options.out,
            options.trace,
            notes_lines=options.source,
            keeps_secrets=not options.no_secrets,
            pages=False,
        )

    began = time.monotonic()
    wanted = [
        (path, family)
        for path, family in wanted_runs(builtin_scenarios().values(), families(options.family))
        if family in load_scenario(path).families
    ]
    places: list[int] = []
    with lent_collectors():
        batch = Batch(run, wanted, options.jobs or usual_jobs())
        ended = collect(_as_they_end(batch, len(wanted), places, options), options.junit)
    results = [result for _, result in sorted(zip(places, ended, strict=True), key=itemgetter(0))]
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


def _as_they_end(
    batch: Batch[tuple[Path, Family], Result],
    count: int,
    places: list[int],
    options: Namespace,
) -> Iterator[Result]:
    """The results, each presented; the place of each in the batch is added to `places`."""
    from lab.report.terminal.claims import draw_summary
    from lab.report.terminal.page import Page
    from lab.report.terminal.progress import working

    page = Page(ascii_only=options.ascii)
    results = batch.ended()
    for number in range(1, count + 1):
        names = (f"{path.stem} over IPv{family.value}" for path, family in batch.under_way())
        with working(f"{number} of {count}: {', '.join(names)}"):
            place, result = next(results)
        places.append(place)
        page.print(draw_summary(result.title, result.judgements, page.style, result.failures))
        sys.stdout.flush()
        yield result
