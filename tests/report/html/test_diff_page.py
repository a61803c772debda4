from __future__ import annotations

import recorded as r
from scenes import Parsed

from lab.analysis.difference.difference import compare_runs
from lab.report.html.diff_page import diff_page


def page(*edits: r.Edit) -> Parsed:
    changed = r.both(*edits)(r.recorded(4))
    runs = r.judged(r.recorded(4), r.CLAIMS), r.judged(changed, r.CLAIMS)
    return Parsed(diff_page(compare_runs(*runs), "runs/a", "runs/b", "tcp"))


def test_what_one_run_has_alone_is_marked() -> None:
    parsed = page(r.without(7))
    marks = [attributes.get("class") for tag, attributes in parsed.elements if tag == "tr"]
    assert marks.count("first") == 1
    assert "What differs between two runs" in parsed.text


def test_equal_runs_are_said_to_be_equal() -> None:
    assert "Nothing differs but times." in page().text
