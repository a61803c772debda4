"""junit.xml: a testsuite for each student, a testcase for each check.

What is not as expected is a failure, what is undecided an error: neither passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from lab.report.ci.junit import add_outcome, count_cases, xml_text
from lab.report.svg.visible import visible, visible_lines

if TYPE_CHECKING:
    from lab.grade.mark import Grade, Mark
    from lab.grade.sheet import Sheet


def grades_junit(sheet: Sheet, grades: Sequence[Grade]) -> bytes:
    """The XML document, UTF-8."""
    root = ElementTree.Element("testsuites", name=xml_text(visible(sheet.title)))
    for grade in grades:
        suite = ElementTree.SubElement(root, "testsuite", name=xml_text(visible(grade.student)))
        for mark in grade.marks:
            _add_case(suite, grade, mark)
        count_cases(suite)
    count_cases(root)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def _add_case(suite: ElementTree.Element, grade: Grade, mark: Mark) -> None:
    student = xml_text(visible(grade.student))
    name = xml_text(f"{mark.check.name}: {visible(mark.check.sentence)}")
    case = ElementTree.SubElement(suite, "testcase", classname=student, name=name)
    if not mark.passed:
        tag = "error" if mark.is_undecided else "failure"
        text = visible_lines(mark.text) or visible(mark.why)
        add_outcome(case, tag, mark.outcome.value, visible(mark.why), text)
