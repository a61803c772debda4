from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

import pytest
from scenes import Parsed, recorded_page, recorded_result

from lab.derive import derived
from lab.model.claim import Outcome, Verdict
from lab.records import KeyLog
from lab.report.html.run_page import MOST_EVIDENCE


def texts(page: str) -> str:
    return " ".join(" ".join(Parsed(page).text).split())


def test_question_and_verdict_come_first() -> None:
    said = texts(recorded_page("traced-tcp4"))
    question, verdict = said.index("What do connect(), send()"), said.index("14 claims: 14 HOLDS")
    assert question < verdict < said.index("Claims") < said.index("How it was recorded")


def test_each_claim_has_its_verdict_and_leads_to_its_evidence() -> None:
    parsed = Parsed(recorded_page("traced-tcp4"))
    links = [attributes["href"] for tag, attributes in parsed.elements if tag == "a"]
    assert {"#conversation/f3", "#conversation/client%232"} <= set(links)
    events = {event["id"] for event in parsed.part()["events"]}
    for link in links[1:]:
        assert unquote(link or "").partition("/")[2] in events


@pytest.mark.parametrize("name", ["tcp4", "traced-tcp4", "udp4", "traced-unix4", "buffers"])
def test_all_evidence_is_a_link_to_an_event_of_its_part(name: str) -> None:
    parsed, result = Parsed(recorded_page(name)), recorded_result(name)
    events = {
        timeline.step: {event["id"] for event in parsed.part(number)["events"]}
        for number, timeline in enumerate(result.timelines)
    }
    links = {
        attributes["href"] or "" for tag, attributes in parsed.elements if tag == "a"
    } - {"#ladder"}  # fmt: skip
    for link in links:
        step, _, event = unquote(link.removeprefix("#")).partition("/")
        assert event in events[step]
    linked = {unquote(link).partition("/")[2] for link in links}
    evidence = {str(each) for judged in result.judgements for each in judged.verdict.evidence}
    assert linked == evidence
    assert any(":" in each for each in evidence)


def test_of_very_much_evidence_a_part_has_links(monkeypatch: pytest.MonkeyPatch) -> None:
    result = recorded_result("tcp4")
    first, *rest = result.judgements
    many = first.verdict.evidence * 100
    judged = replace(first, verdict=replace(first.verdict, evidence=many))
    page = derived(replace(result, judgements=(judged, *rest)), "html").decode()
    assert f"and {len(many) - MOST_EVIDENCE} more, in report.json" in texts(page)
    assert f"and {len(many) - 6} more" in texts(page)


def test_that_secrets_are_in_the_files_is_said() -> None:
    result = recorded_result("tcp4")
    logs = (KeyLog("client", f"CLIENT_RANDOM {'01' * 32} {'02' * 48}\n"),)
    recording = replace(result.recording, key_logs=logs)
    timelines = tuple(replace(each, recording=recording) for each in result.timelines)
    page = derived(replace(result, timelines=timelines), "html").decode()
    assert "hold TLS secrets of client" in texts(page)
    assert "02" * 48 not in page


def test_a_broken_claim_and_what_failed_are_said() -> None:
    result = recorded_result("tcp4")
    first, *rest = result.judgements
    broken = replace(first, verdict=Verdict(Outcome.BROKEN, "f9 has <no> reason"))
    timeline = result.timelines[0]
    failed = replace(timeline.programs[0], failure="exited with status 1")
    changed = replace(
        result,
        judgements=(broken, *rest),
        timelines=(replace(timeline, programs=(failed, *timeline.programs[1:])),),
    )
    said = texts(derived(changed, "html").decode("utf-8"))
    assert "BROKEN" in said
    assert "f9 has <no> reason" in said
    assert "program server exited with status 1" in said


def test_a_run_of_several_steps_offers_each() -> None:
    parsed = Parsed(recorded_page("traced-udp4"))
    steps = [timeline.step for timeline in recorded_result("traced-udp4").timelines]
    assert [name for name in parsed.scripts if name.startswith("part-")] == [
        f"part-{number}" for number in range(len(steps))
    ]
    assert set(steps) <= set(parsed.text)


def test_each_cause_leads_to_what_shows_it() -> None:
    parsed = Parsed(recorded_page("traced-reset4"))
    said = " ".join(" ".join(parsed.text).split())
    assert "What happened, and why unread server#7 (close) of server threw away 20 bytes" in said
    assert "TcpExtTCPAbortOnClose +1 on server" in said
    links = {attributes["href"] for tag, attributes in parsed.elements if tag == "a"}
    assert {"#unread/server%237", "#unread/f8", "#crash/f20"} <= links


def test_a_run_without_causes_has_no_such_section() -> None:
    assert "What happened, and why" not in texts(recorded_page("traced-tcp4"))
