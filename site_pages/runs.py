"""The runs that the site shows: made here and now, or recorded ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.experiments.experiment import Experiment
    from lab.model.scenario import Scenario
    from lab.results import Result

RECORDINGS = Path(__file__).parents[1] / "tests" / "recordings"
"""Runs of the scenarios that were recorded once, for where none can be made."""


TRACES = ("auto", "auto", "ptrace")
"""How a run is traced, the first time, the second and the last: on a busy machine what the best
tracer saw may be incomplete, and ptrace(2) loses nothing."""


@frozen
class SiteRun:
    """A scenario with what a page shows of it."""

    name: str
    """By which `wirelab run` finds it."""
    file: Path
    scenario: Scenario
    result: Result | None
    """None where no run can be made and none was recorded."""
    is_recorded: bool = False
    """Whether it was recorded some day, and not made for the site."""

    @property
    def group(self) -> str:
        """The folder of its file: "sockets" for those at the root of the scenarios' folder."""
        folder = self.file.parent.name
        return "sockets" if folder == "scenarios" else folder


@frozen
class SiteExperiment:
    """A run of small programs that show a cause."""

    experiment: Experiment
    result: Result


def made_experiments() -> list[SiteExperiment]:
    """A run of each experiment that this machine can make, in their order. Raises LabError."""
    from lab.errors import MachineError
    from lab.experiments.running import EXPERIMENTS, run_experiments

    became = {one.cause: result for one, result in run_experiments(EXPERIMENTS, None)}
    return [
        SiteExperiment(one, result)
        for one in EXPERIMENTS
        if not isinstance(result := became[one.cause], MachineError)
    ]


def made_runs(out: Path) -> list[SiteRun]:
    """A run of each scenario, several at once, over IPv4. Raises LabError.

    One that does not hold is an error: the pages' answers are of runs in which all claims do.
    """
    from lab.batch import Batch
    from lab.model.claim import Outcome
    from lab.model.family import Family
    from lab.run import lent_collectors, run_scenario
    from lab.scenario_files import builtin_scenarios

    def run(file: Path) -> Result:
        for trace in TRACES:
            result = run_scenario(file, Family(4), str(out), trace, pages=False)
            if not any(timeline.bracket.incomplete for timeline in result.timelines):
                break
        return result

    named = builtin_scenarios()
    files = [*named.values()]
    with lent_collectors():
        batch = Batch(run, files, 2 * len(os.sched_getaffinity(0)))
        results = dict(batch.ended())
    made = []
    for number, (name, file) in enumerate(named.items()):
        result = results[number]
        if result.outcome is not Outcome.HOLDS:
            raise LabError(
                f"{name}: the run in {result.folder} is {result.outcome.value}, and its page needs "
                f"one that holds; `wirelab replay {result.folder}` says why it is not"
            )
        made.append(SiteRun(name, file, result.judged_by, result))
    return made


def recorded_runs() -> list[SiteRun]:
    """The recorded run of each scenario, with calls where one has them, over IPv4."""
    from lab.run import judged
    from lab.scenario_files import builtin_scenarios, load_scenario

    made = []
    for name, file in builtin_scenarios().items():
        scenario = load_scenario(file)
        folder = recording_of(name)
        result = judged(str(folder), scenario) if folder else None
        made.append(SiteRun(name, file, scenario, result, is_recorded=True))
    return made


def recording_of(name: str) -> Path | None:
    """The folder of a scenario's recording, None where there is none."""
    folders = (
        RECORDINGS / f"{before}{name}{after}" for before in ("traced-", "") for after in ("4", "")
    )
    return next((folder for folder in folders if folder.is_dir()), None)
