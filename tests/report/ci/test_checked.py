from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lab.model.claim import Outcome, Verdict
from lab.report.ci.checked import Checked, checked_annotations, checked_junit

MET = Checked("No reset.", Verdict(Outcome.HOLDS, "none was seen", is_observed=True), "")
NOT_MET = Checked("No <b>.", Verdict(Outcome.BROKEN, "f3 is\x1b one"), "shown\nin lines")
OPEN = Checked("Silent: all, 100%.", Verdict(Outcome.UNDECIDED, "cut short"), "of it")


def test_each_expectation_is_a_case_of_the_files_suite() -> None:
    root = ElementTree.fromstring(checked_junit("a & b.pcap", [MET, NOT_MET, OPEN]))
    (suite,) = root
    assert suite.get("name") == "a & b.pcap"
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "3", "failures": "1", "errors": "1", "skipped": "0"}
    assert {name: root.get(name) for name in counts} == counts
    assert [case.get("name") for case in suite] == ["No reset.", "No <b>.", "Silent: all, 100%."]
    assert [[each.tag for each in case] for case in suite] == [[], ["failure"], ["error"]]


@pytest.mark.parametrize(
    ("place", "kind", "message", "text"),
    [(1, "BROKEN", r"f3 is\x1b one", "shown\nin lines"), (2, "UNDECIDED", "cut short", "of it")],
)
def test_what_is_not_met_is_said(place: int, kind: str, message: str, text: str) -> None:
    root = ElementTree.fromstring(checked_junit("x", [MET, NOT_MET, OPEN]))
    (outcome,) = root[0][place]
    assert (outcome.get("type"), outcome.get("message")) == (kind, message)
    assert outcome.text == text


def test_annotations_are_of_what_is_not_met() -> None:
    assert list(checked_annotations("a:b.pcap", [MET, NOT_MET, OPEN])) == [
        "::error title=a%3Ab.pcap BROKEN::No <b>. f3 is\x1b one",
        "::error title=a%3Ab.pcap UNDECIDED::Silent: all, 100%25. cut short",
    ]
