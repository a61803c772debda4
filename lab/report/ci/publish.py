"""What CI services read of a command's results: a JUnit file, GitHub's annotations and summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from lab.errors import LabError, UsageError
from lab.model.claim import Claim
from lab.recording.artifacts import check_links, give_to_invoker
from lab.report.ci.checked import Checked, checked_annotations, checked_junit
from lab.report.ci.github import annotate, summarize
from lab.report.ci.junit import Place, junit_document
from lab.results import Result

LAB = Path(__file__).resolve().parents[2]
"""The folder of the package."""

UNFINISHED = "the command did not come to its end"


def publish(runs: Iterable[Result], junit: str | None) -> list[Result]:
    """The results of runs, which are made one by one, after publishing them for CI services.

    If the command ends early, the results so far are published, and what ended it.
    Annotations go to standard error, since --json has standard output to itself.
    Raises what making the runs raises, and UsageError.
    """
    file = _JunitFile(Path(junit)) if junit else None
    results: list[Result] = []
    error = UNFINISHED
    try:
        for result in runs:
            results.append(result)
            if file:
                file.write(junit_document(results, place_of, UNFINISHED))
        error = ""
    except Exception as problem:
        error = str(problem) if isinstance(problem, LabError) else repr(problem)
        raise
    finally:
        if file:
            file.write(junit_document(results, place_of, error), last=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            _write_summary(results, error)
            for line in annotate(results, place_of, error):
                print(line, file=sys.stderr)
    return results


def publish_checked(file: str, checks: Iterable[Checked], junit: str | None) -> list[Checked]:
    """What became of expectations of a capture file, after publishing it in the same way.

    Raises what making them raises, and UsageError.
    """
    kept = _JunitFile(Path(junit)) if junit else None
    checked: list[Checked] = []
    error = UNFINISHED
    try:
        checked.extend(checks)
        error = ""
    except LabError as problem:
        error = str(problem)
        raise
    finally:
        if kept:
            kept.write(checked_junit(file, checked, error), last=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for line in checked_annotations(file, checked, error):
                print(line, file=sys.stderr)
    return checked


class _JunitFile:
    """The file of --junit. It is written again after each run: a command may be killed."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError where it cannot be written, before anything is run."""
        self._path = path
        try:
            self._file = _open_or_create(path)
            self._is_kept = path.is_file()
        except OSError as problem:
            raise self._unwritable(problem) from None
        self.write(junit_document((), place_of, UNFINISHED))

    def write(self, document: bytes, *, last: bool = False) -> None:
        """Put the document in the place of the one before; only the last one goes to a pipe."""
        try:
            if self._is_kept:
                self._file.seek(0)
            if self._is_kept or last:
                self._file.write(document)
                self._file.flush()
            if self._is_kept:
                self._file.truncate()
            if last:
                self._file.close()
        except OSError as problem:
            raise self._unwritable(problem) from None

    def _unwritable(self, problem: OSError) -> UsageError:
        return UsageError(f"cannot write {self._path}: {problem.strerror}")


def _open_or_create(path: Path) -> BinaryIO:
    """The file, for writing; whoever owns it still does, and a new one is the invoker's."""
    check_links(path)
    try:
        file = path.open("xb")
    except FileExistsError:
        # Not to be created: else root is refused files of others in /tmp. Source: proc(5),
        # /proc/sys/fs/protected_regular.
        return os.fdopen(os.open(path, os.O_WRONLY), "wb")
    give_to_invoker(path)
    return file


def _write_summary(results: Sequence[Result], error: str) -> None:
    """Append to the job's summary, which belongs to all of its steps."""
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(summarize(results, error))
    except OSError as problem:
        raise UsageError(f"cannot write {path}: {problem.strerror}") from None


def place_of(claim: Claim) -> Place | None:
    """Where a claim is written: its file and line. None of the command line's.

    The file is relative to the workspace of GitHub where it is in that, else to the current folder;
    elsewhere it is absolute. A claim of the lab's own has a place in the lab's repository alone:
    in another, whose server is tested, nobody could look there.
    """
    name, line = claim.place
    if not name:
        return None
    file = Path(name).resolve()
    bases = [Path(each).resolve() for each in (os.environ.get("GITHUB_WORKSPACE"), ".") if each]
    if file.is_relative_to(LAB) and not bases[0].is_relative_to(LAB.parent):
        return None
    for base in bases:
        if file.is_relative_to(base):
            return file.relative_to(base).as_posix(), line
    return str(file), line
