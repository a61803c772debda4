from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.model.claim import Judgement, Verdict, broken, holds, undecided
from lab.model.event import frame_id
from lab.records import KeyLog, RanAs
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.opening import (
    draw_evidence,
    draw_opening,
    draw_power,
    draw_secrets,
    draw_verdict,
    draw_warnings,
)
from scenarios.tcp import SCENARIO

LESSON = SCENARIO.lesson
assert LESSON is not None
OTHER = next(
    claim for claim in SCENARIO.claims if claim.check not in {c.check for c in LESSON.claims}
)


def judged(**verdicts: Verdict) -> list[Judgement]:
    """The scenario's claims, all of which hold but those that are named."""
    sure = holds("seen", [frame_id(3)])
    named = {claim.name.replace("-", "_"): claim for claim in SCENARIO.claims}
    assert set(verdicts) <= set(named)
    return [Judgement(c, verdicts.get(n, sure), c.text) for n, c in named.items()]


def opening(judgements: list[Judgement], width: int = 80, failures: tuple[str, ...] = ()) -> str:
    style = Style(width, ascii_only=True)
    lines = [x.plain for x in draw_opening("tcp", LESSON, judgements, failures, style)]
    assert max(map(len, lines)) <= width
    return "\n".join(lines)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_question_and_the_verdict_come_first_and_the_answer_with_its_evidence(
    width: int,
) -> None:
    text = opening(judged(), width)
    assert LESSON is not None
    places = [text.index(word) for word in ("Question", "Predict", "Look at", "HOLDS", "Answer")]
    assert places == sorted(places)
    flat = " ".join(text.split())
    assert f"{LESSON.answer} [f3]" in flat
    assert f"HOLDS {len(SCENARIO.claims)} claims: {len(SCENARIO.claims)} HOLDS" in flat


@pytest.mark.parametrize("verdict", [broken("it is not", [frame_id(3)]), undecided("blind")])
def test_no_answer_is_given_of_a_run_that_does_not_show_it(verdict: Verdict) -> None:
    assert LESSON is not None
    deciding = LESSON.claims[0].name.replace("-", "_")
    text = " ".join(opening(judged(**{deciding: verdict})).split())
    assert LESSON.answer not in text
    assert f"not shown by this run. {verdict.outcome.value}: {LESSON.claims[0].text}" in text
    assert verdict.why in text


def test_another_claim_that_does_not_hold_leaves_the_answer_and_not_the_verdict() -> None:
    assert LESSON is not None
    text = " ".join(opening(judged(**{OTHER.name.replace("-", "_"): broken("no")})).split())
    assert LESSON.answer in text
    assert "BROKEN 14 claims: 13 HOLDS, 1 BROKEN" in text


def test_programs_that_failed_are_named() -> None:
    assert "  program server died" in opening(judged(), failures=("program server died",))


def test_a_run_without_claims_has_no_verdict_but_that_there_are_none() -> None:
    assert draw_verdict([], Style(80, True)).plain == "SKIPPED    0 claims: none"


@pytest.mark.parametrize(("uid", "is_said"), [(0, True), (1000, False)])
def test_that_programs_ran_as_root_is_said_unasked(uid: int, *, is_said: bool) -> None:
    who = RanAs("root", uid, ("CAP_NET_RAW",), (), (), host_files=False)
    timelines = build_timelines(replace(r.recorded(4), ran_as=who))
    lines = [line.plain for line in draw_power(timelines, Style(80, ascii_only=True))]
    assert any("programs ran as root (uid 0)" in line for line in lines) is is_said


def test_that_secrets_are_in_the_files_is_said_unasked() -> None:
    style = Style(80, ascii_only=True)
    timelines = build_timelines(r.recorded(4))
    assert list(draw_secrets(timelines, style)) == []
    secret = f"CLIENT_RANDOM {'01' * 32} {'02' * 48}\n"
    logs = (KeyLog("client", secret),)
    timelines = build_timelines(replace(r.recorded(4), key_logs=logs))
    said = " ".join(line.plain.strip() for line in draw_secrets(timelines, style))
    assert "hold TLS secrets of client" in said
    assert secret[20:40] not in said


def test_the_evidence_names_the_instruments_and_the_warnings_what_is_missing() -> None:
    style = Style(80, ascii_only=True)
    timelines = build_timelines(r.recorded(4))
    evidence = [line.plain for line in draw_evidence(timelines, style)]
    assert "canaries seen" in evidence[0]
    assert any("SOCK_RAW" in line for line in evidence)
    assert list(draw_warnings(timelines, style)) == []
    blind = build_timelines(r.incomplete(r.recorded(4)))
    warning, *_ = [line.plain for line in draw_warnings(blind, style)]
    assert warning == "  INCOMPLETE CAPTURE: the kernel dropped 1 frame at client/eth0"
