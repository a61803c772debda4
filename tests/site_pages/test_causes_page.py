"""The page of causes."""

from __future__ import annotations

from pathlib import Path

from scenes import recorded_result

from lab.analysis.causes.catalogue import SUBJECTS
from site_pages.causes_page import causes_page, seen_causes
from site_pages.runs import SiteRun

RESET = recorded_result("traced-reset4")
RUN = SiteRun("reset", Path("scenarios/connections/reset.py"), RESET.judged_by, RESET)


def test_what_a_run_shows_stands_with_its_ladder() -> None:
    seen = seen_causes([RUN])
    (unread,) = seen["reset-unread"]
    assert unread.place.startswith("runs/reset/report.html#unread/")
    page = causes_page(SUBJECTS, seen)
    entry = page[page.index("### reset-unread\n") :]
    entry = entry[: entry.index("\n### ")]
    assert "In [reset](lessons/reset.md): " in entry and f"]({unread.place})" in entry
    assert "No scenario shows it" not in entry


def test_every_kind_of_cause_has_an_entry() -> None:
    page = causes_page(SUBJECTS, {})
    names = [kind.name for kinds in SUBJECTS.values() for kind in kinds]
    assert all(f"\n### {name}\n" in page for name in names)
    assert page.count("No scenario shows it.") == len(names) > 50


def test_a_scenario_without_a_run_shows_none() -> None:
    assert seen_causes([SiteRun("reset", RUN.file, RUN.scenario, None)]) == {}
