"""The page of a scenario."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scenes import recorded_result

from site_pages.runs import SiteRun
from site_pages.scenario_page import scenario_page, shown_first


def run_of(recording: str, *, is_recorded: bool = False) -> SiteRun:
    result = recorded_result(recording)
    name = result.scenario
    return SiteRun(name, Path(f"scenarios/{name}.py"), result.judged_by, result, is_recorded)


def page(run: SiteRun) -> str:
    return scenario_page(
        run, "## Exercises\n\nTry.", {"scenarios/x.py": "source/scenarios/x.py.md"}
    )


def test_it_asks_before_it_answers() -> None:
    run = run_of("traced-tcp4")
    lesson = run.scenario.lesson
    assert lesson is not None
    text = page(run)
    order = [
        lesson.question, lesson.predict, "$ ./wirelab run tcp\n", lesson.look,
        "../runs/tcp/report.html", "<details", lesson.answer, lesson.claims[0].text, "## Exercises",
        "(../source/scenarios/x.py.md)",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_summary_begins_with_a_capital_but_for_the_name_of_a_function() -> None:
    assert "\nA stream between a client and" in page(run_of("traced-tcp4"))
    assert "\nshutdown() closes one direction, " in page(run_of("half-close4"))


def test_the_ladder_opens_at_what_answers_the_question() -> None:
    result = recorded_result("traced-tcp4")
    fragment = shown_first(result)
    assert fragment == "#conversation/f3"
    lesson = result.lesson
    assert lesson is not None
    (opens,) = (j for j in result.judgements if j.claim.name == lesson.claims[0].name)
    assert str(opens.verdict.evidence[0]) == "f3"


def test_a_step_of_several_words_is_escaped_in_the_address() -> None:
    fragment = shown_first(recorded_result("backlog4"))
    assert fragment.startswith("#a%20SYN%20too%20many/f")


@pytest.mark.parametrize("recording", ["unix4", "buffers"])
def test_a_run_that_shows_no_frame_opens_at_its_top_or_at_a_frame_of_its(recording: str) -> None:
    result = recorded_result(recording)
    has_frames = any(timeline.crossing_of for timeline in result.timelines)
    assert bool(shown_first(result)) is has_frames


def test_the_table_of_a_run_is_shown_folded_before_its_ladder() -> None:
    run = run_of("buffers")
    assert run.result is not None and run.result.table is not None
    text = page(run)
    assert "|  | bytes a write | held there |" in text
    first = [cell.replace("_", r"\_") for cell in run.result.table.rows[0]]
    assert f"\n| {' | '.join(first)} |\n" in text
    assert text.index("The table of this run") < text.index("report.html")
    assert "The table of this run" not in page(run_of("traced-tcp4"))


def test_the_table_of_steps_that_a_lesson_sends_to_is_on_the_page() -> None:
    run = run_of("calls4")
    assert run.scenario.lesson is not None
    assert run.scenario.lesson.look.startswith("the table of steps")
    text = page(run)
    assert "<summary>The table of steps of this run</summary>" in text
    assert "\n| stream-send | 16 frames, as stream-write" in text
    assert "table of steps" not in page(run_of("traced-tcp4"))


def test_a_recorded_run_is_said_to_be_one() -> None:
    assert "A run made for this page" in page(run_of("traced-tcp4"))
    assert "A run that was recorded some day" in page(run_of("traced-tcp4", is_recorded=True))


def test_without_a_run_the_page_says_so() -> None:
    text = page(replace(run_of("traced-tcp4"), result=None))
    assert "No ladder here" in text and "<iframe" not in text


def test_a_network_of_more_than_two_hosts_is_described() -> None:
    text = page(run_of("nat4"))
    assert "`nat` (NAT)" in text and "`s1` (switch)" in text
    assert "`h1/eth0` — `s1/eth0`" in text
    assert "Its links" not in page(run_of("traced-tcp4"))
