from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from event_ids import event
from results import result_with
from step_edits import recording_of

from lab.analysis.assembly import build_timelines
from lab.model.claim import Claim, Judgement, Verdict, broken, skipped, undecided
from lab.report.ci.junit import Place, junit_document
from lab.results import Result
from scenarios.connections.reset import SCENARIO as RESET


def place_of(claim: Claim) -> Place:
    return f"checks/{claim.name}.py", 38


def parsed(verdicts: dict[str, Verdict], failure: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(junit_document([result_with(verdicts, failure)], place_of))


def case(root: ElementTree.Element, claim: str) -> ElementTree.Element:
    (found,) = [c for c in root.iter("testcase") if c.get("name", "").startswith(f"{claim}:")]
    return found


def test_a_run_is_a_suite_and_a_claim_a_case() -> None:
    (suite,) = parsed({})
    assert suite.get("name") == "tcp over IPv4"
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("10", "0", "0")
    assert float(suite.get("time", "")) > 0
    opens = case(suite, "tcp-opens")
    assert opens.get("classname") == "wirelab.tcp.IPv4"
    assert (opens.get("file"), opens.get("line")) == ("checks/opens.py", "38")
    assert list(opens) == []
    assert case(suite, "tcp-closes").get("file") == "checks/closes.py"


@pytest.mark.parametrize(
    ("verdict", "tag", "counted"),
    [
        (broken("it was so", [event("f3")]), "failure", "failures"),
        (undecided("incomplete capture", [event("f3")]), "error", "errors"),
        (skipped("no SCTP"), "skipped", "skipped"),
    ],
)
def test_each_outcome_has_its_element_and_is_counted(
    verdict: Verdict, tag: str, counted: str
) -> None:
    root = parsed({"tcp-opens": verdict})
    (element,) = case(root, "tcp-opens")
    assert (element.tag, element.get("message")) == (tag, verdict.why)
    assert (element.text or "").splitlines()[0] == verdict.why
    for counting in (root, root[0]):
        assert counting.get(counted) == "1"
        others = {"failures", "errors", "skipped"} - {counted}
        assert all(counting.get(other) == "0" for other in others)


def test_a_broken_claim_shows_its_source_and_evidence() -> None:
    root = parsed({"tcp-opens": broken("it was so", [event("f3"), event("client:1")])})
    (element,) = case(root, "tcp-opens")
    assert element.text == "it was so\nRFC 9293, 3.5. Seen in: f3, client:1"


def test_a_failed_program_is_an_error() -> None:
    root = parsed({}, failure="was killed by SIGSEGV")
    (programs,) = [c for c in root.iter("testcase") if c.get("name") == "programs"]
    assert programs[0].tag == "error"
    assert "was killed by SIGSEGV" in programs[0].get("message", "")
    assert programs[0].text == programs[0].get("message")


def test_no_two_cases_of_both_families_have_one_name() -> None:
    other = result_with({}, failure="failed", family=6)
    root = ElementTree.fromstring(
        junit_document([result_with({}, failure="failed"), other], place_of)
    )
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names)) == 22


def test_what_ended_the_command_is_an_error_beside_the_results() -> None:
    root = ElementTree.fromstring(junit_document([result_with({})], place_of, "no such scenario"))
    assert (root.get("tests"), root.get("errors")) == ("11", "1")
    (error,) = [case[0] for case in root.iter("testcase") if case.get("classname") == "wirelab"]
    assert (error.tag, error.get("type"), error.text) == (
        "error",
        "ended early",
        "no such scenario",
    )


def test_what_xml_cannot_hold_is_escaped() -> None:
    root = parsed({"tcp-opens": broken('a\x1b[0m "<&>" \ud800 \ufffe \n é')})
    (element,) = case(root, "tcp-opens")
    assert element.get("message", "").startswith('a\\x1b[0m "<&>" \\xd800 \\xfffe')
    assert "é" in element.get("message", "")


def test_a_broken_claim_says_why_what_surprised_went_so() -> None:
    timelines = build_timelines(recording_of("traced-reset4"))
    (unread, *_, last) = RESET.claims[:4]
    assert (unread.step_names, last.step_names) == (("unread",), ("crash",))
    judgements = (Judgement(unread, broken("no"), ""), Judgement(last, undecided("no"), ""))
    result = Result(timelines, judgements, "reset", "reset", RESET, Path("runs/x"))
    root = ElementTree.fromstring(junit_document([result], place_of))
    (said,) = root.iter("failure")
    (other,) = root.iter("error")
    lines = (said.text or "").splitlines()
    assert len([line for line in lines if line.startswith("Why: ")]) == 1
    assert lines[-1].startswith("Why: server#7 (close) of server threw away 20 bytes of 25")
    assert lines[-1].endswith("(RFC 1122, 4.2.2.13; RFC 9293, 3.6.1)")
    assert "Why: " not in (other.text or "")
