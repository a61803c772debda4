"""Results as a JUnit XML file, which CI services read.

One testsuite for each run, one testcase for each claim, and one for the programs where some
failed. BROKEN is a failure, UNDECIDED an error, SKIPPED is skipped.
Source: the form that the services agree on, https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from lab.analysis.causes.find import find_causes
from lab.model.claim import Claim, Judgement, Outcome

if TYPE_CHECKING:
    from lab.results import Result

Place = tuple[str, int]
"""A file's name and a line in it."""

PlaceOf = Callable[[Claim], "Place | None"]
"""Where a claim is written; None where nobody who reads this could look."""

_ELEMENTS = {Outcome.BROKEN: "failure", Outcome.UNDECIDED: "error", Outcome.SKIPPED: "skipped"}


def junit_document(results: Sequence[Result], place_of: PlaceOf, error: str = "") -> bytes:
    """The XML document, UTF-8.

    `error` is what ended the command
    early, or "".
    """
    root = ElementTree.Element("testsuites", name="wirelab")
    for result in results:
        root.append(_suite(result, place_of))
    if error:
        suite = ElementTree.SubElement(root, "testsuite", name="wirelab")
        case = ElementTree.SubElement(suite, "testcase", classname="wirelab", name="the command")
        add_outcome(case, "error", "ended early", error, error)
        count_cases(suite)
    count_cases(root)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def _suite(result: Result, place_of: PlaceOf) -> ElementTree.Element:
    recording = result.timelines[0].recording
    ended_ns = max((run.ended_ns for run in recording.programs), default=recording.started_ns)
    suite = ElementTree.Element(
        "testsuite",
        name=_name(result),
        time=f"{(ended_ns - recording.started_ns) / 1e9:.3f}",
        timestamp=_timestamp(recording.started_ns),
    )
    properties = ElementTree.SubElement(suite, "properties")
    facts = [("kernel", recording.kernel), ("artifacts", str(result.folder))]
    for name, value in (*facts, *(("instrument", str(each)) for each in recording.instruments)):
        ElementTree.SubElement(properties, "property", name=name, value=xml_text(value))
    for judgement in result.judgements:
        suite.append(_case(judgement, _class(result), place_of, _causes(judgement, result)))
    if result.failures:
        case = ElementTree.SubElement(suite, "testcase", classname=_class(result), name="programs")
        why = "; ".join(result.failures)
        add_outcome(case, "error", "program failed", why, why)
    count_cases(suite)
    return suite


def _name(result: Result) -> str:
    """The scenario, and the family if it has one: "tcp over IPv4"."""
    family = result.recording.family
    return xml_text(result.scenario + (f" over IPv{family.value}" if family else ""))


def _class(result: Result) -> str:
    """The same as a class: some services take cases of one class and name for one case."""
    family = result.recording.family
    return xml_text(f"wirelab.{result.scenario}" + (f".IPv{family.value}" if family else ""))


def _timestamp(time_ns: int) -> str:
    """To the second, as ISO 8601 has it, without the zone: UTC."""
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%S}"


def _case(
    judgement: Judgement, named: str, place_of: PlaceOf, causes: Sequence[str]
) -> ElementTree.Element:
    claim, verdict = judgement.claim, judgement.verdict
    case = ElementTree.Element(
        "testcase",
        classname=named,
        name=xml_text(f"{claim.id}: {judgement.text}"),
    )
    if place := place_of(claim):
        file, line = place
        case.set("file", xml_text(file))
        case.set("line", str(line))
    if verdict.outcome in _ELEMENTS:
        text = verdict.why
        if verdict.outcome is not Outcome.SKIPPED:
            seen = ", ".join(map(str, verdict.evidence)) or "no event"
            text = f"{verdict.why}\n{claim.source}. Seen in: {seen}"
            text = "\n".join((text, *causes))
        add_outcome(case, _ELEMENTS[verdict.outcome], verdict.outcome.value, verdict.why, text)
    return case


def _causes(judgement: Judgement, result: Result) -> list[str]:
    """Of a claim that does not hold: why what surprised in its steps went so, a line each."""
    if judgement.verdict.outcome is not Outcome.BROKEN:
        return []
    steps = judgement.claim.step_names or (result.timelines[0].step,)
    return [
        cause.below_a_failure(judgement.verdict.evidence)
        for timeline in result.timelines
        if timeline.step in steps
        for cause in find_causes(timeline)
    ]


def add_outcome(case: ElementTree.Element, tag: str, kind: str, message: str, text: str) -> None:
    """Add the outcome of a test case. Some services show the message, some the text."""
    element = ElementTree.SubElement(case, tag, type=kind, message=xml_text(message))
    element.text = xml_text(text)


def count_cases(element: ElementTree.Element) -> None:
    """Set the numbers of cases of each kind."""
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(1 for _ in element.iter(tag))))


def xml_text(text: str) -> str:
    """The text without the characters that XML cannot hold. Source: XML 1.0, 2.2, Char."""
    return "".join(c if _is_xml(ord(c)) else f"\\x{ord(c):02x}" for c in text)


def _is_xml(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
