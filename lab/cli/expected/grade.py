"""`wirelab grade`: captures that students handed in, graded by a lab sheet."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.grade.sheet import Sheet


def execute(options: Namespace) -> int:
    """Grade captures, and say what each is worth and where the outputs are; or explain checks."""
    from lab.grading.grader import load_sheet

    sheet = load_sheet(options.sheet)
    if options.explain is not None:
        _explain(sheet, options)
        return 0
    from datetime import UTC, datetime

    from lab.errors import UsageError
    from lab.grading.grader import grade_captures, sheets_faults
    from lab.report.grades.terminal_table import draw_grades
    from lab.report.terminal.page import Page
    from lab.report.terminal.progress import working

    with working("grading"):
        grades = grade_captures(sheet, options.pcap, options.out, datetime.now(UTC))
    page = Page(ascii_only=options.ascii)
    page.print(draw_grades(sheet, grades, page.style))
    print(f"Written to {options.out}")
    if faults := sheets_faults(grades):
        raise UsageError(f"{options.sheet} has to be mended: {'; '.join(faults)}")
    return 0


def _explain(sheet: Sheet, options: Namespace) -> None:
    from datetime import UTC, datetime

    from lab.report.grades.terminal_table import draw_checks
    from lab.report.terminal.page import Page

    checks = [sheet.check(options.explain)] if options.explain else sheet.checks
    page = Page(ascii_only=options.ascii)
    page.print(draw_checks(sheet, checks, datetime.now(UTC), page.style))
