from __future__ import annotations

from results import result_with

from lab.model.claim import Claim, broken, skipped, undecided
from lab.report.ci.github import annotate, summarize
from lab.report.ci.junit import Place


def place_of(claim: Claim) -> Place:
    return f"checks/{claim.name}.py", 38


def test_what_holds_is_not_annotated() -> None:
    assert list(annotate([result_with({})], place_of)) == []


def test_a_broken_claim_is_an_error_at_its_line() -> None:
    result = result_with({"tcp-opens": broken("50 % lost,\nwhy: none")})
    (line,) = annotate([result], place_of)
    assert line == (
        "::error file=checks/opens.py,line=38,title=tcp-opens BROKEN::The connection opens with "
        "SYN, SYN-ACK and ACK, whose numbers fit. 50 %25 lost,%0Awhy: none"
    )


def test_undecided_is_an_error_and_skipped_no_news() -> None:
    verdicts = {
        "tcp-opens": undecided("incomplete capture"),
        "tcp-closes": skipped("no such thing"),
    }
    (line,) = annotate([result_with(verdicts)], place_of)
    assert line.startswith("::error file=checks/opens.py,line=38,title=tcp-opens UNDECIDED::")


def test_a_claim_that_no_file_of_the_reader_s_has_is_named_alone() -> None:
    result = result_with({"tcp-opens": broken("no")})
    (line,) = annotate([result], lambda claim: None)
    assert line.startswith("::error title=tcp-opens BROKEN::")


def test_a_failed_program_is_an_error() -> None:
    (line,) = [
        line
        for line in annotate([result_with({}, failure="crashed: 100 %")], place_of)
        if line.startswith("::error title=tcp::")
    ]
    assert line.endswith("crashed: 100 %25")


def test_the_summary_is_a_table_of_claims() -> None:
    text = summarize([result_with({"tcp-opens": broken("a | b <i> `c`\n* d")})])
    lines = text.splitlines()
    assert lines[0] == "### wirelab: tcp over IPv4: a stream"
    assert lines[3] == "| claim | verdict | why |"
    (row,) = [line for line in lines if "BROKEN" in line]
    assert row.endswith("| BROKEN | a \\| b \\<i\\> \\`c\\` \\* d |")
    assert sum("HOLDS" in line for line in lines) == 9


def test_the_summary_names_a_failed_program() -> None:
    text = summarize([result_with({}, failure="was killed by SIGSEGV")])
    assert "**program failed:**" in text and "was killed by SIGSEGV" in text
