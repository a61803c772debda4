"""What commands share that run scenarios: IP versions, results, reports."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from lab.model.family import Family
    from lab.results import Result


def families(choice: str) -> list[Family]:
    """What --family stands for: "4", "6" or "both"."""
    from lab.model.family import Family

    return list(Family) if choice == "both" else [Family(int(choice))]


def collect(runs: Iterable[Result], junit: str | None) -> list[Result]:
    """The results of runs, which are made one by one; CI services are told of them as well."""
    import os

    if not junit and os.environ.get("GITHUB_ACTIONS") != "true":
        return list(runs)
    from lab.report.ci.publish import publish

    return publish(runs, junit)


def print_result(result: Result, options: Namespace) -> None:
    """The report of one run; with --json its document, one after another for several."""
    if options.json:
        from lab.report.document.report import write_document

        print(write_document(result.document), end="")
        return
    from lab.report.terminal.page import Page, draw_closing, draw_report

    page = Page(ascii_only=options.ascii)
    page.print(
        draw_report(result.timelines, result.ladders, result.judgements, result.title, page.style)
    )
    page.print(draw_closing(result.judgements, result.folder, result.note, page.style))
