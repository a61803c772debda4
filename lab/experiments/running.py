"""Runs of the experiments, several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.batch import Batch, usual_jobs
from lab.errors import MachineError
from lab.experiments.experiment import Experiment
from lab.experiments.of_calls import OF_CALLS
from lab.experiments.of_packets import OF_PACKETS
from lab.experiments.of_unix import OF_UNIX
from lab.experiments.of_waits import OF_WAITS
from lab.model.allowed import Allowed
from lab.run import lent_collectors, run_scenario

if TYPE_CHECKING:
    from lab.results import Result

EXPERIMENTS = (*OF_PACKETS, *OF_CALLS, *OF_UNIX, *OF_WAITS)


def run_experiments(
    experiments: Sequence[Experiment], out: str | None, jobs: int = 0
) -> Iterator[tuple[Experiment, Result | MachineError]]:
    """Each with its run, or with why this machine cannot make it, in no order.

    `jobs` are made at once, as many as usual where that is 0. Whether a run shows the cause
    depends on the machine as well: ip(8) or nft(8) may not be there, or a right that an ordinary
    user lacks. Raises LabError.
    """

    def run(experiment: Experiment) -> Result | MachineError:
        allowed = Allowed(capabilities=experiment.capabilities)
        try:
            return run_scenario(
                experiment.scenario,
                experiment.family,
                out,
                "auto",
                allowed=allowed if experiment.capabilities else None,
                wire=experiment.wire,
                sysctls=experiment.sysctls or None,
                pages=False,
            )
        except MachineError as error:
            return error

    with lent_collectors():
        for number, result in Batch(run, experiments, jobs or usual_jobs()).ended():
            yield experiments[number], result
