from __future__ import annotations

from pathlib import Path

import pytest
import recorded as r

from lab.report.terminal.claims import draw_claims_briefly, draw_summary
from lab.report.terminal.drawing.style import OUTCOME_COLUMNS, Style
from scenarios.tcp import SCENARIO

TITLE = f"tcp over IPv4: {SCENARIO.summary}"
WIDTHS = [60, 80, 100, 120, 200]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\b\u202e\u2028 end"
GOLDEN = Path(__file__).parent / "tcp4.txt"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_summary_names_each_claim_and_why_it_does_not_hold(width: int) -> None:
    _, judgements = r.judged(r.without(19, 20)(r.recorded(4)))
    lines = [line.plain for line in draw_summary("tcp", judgements, Style(width, True))]
    assert lines[0] == "-- tcp " + "-" * (width - 7)
    assert len(judgements) == len(SCENARIO.claims)
    told = [
        line.partition(" ")[0] for line in lines if line.startswith(("HOLDS", "BROKEN", "SKIP"))
    ]
    assert told == [judgement.verdict.outcome.value for judgement in judgements]
    untraced = [line for line in lines if line.strip().startswith("no system call on a socket")]
    assert len(untraced) == told.count("SKIPPED") == len(SCENARIO.claims) - len(r.CLAIMS)
    assert any(line.strip().startswith("the connection ended otherwise") for line in lines)
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [60, 80])
def test_a_claim_that_holds_has_its_whole_sentence(width: int) -> None:
    _, judgements = r.judged(r.recorded(4))
    lines = [line.plain for line in draw_claims_briefly(judgements, Style(width, True))]
    said = " ".join(" ".join(lines).split())
    assert all(judgement.text in said for judgement in judgements)
    assert max(len(judgement.text) for judgement in judgements) > width - OUTCOME_COLUMNS
    assert max(map(len, lines)) <= width


def test_the_summary_names_programs_that_failed() -> None:
    lines = [line.plain for line in draw_summary("x", (), Style(80, True), ("program a died",))]
    assert lines[1] == "program a died"
