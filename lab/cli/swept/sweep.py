"""`wirelab sweep`: scenarios under many conditions, many times, a row of a table each."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from lab.sweep.parameter import ParameterValue
    from lab.sweep.store import SweepStore
    from lab.sweep.sweeping import Sweep

REASONS = 3
"""So many reasons for which runs could not be made are printed."""


def execute(options: Namespace) -> int:
    """Make what has not been made yet; then the summary, and where the table is."""
    from lab.model.counted import counted
    from lab.report.terminal.progress import counting
    from lab.sweep.store import check_installed
    from lab.sweep.sweeping import check_runs, run_sweep

    check_installed()
    if options.plot:
        from lab.report.sweeps.plot import check_plotting

        check_plotting()
    sweep = _sweep(options)
    check_runs(sweep)
    count = len(sweep.grid)
    made = 0
    # What is under way is ended, and not left to notice that this process has gone.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with counting("sweeping", count) as show:

            def tell(done: int, failed: int) -> None:
                nonlocal made
                made = done
                show(done, f"{failed} could not be made" if failed else "")

            store = run_sweep(sweep, tell, lambda said: print(f"wirelab: {said}", file=sys.stderr))
    except KeyboardInterrupt:
        said = f"{made} of {count} runs are in {sweep.folder}; the same command makes the rest"
        print(f"wirelab: {said}", file=sys.stderr)
        return 128 + signal.SIGINT
    reasons = _show(sweep, store, options)
    print(f"{counted(count, 'run')} in {store.folder}")
    for reason, number in reasons[:REASONS]:
        print(f"{counted(number, 'run')} could not be made: {reason}")
    if others := sum(number for _, number in reasons[REASONS:]):
        print(f"{counted(others, 'run')} could not be made; the column failure says why")
    return 1 if reasons else 0


def _show(sweep: Sweep, store: SweepStore, options: Namespace) -> tuple[tuple[str, int], ...]:
    """Print the summary, and write it and its plots beside the table; why runs were not made."""
    from lab.derive import write_text
    from lab.errors import ExtraMissing, UsageError
    from lab.report.sweeps.csv_file import summary_csv
    from lab.report.sweeps.plot import USUAL, sweep_plots
    from lab.report.sweeps.terminal_table import draw_sweep
    from lab.report.terminal.page import Page
    from lab.sweep.summary import summary_of

    grid = sweep.grid
    summary = summary_of(grid.scenarios, grid.parameters, store.rows())
    page = Page(ascii_only=options.ascii)
    page.print(draw_sweep(summary, page.style))
    write_text(summary_csv(summary), store.folder / "summary.csv")
    try:
        for name, drawn in sweep_plots(summary, options.plot or summary.differing(USUAL)):
            write_text(drawn.decode("utf-8"), store.folder / name)
            print(f"Plot: {store.folder / name}")
    except (UsageError, ExtraMissing) as error:
        if options.plot:
            raise
        print(f"wirelab: {error}", file=sys.stderr)
    return summary.why_not_made


def _sweep(options: Namespace) -> Sweep:
    """What is asked for. Raises UsageError."""
    from pathlib import Path

    from lab.errors import UsageError
    from lab.linux.sysctl import sysctl_words
    from lab.scenario_files import find_scenario, own_parameters
    from lab.sweep.grid import Grid
    from lab.sweep.parameter import FAMILY, TRACE, parameters_of
    from lab.sweep.sweeping import Sweep, scenario_file

    files = _named([find_scenario(name, options.scenarios) for name in options.names])
    takes = [own_parameters(path) for path in files.values()]
    own: dict[str, ParameterValue] = {
        name: default
        for name, default in takes[0].items()
        if all(name in each and type(each[name]) is type(default) for each in takes)
    }
    over = list(options.over)
    if options.family == "both":
        over.append(f"{FAMILY}=4,6")
    parameters = parameters_of(over, own)
    names = {parameter.name for parameter in parameters}
    if FAMILY in names and options.family == "6":
        raise UsageError("give --family or --over family, not both")
    if TRACE in names and options.trace != "auto":
        raise UsageError("give --trace or --over trace, not both")
    if options.jobs > 1 and options.scheduler:
        raise UsageError("-j is for this machine's workers; those of a --scheduler are as many "
                         "as they are")  # fmt: skip
    grid = Grid(
        tuple(files),
        parameters,
        options.repeat,
        4 if options.family == "both" else int(options.family),
        options.trace,
        tuple(options.wire),
        tuple(sorted(sysctl_words(options.sysctl).items())),
        tuple(options.expect),
    )
    return Sweep(
        grid,
        {name: scenario_file(path) for name, path in files.items()},
        Path(options.out),
        options.jobs,
        options.scheduler,
        options.again,
        tuple(options.keep),
    )


def _named(paths: list[Path]) -> dict[str, Path]:
    """The files by what their scenarios are called in the table. Raises UsageError."""
    from lab.errors import UsageError

    found: dict[str, Path] = {}
    for path in paths:
        name = path.stem.replace("_", "-")
        if name in found:
            raise UsageError(f"two scenarios are called {name}: {found[name]} and {path}")
        found[name] = path
    return found
