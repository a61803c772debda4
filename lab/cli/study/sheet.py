"""`wirelab sheet`: a worksheet of a scenario, from a real run, and its key."""

from __future__ import annotations

from pathlib import Path

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.results import Result
    from lab.study.worksheet import Worksheet


def execute(options: Namespace) -> int:
    """Write the worksheet and its key, and say where they are."""
    from lab.derive import write_bytes, write_text
    from lab.report.study.worksheet_page import key_page, worksheet_page

    result = _run(options)
    sheets = _sheets(result, options)
    title = f"{result.heading}, worksheet {options.seed}"
    pages = (
        ("", worksheet_page(title, result.lesson, sheets)),
        ("-key", key_page(title, result.lesson, sheets)),
    )
    html, pdf = options.html, options.pdf
    if not html and not pdf:
        html = f"{result.scenario}-{options.seed}.html"
    for kind, page in pages:
        if html:
            write_text(page, target := _beside(html, kind))
            print(target)
        if pdf:
            from lab.report.study.pdf import print_page

            write_bytes(print_page(page), target := _beside(pdf, kind))
            print(target)
    return 0


def _run(options: Namespace) -> Result:
    """The run of that folder, or of the scenario, which is run now."""
    import os

    from lab.run import judged, run_scenario
    from lab.scenario_files import find_scenario

    if os.sep in options.name:
        return judged(options.name)
    from lab.model.family import Family

    path = find_scenario(options.name, options.scenarios)
    return run_scenario(path, Family(int(options.family)), options.out, options.trace, pages=False)


def _sheets(result: Result, options: Namespace) -> list[Worksheet]:
    """Of each step that has something to fill in, or of the one that was asked for."""
    from lab.errors import UsageError
    from lab.study.worksheet import make_worksheet

    steps = {
        timeline.step: (timeline, ladder)
        for timeline, ladder in zip(result.timelines, result.ladders, strict=True)
    }
    if options.step:
        if options.step not in steps:
            raise UsageError(f"the run has no step {options.step!r}; it has {', '.join(steps)}")
        steps = {options.step: steps[options.step]}
    made, refused = [], []
    for timeline, ladder in steps.values():
        try:
            made.append(make_worksheet(timeline, ladder, options.seed, options.gaps))
        except UsageError as error:
            refused.append(str(error))
    if not made:
        raise UsageError("; ".join(refused))
    return made


def _beside(file: str, kind: str) -> Path:
    """The file, or that of its key: "tcp.html", "tcp-key.html"."""
    path = Path(file)
    return path.with_name(f"{path.stem}{kind}{path.suffix}")
