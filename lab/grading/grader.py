"""What was handed in, graded by a sheet: captures one by one, programs several at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab.batch import Batch
from lab.errors import CaptureFileError, UsageError
from lab.grade.judging import OutOfTime, give_up_checks, judge_checks, refuse_checks
from lab.grade.mark import Grade, Picture
from lab.grade.naming import folder_names, student_names
from lab.grade.sheet import Sheet
from lab.grading.deadline import deadline
from lab.grading.kept import key_of, read_kept, write_kept
from lab.grading.lateness import lateness
from lab.grading.outputs import make_folder, write_outputs
from lab.grading.upload import load_upload
from lab.recording.artifacts import check_writable
from lab.recording.folder_lock import alone_in
from lab.report.grades.pictures import pictures_of_capture
from lab.run import prepare, share_collectors

if TYPE_CHECKING:
    from lab.results import Capture

MOST_CPU_S = 30.0
"""Of the processor's time for one file: a frame of thousands of headers takes some seconds."""

KEPT = "kept"
"""The folder of what was graded, by student."""
SCRATCH = ".scratch"
"""The folder of what is being graded."""
Told = Callable[[int, str], None]
"""Told how many are graded, and who is being graded."""


def grade_captures(sheet: Sheet, files: Sequence[str], out: str, now: datetime) -> list[Grade]:
    """The grades of the captures, a file each, in their order; all outputs are below `out`.

    `now` decides what students may see on their pages. To be called in the main thread. Raises
    UsageError where nothing can be written, or the sheet is for programs; whatever is wrong with a
    file is in its grade, and touches no other.
    """
    if sheet.submission is not None:
        raise UsageError(
            f"the sheet {sheet.title!r} is for programs: without --pcap they are graded"
        )
    target = Path(out)
    check_writable(target)
    make_folder(target)
    names = student_names(files)
    grades = [
        replace(_of_capture(sheet, file, name), late=lateness(sheet, file))
        for file, name in zip(files, names, strict=True)
    ]
    write_outputs(sheet, grades, target, now)
    return grades


def grade_programs(
    sheet: Sheet,
    digest: str,
    submissions: Sequence[str],
    out: str,
    now: datetime,
    *,
    jobs: int = 1,
    again: bool = False,
    tell: Told = lambda done, said: None,
) -> list[Grade]:
    """The grades of programs, a file, folder or archive each, in their order.

    `digest` is the sheet's (lab.grading.sheet_file). So many are graded at once as there are
    `jobs`, each in a process of its own. What was graded before is not graded again, unless it, the
    sheet or wirelab has changed, or `again` says so. To be called in a process of one thread.
    Raises UsageError, where nothing can be written.
    """
    if sheet.submission is None:
        raise UsageError(f"the sheet {sheet.title!r} is for captures: --pcap FILE…")
    from lab.forked.workers import Workers
    from lab.grading.programs import grade_program

    target = Path(out)
    check_writable(target)
    make_folder(target / KEPT)
    with alone_in(target, "another wirelab is grading into"):
        languages = sheet.submission.known
        names = student_names(submissions, [end for each in languages for end in each.ends])
        folders = folder_names(names)
        keys = [key_of(each, digest) for each in submissions]
        kept = [target / KEPT / f"{folder}.json" for folder in folders]
        scratch = target.absolute() / SCRATCH  # as a cell wants it
        shutil.rmtree(scratch, ignore_errors=True)
        make_folder(scratch)

        def is_graded(place: int) -> bool:
            found = read_kept(sheet, kept[place])
            return bool(found and keys[place] and found[1] == keys[place])

        def do(place: int) -> None:
            own = scratch / folders[place]
            grade = grade_program(sheet, submissions[place], names[place], own)
            lasts = not (grade.is_labs_fault or grade.is_sheets_fault)
            write_kept(grade, keys[place] if lasts else "", kept[place])
            shutil.rmtree(own, ignore_errors=True)

        todo = [place for place in range(len(names)) if again or not is_graded(place)]
        failed: dict[int, str] = {}
        if todo:
            prepare()
            clear = partial(shutil.rmtree, scratch, ignore_errors=True)
            workers = Workers(do, clear, share_collectors)
            try:
                batch = Batch(workers, todo, jobs)
                ended = batch.ended()
                for done in range(len(todo)):
                    tell(done, ", ".join(names[place] for place in batch.under_way()))
                    place, why = next(ended)
                    if why:
                        failed[todo[place]] = why
            finally:
                workers.close()
        grades = []
        for place, file in enumerate(submissions):
            found = None if place in failed else read_kept(sheet, kept[place])
            if found is None:
                why = f"the lab could not grade it: {failed.get(place, 'it left nothing')}"
                name = Path(file).name or file
                grade = Grade(names[place], name, give_up_checks(sheet, why), why)
            else:
                grade = replace(found[0], student=names[place])
            grades.append(replace(grade, late=lateness(sheet, file)))
        write_outputs(sheet, grades, target, now)
    return grades


def sheets_faults(grades: Sequence[Grade]) -> list[str]:
    """Where the sheet itself failed, a line each, every one once."""
    marks = (mark for grade in grades for mark in grade.marks if mark.is_sheets_fault)
    found = [f"the check {mark.check.name!r}: {mark.why}" for mark in marks]
    return list(dict.fromkeys([*found, *(each for grade in grades for each in grade.faults)]))


def labs_faults(grades: Sequence[Grade]) -> list[str]:
    """What the lab could not do, a line for each student that it is about."""
    return [
        f"{grade.student}: {mark.why}"
        for grade in grades
        if (mark := next((each for each in grade.marks if each.is_labs_fault), None))
    ]


def _of_capture(sheet: Sheet, file: str, student: str) -> Grade:
    """What a file is worth."""
    name = Path(file).name or file
    try:
        with deadline(MOST_CPU_S):
            capture = load_upload(file)
        marks = judge_checks(sheet, capture, lambda: deadline(MOST_CPU_S))
        return Grade(student, name, marks, pictures=_pictures(capture))
    except CaptureFileError as error:
        why = str(error)
    except OutOfTime:
        why = f"{name} takes more than {MOST_CPU_S:g} s of the processor's time"
    except Exception as error:
        # A fault of the lab's own, which a file may have been made to find: the others are graded.
        why = f"the lab failed on {name}: {type(error).__name__}: {error}"
    return Grade(student, name, refuse_checks(sheet, why), why)


def _pictures(capture: Capture) -> tuple[Picture, ...]:
    try:
        with deadline(MOST_CPU_S):
            return tuple(pictures_of_capture(capture.ladders))
    except (Exception, OutOfTime) as error:
        # The same, of a picture.
        said = f"What was handed in could not be drawn: {type(error).__name__}: {error}"
        return (Picture("The picture", notes=(said,)),)
