"""The page of two runs against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.analysis.difference.difference import Aligned, Compared, Found, RunDifference
from lab.report.html.plain_page import PageSection, plain_page

_SIGNS = {Found.BOTH: "", Found.FIRST: "−", Found.SECOND: "+", Found.OTHERWISE: "≠"}


def diff_page(difference: RunDifference, first: str, second: str, title: str) -> str:
    """The page; `first` and `second` are where the runs are."""
    said = "Nothing differs but times." if difference.is_same else "What differs between two runs"
    sections = [*_sections(difference, first, second)]
    return plain_page(title, said, "", sections)


def _sections(difference: RunDifference, first: str, second: str) -> Iterator[PageSection]:
    head = ("", first, second, "")
    yield _compared("Claims", head, difference.claims)
    for step in difference.steps:
        yield _compared(f"{step.step}: counts and times", head, step.measures)
        yield _aligned(f"{step.step}: frames", step.frames)
        if step.states:
            yield _aligned(f"{step.step}: TCP states", step.states)


def _compared(title: str, head: Sequence[str], rows: Sequence[Compared]) -> PageSection:
    cells = [(each.name, each.first, each.second, _SIGNS[each.found]) for each in rows]
    return PageSection(title, [head, *cells], [each.found.value for each in rows])


def _aligned(title: str, events: Sequence[Aligned]) -> PageSection:
    cells = [(each.text, _SIGNS[each.found]) for each in events]
    notes = ("− is in the first run alone, + in the second alone.",)
    return PageSection(title, [("event", ""), *cells], [each.found.value for each in events],
                       notes=notes)  # fmt: skip
