"""The trials of one submission, each made at most once, and whose fault it is where one fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.flows.strikes import unmatched
from lab.errors import DoesNotFitError, LabError, UsageError
from lab.expect.failure import ExpectationFailed
from lab.grade.judging import OutOfTime, TimeLimit, call_of_sheet, said_of_error
from lab.grade.seen import Blame, Seen, TrialFailure
from lab.grading.bench import SubmissionBench
from lab.records import Limit
from lab.testing.bench import Settings
from lab.testing.function import FunctionFailed

if TYPE_CHECKING:
    from lab.grade.submission import Submission
    from lab.grade.trial import Trial
    from lab.model.allowed import Cell
    from lab.results import Result

MOST_ATTEMPTS = 3
"""Of a trial that the lab itself could not make, or not see whole."""


class Trials:
    """Called with a trial, it makes that unless it has, and returns what was seen."""

    def __init__(self, wanted: Submission, command: str, cell: Cell, limit: TimeLimit) -> None:
        """`command` starts what was handed in, in `cell`."""
        self._wanted = wanted
        self._command = command
        self._cell = cell
        self._limit = limit
        self._seen: dict[str, Seen] = {}

    def __call__(self, trial: Trial) -> Seen:
        """What was seen in it. Raises KeyboardInterrupt alone."""
        if trial.name not in self._seen:
            for _ in range(MOST_ATTEMPTS):
                seen = self._made(trial)
                if not (seen.failed and seen.failed.blame is Blame.LAB):
                    break
            self._seen[trial.name] = seen
        return self._seen[trial.name]

    def made(self) -> list[Seen]:
        """What was seen in those that were made, in their order."""
        return [*self._seen.values()]

    def _made(self, trial: Trial) -> Seen:
        settings = Settings(topology=trial.topology, family=trial.family, trace=trial.trace)
        bench = SubmissionBench(settings, self._wanted, self._command, self._cell)
        value: object = None
        failed: TrialFailure | None = None
        try:
            with self._limit():
                value = call_of_sheet(trial.make, bench)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failed = _failure(error)
        if not bench.results:
            failed = failed or TrialFailure(
                Blame.SHEET, f"the trial {trial.name!r} never called bench.run()"
            )
            return Seen(trial, None, failure=failed)
        (run,) = bench.results
        failed = _of_run(run, bench) or failed
        unreached = _unreached(run, bench)
        if unreached and failed and failed.blame is Blame.SUBMISSION:
            failed = TrialFailure(Blame.SUBMISSION, next(iter(unreached.values())))
        rules = _struck_nothing(run)
        return Seen(
            trial,
            _without(run, rules),
            value,
            failed,
            programs=tuple(bench.submissions),
            unreached=unreached,
            unmatched=rules,
        )


def _failure(error: BaseException) -> TrialFailure:
    """Whose fault it is that a trial's function raised that."""
    if isinstance(error, FunctionFailed):
        if error.is_mistaken:
            why = f"a function of the trial failed itself: {error.said}"
            return TrialFailure(Blame.SHEET, why)
        return TrialFailure(Blame.SUBMISSION, f"who tried it met {error.said}")
    if isinstance(error, ExpectationFailed):
        return TrialFailure(Blame.SUBMISSION, error.verdict.why, str(error))
    if isinstance(error, AssertionError):
        return TrialFailure(Blame.SUBMISSION, str(error) or "an assert of the trial failed")
    if isinstance(error, OutOfTime):
        return TrialFailure(
            Blame.SUBMISSION, "what it put on the wire takes too long to be understood"
        )
    if isinstance(error, DoesNotFitError):
        return TrialFailure(Blame.SUBMISSION, str(error))
    if isinstance(error, LabError) and not isinstance(error, UsageError):
        return TrialFailure(Blame.LAB, str(error))
    return TrialFailure(Blame.SHEET, f"the trial failed itself: {said_of_error(error)}")


def _of_run(run: Result, bench: SubmissionBench) -> TrialFailure | None:
    """What is wrong with a run that the lab did not see whole, whatever its trial says of it."""
    for disturbance in run.recording.disturbances:
        if set(disturbance.programs) <= set(bench.submissions):
            return TrialFailure(Blame.SUBMISSION, str(disturbance))
    rules = set(_struck_nothing(run))
    doubts = [doubt for timeline in run.timelines for doubt in timeline.bracket.incomplete]
    blind = [doubt for doubt in doubts if doubt not in rules]
    if not blind:
        return None
    for program in (each for timeline in run.timelines for each in timeline.programs):
        cell = program.cell
        if cell is not None and cell.ended_by in (Limit.FRAMES, Limit.CAPTURED):
            # It sent more than can be captured: the same run again would be as blind.
            return TrialFailure(Blame.SUBMISSION, f"the program {program.name} {program.failure}")
    return TrialFailure(Blame.LAB, f"the lab did not see all of the run: {blind[0]}")


def _without(run: Result, rules: tuple[str, ...]) -> Result:
    """The run without these doubts: what a rule did not strike was seen all the same."""
    if not rules:
        return run
    timelines = []
    for each in run.timelines:
        rest = tuple(doubt for doubt in each.bracket.incomplete if doubt not in rules)
        timelines.append(replace(each, bracket=replace(each.bracket, incomplete=rest)))
    return replace(run, timelines=tuple(timelines))


def _struck_nothing(run: Result) -> tuple[str, ...]:
    rules = run.recording.wire_rules
    return tuple(why for each in run.timelines for why in unmatched(rules, each.step))


def _unreached(run: Result, bench: SubmissionBench) -> dict[str, str]:
    """Why the submission was not reached, by the name of each start that was waited for in vain.

    In this trial: what other trials have started before it, and where, may be why it is in one.
    """
    programs = {each.name: each for timeline in run.timelines for each in timeline.programs}
    return {
        name: f"the program {name} {programs[name].failure or 'could not be reached'}"
        for name in bench.awaited
        if programs[name].ready_ns is None
    }
