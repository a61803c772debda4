"""`wirelab export`: cards to learn from, with what runs on this machine showed."""

from __future__ import annotations

from pathlib import Path

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.results import Result


def execute(options: Namespace) -> int:
    """Make the cards of runs, which are made now unless some are given, and write them."""
    from lab.derive import write_bytes, write_text
    from lab.errors import UsageError
    from lab.report.study.anki import anki_package
    from lab.report.study.cards_csv import cards_csv
    from lab.report.study.cards_markdown import cards_markdown
    from lab.study.deck import make_deck

    if not (options.out or options.markdown or options.csv):
        raise UsageError("say where the cards go: --out FILE.apkg, --markdown FILE or --csv FILE")
    if options.out:
        anki_package(())  # so that nothing is run where it cannot be written
    cards = make_deck(_results(options), _experiments(options))
    if options.out:
        write_bytes(anki_package(cards), Path(options.out))
    if options.markdown:
        write_text(cards_markdown(cards), Path(options.markdown))
    if options.csv:
        write_text(cards_csv(cards), Path(options.csv))
    shown = sum(card.picture is not None for card in cards)
    print(f"{len(cards)} cards, {shown} of them with what a run showed")
    return 0


def _experiments(options: Namespace) -> list[Result]:
    """Runs of what shows causes that no scenario does; none where runs are given."""
    import sys

    from lab.errors import MachineError
    from lab.experiments.running import EXPERIMENTS, run_experiments
    from lab.report.terminal.progress import working

    results, refused = [], []
    with working("programs that go wrong, for the causes"):
        for experiment, became in run_experiments(
            EXPERIMENTS if options.runs is None else (), None, options.jobs or 0
        ):
            if isinstance(became, MachineError):
                refused.append(f"{experiment.cause}: {became}")
            else:
                results.append(became)
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        print(f"not run, so that its card has no picture: {refused[0]}{more}", file=sys.stderr)
    return results


def _results(options: Namespace) -> list[Result]:
    from lab.batch import Batch, usual_jobs
    from lab.cli.study.recorded import recorded_runs
    from lab.model.family import Family
    from lab.report.terminal.progress import working
    from lab.run import lent_collectors, run_scenario
    from lab.scenario_files import builtin_scenarios, load_scenario

    if options.runs is not None:
        return recorded_runs((), options.runs)
    wanted = [
        path for path in builtin_scenarios().values() if Family.IPV4 in load_scenario(path).families
    ]
    with lent_collectors():

        def run(path: Path) -> Result:
            return run_scenario(path, Family.IPV4, None, "auto", pages=False)

        batch = Batch(run, wanted, options.jobs or usual_jobs())
        results = []
        ended = batch.ended()
        for number in range(1, len(wanted) + 1):
            names = ", ".join(path.stem for path in batch.under_way())
            with working(f"{number} of {len(wanted)}: {names}"):
                results.append(next(ended))
        return [result for _, result in sorted(results, key=lambda each: each[0])]
