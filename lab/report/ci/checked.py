"""What became of expectations of a capture file, for CI services: JUnit XML and annotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from lab.frozen import frozen
from lab.model.claim import Outcome
from lab.report.ci.github import annotation
from lab.report.ci.junit import add_outcome, count_cases, xml_text

if TYPE_CHECKING:
    from lab.model.claim import Verdict

_TAGS = {Outcome.BROKEN: "failure", Outcome.UNDECIDED: "error"}


@frozen
class Checked:
    """One expectation, and what became of it."""

    sentence: str
    verdict: Verdict
    text: str
    """Where it is not met: expected beside actual, the ladder around the place."""


def checked_junit(file: str, checked: Sequence[Checked], error: str = "") -> bytes:
    """The XML document, UTF-8: one testsuite for the file, a testcase for each expectation.

    What is BROKEN is a failure, what is UNDECIDED an error. `error` is what ended the command
    early, or "".
    """
    root = ElementTree.Element("testsuites", name="wirelab")
    suite = ElementTree.SubElement(root, "testsuite", name=xml_text(file))
    for each in checked:
        case = ElementTree.SubElement(
            suite, "testcase", classname=xml_text(f"wirelab.{file}"), name=xml_text(each.sentence)
        )
        outcome, why = each.verdict.outcome, each.verdict.why
        if outcome in _TAGS:
            add_outcome(case, _TAGS[outcome], outcome.value, why, each.text)
    if error:
        case = ElementTree.SubElement(suite, "testcase", classname="wirelab", name="the command")
        add_outcome(case, "error", "ended early", error, error)
    for element in (suite, root):
        count_cases(element)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def checked_annotations(file: str, checked: Sequence[Checked], error: str = "") -> Iterator[str]:
    """A workflow command of GitHub's for each expectation that is not met, and for the error."""
    if error:
        yield annotation(error, file)
    for each in checked:
        outcome = each.verdict.outcome
        if outcome in _TAGS:
            yield annotation(f"{each.sentence} {each.verdict.why}", f"{file} {outcome.value}")
