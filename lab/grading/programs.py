"""One program that was handed in: unpacked, built, tried and judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.grade.hints import give_hints
from lab.grade.judging import (
    OutOfTime,
    fail_checks,
    give_up_checks,
    judge_trials,
)
from lab.grade.mark import Grade, Mark, Picture
from lab.grading.archive import unpack
from lab.grading.building import NotThere, ReadyProgram, make_ready
from lab.grading.deadline import deadline
from lab.grading.member_name import ArchiveRefused
from lab.grading.trials import Trials
from lab.model.allowed import Cell
from lab.report.grades.pictures import picture_of_trial

if TYPE_CHECKING:
    from lab.grade.seen import Seen
    from lab.grade.sheet import Sheet
    from lab.records import CellRun, ProgramRun

MOST_CPU_S = 20.0
"""Of this process's time, for one trial or check: they take some hundredths."""
MOST_WALL_S = 600.0
"""The same of any time: a trial's programs have deadlines of their own."""
MOST_OUTPUT = 2_000
"""Characters of a program's output on its student's page, from its end."""


def grade_program(sheet: Sheet, file: str, student: str, scratch: Path) -> Grade:
    """The grade of one submission. `scratch` is a folder that is not there yet.

    To be called in the main thread, in a process of its own. Raises KeyboardInterrupt alone.
    """
    name = Path(file).name or file
    try:
        return _graded(sheet, file, Grade(student, name, ()), scratch)
    except (LabError, OSError) as error:
        why = f"the lab could not grade it: {error}"
    except Exception as error:
        why = f"the lab failed on it: {type(error).__name__}: {error}"
    return Grade(student, name, give_up_checks(sheet, why), why)


def _graded(sheet: Sheet, file: str, grade: Grade, scratch: Path) -> Grade:
    wanted = sheet.submission
    assert wanted is not None, "a sheet for programs"
    folder = scratch / "handed-in"
    scratch.mkdir(parents=True)
    try:
        unpack(file, folder)
    except ArchiveRefused as error:
        return replace(grade, marks=fail_checks(sheet, str(error)), refused=str(error))
    try:
        ready = make_ready(wanted, folder)
    except NotThere as error:
        return replace(grade, marks=fail_checks(sheet, str(error)), refused=str(error))
    if ready.built.has_failed:
        why = f"it could not be built ({ready.built.language})"
        return replace(grade, marks=fail_checks(sheet, why), built=ready.built)
    return _tried(sheet, grade, ready)


def _tried(sheet: Sheet, grade: Grade, ready: ReadyProgram) -> Grade:
    wanted = sheet.submission
    assert wanted is not None, "a sheet for programs"
    cell = Cell(str(ready.folder), wanted.limits)
    trials = Trials(wanted, ready.command, cell, _limit)
    try:
        marks = judge_trials(sheet, trials, _limit)
        marks, faults = give_hints(sheet, marks, trials, _limit)
    except OutOfTime:
        why = f"what it did takes more than {MOST_CPU_S:g} s of the processor's time to look at"
        return replace(grade, marks=fail_checks(sheet, why), refused=why, built=ready.built)
    pictures = tuple(_pictures(marks, trials.made()))
    marks = tuple(_with_ends(mark, trials) for mark in marks)
    held = next(_held(trials.made()), None)
    return replace(
        grade, marks=marks, pictures=pictures, built=ready.built, faults=faults, held=held
    )


def _held(made: list[Seen]) -> Iterator[CellRun]:
    """How the submission was held in each run."""
    for run in (run for seen in made for run in seen.submissions):
        if run.cell is not None:
            yield replace(run.cell, ended_by=None)


def _limit() -> AbstractContextManager[None]:
    return deadline(MOST_CPU_S, MOST_WALL_S)


def _with_ends(mark: Mark, trials: Trials) -> Mark:
    """The mark of a check that did not pass, with what ended the submission in its trials."""
    if mark.passed or not mark.was_tried:
        return mark
    runs = [run for trial in mark.check.trials for run in trials(trial).submissions]
    said = (f"The program {run.name} {run.failure}." for run in runs if _was_ended(run))
    return replace(mark, ended=tuple(dict.fromkeys(said)))


def _was_ended(run: ProgramRun) -> bool:
    """Whether a signal or a limit has ended it, and not the lab when its time was over.

    With which status a program exits is its own affair, and may be what the sheet asks for.
    """
    by_limit = run.cell is not None and run.cell.ended_by is not None
    by_signal = run.exit_status < 0 and run.stopped_ns is None
    return bool(run.failure) and (by_limit or by_signal)


def _pictures(marks: tuple[Mark, ...], made: list[Seen]) -> Iterator[Picture]:
    """A ladder of each run that something failed in."""
    failed = {trial.name for mark in marks if not mark.passed for trial in mark.check.trials}
    for seen in made:
        if seen.trial.name not in failed or not seen.has_run:
            continue
        try:
            with _limit():
                picture = picture_of_trial(seen.trial, seen.run.ladders)
        except (Exception, OutOfTime) as error:
            # A fault of the lab's own, in a picture: what was judged stays.
            said = f"It could not be drawn: {type(error).__name__}: {error}"
            picture = Picture(seen.trial.sentence, notes=(said,), trial=seen.trial.name)
        text = "\n".join(line for run in seen.submissions for line in _end_of(run))
        yield replace(picture, text=text)


def _end_of(run: ProgramRun) -> Iterator[str]:
    """What became of a program, and what it wrote."""
    ended = run.failure or run.remark or f"ended with status {run.exit_status}"
    yield f"The program {run.name} {ended}."
    for what, text in (("standard error", run.stderr), ("standard output", run.stdout)):
        if text.strip():
            yield f"Its {what}{', the end of it' if len(text) > MOST_OUTPUT else ''}:"
            yield text[-MOST_OUTPUT:].rstrip()
