"""`wirelab grade`: what students handed in, graded by a lab sheet."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from lab.grade.mark import Grade
    from lab.grade.sheet import Sheet


def execute(options: Namespace) -> int:
    """Grade it, and say what each is worth and where the outputs are; or explain checks."""
    from lab.errors import InstrumentError, UsageError
    from lab.grading.sheet_file import load_sheet

    given = [bool(options.submissions), bool(options.pcap), options.explain is not None]
    if sum(given) != 1:
        raise UsageError("give what was handed in: programs, or captures by --pcap; or --explain")
    sheet = load_sheet(options.sheet)
    if options.explain is not None:
        _explain(sheet, options)
        return 0
    from lab.grading.grader import labs_faults, sheets_faults
    from lab.report.grades.terminal_table import draw_grades, draw_held
    from lab.report.terminal.page import Page

    _check_there(options.pcap or options.submissions)
    grades = _captures(sheet, options) if options.pcap else _programs(sheet, options)
    page = Page(ascii_only=options.ascii)
    page.print(draw_grades(sheet, grades, page.style))
    if options.verbose:
        page.print(draw_held(sheet, grades, page.style))
    print(f"Written to {options.out}")
    if faults := sheets_faults(grades):
        raise UsageError(f"{options.sheet} has to be mended: {'; '.join(faults)}")
    if faults := labs_faults(grades):
        raise InstrumentError(
            "\n".join(("not all could be graded; the same command grades these again:", *faults))
        )
    return 0


def _check_there(files: Sequence[str]) -> None:
    """Raise UsageError for what a teacher has mistyped or may not read: no student is to blame."""
    import os
    from pathlib import Path

    from lab.errors import UsageError, printable

    for file in files:
        if not os.path.lexists(file):
            raise UsageError(f"there is no {printable(file)}; nothing was graded")
        if Path(file).exists() and not os.access(file, os.R_OK):
            raise UsageError(f"{printable(file)} may not be read by you; nothing was graded")


def _captures(sheet: Sheet, options: Namespace) -> Sequence[Grade]:
    from datetime import UTC, datetime

    from lab.grading.grader import grade_captures
    from lab.report.terminal.progress import working

    with working("grading"):
        return grade_captures(sheet, options.pcap, options.out, datetime.now(UTC))


def _programs(sheet: Sheet, options: Namespace) -> Sequence[Grade]:
    from datetime import UTC, datetime

    from lab.grading.grader import grade_programs
    from lab.grading.sheet_file import find_sheet, sheet_digest
    from lab.report.terminal.progress import counting

    with counting("grading", len(options.submissions)) as tell:
        return grade_programs(
            sheet,
            sheet_digest(find_sheet(options.sheet), sheet),
            options.submissions,
            options.out,
            datetime.now(UTC),
            jobs=options.jobs,
            again=options.again,
            tell=tell,
        )


def _explain(sheet: Sheet, options: Namespace) -> None:
    from datetime import UTC, datetime

    from lab.report.grades.terminal_table import draw_checks
    from lab.report.terminal.page import Page

    checks = [sheet.check(options.explain)] if options.explain else sheet.checks
    page = Page(ascii_only=options.ascii)
    page.print(draw_checks(sheet, checks, datetime.now(UTC), page.style))
