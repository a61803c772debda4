"""`wirelab check`: a capture file from anywhere, judged by what is expected of it."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator

    from lab.expect.expectation import Expectation
    from lab.report.ci.checked import Checked
    from lab.results import Capture


def execute(options: Namespace) -> int:
    """Print what becomes of each expectation, and where it is not met, why."""
    from lab.cli.expected.snapshot import read_snapshot
    from lab.errors import UsageError
    from lab.expect.words import parse_expectation
    from lab.model.claim import Outcome
    from lab.report.ci.publish import publish_checked

    words = list(dict.fromkeys(options.expect))
    if options.snapshot:
        words.append(f"looks-like:{read_snapshot(options.snapshot)}")
    if not words:
        raise UsageError("check what? Give --expect, again for each; `wirelab expect` lists all")
    wanted = [parse_expectation(each) for each in words]
    checks = _all_checked(wanted, options)
    found = [each.verdict.outcome for each in publish_checked(options.file, checks, options.junit)]
    if Outcome.BROKEN in found:
        return 1
    return 4 if Outcome.UNDECIDED in found else 0


def _all_checked(wanted: Iterable[Expectation], options: Namespace) -> Iterator[Checked]:
    from lab.capture_files import load_capture

    capture = load_capture(options.file)
    for expectation in wanted:
        yield _checked(capture, expectation, options)


def _checked(capture: Capture, expectation: Expectation, options: Namespace) -> Checked:
    from rich.text import Text

    from lab.expect.failure import ExpectationFailed
    from lab.report.ci.checked import Checked
    from lab.report.terminal.page import Page

    page = Page(ascii_only=options.ascii)
    try:
        verdict = capture.expect(expectation)
    except ExpectationFailed as failure:
        page.print(Text(page.style.drawn(line)) for line in (*str(failure).splitlines(), ""))
        return Checked(expectation.sentence, failure.verdict, str(failure))
    page.print([Text(f"{verdict.outcome.value}: {expectation.sentence}"), Text(f"  {verdict.why}")])
    return Checked(expectation.sentence, verdict, "")
