"""The page of causes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scenes import recorded_result

from lab.analysis.causes.catalogue import SUBJECTS
from lab.experiments.experiment import Experiment
from site_pages.causes_page import causes_page, picture_place, seen_causes
from site_pages.runs import SiteExperiment, SiteRun

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
    assert "No run of this site" not in entry
    assert f"![The ladder around reset-unread]({picture_place('reset-unread')})\n" in entry


def test_a_picture_of_more_than_two_hosts_is_as_many_times_as_wide() -> None:
    (unread,) = seen_causes([RUN])["reset-unread"]
    assert unread.picture is not None
    of_four = replace(unread.picture, lanes=unread.picture.lanes * 2)
    page = causes_page(SUBJECTS, {"reset-unread": [replace(unread, picture=of_four)]})
    assert f']({picture_place("reset-unread")}){{ style="--wider: 1.96" }}\n' in page


def test_every_kind_of_cause_has_an_entry() -> None:
    page = causes_page(SUBJECTS, {})
    names = [kind.name for kinds in SUBJECTS.values() for kind in kinds]
    assert all(f"\n### {name}\n" in page for name in names)
    assert page.count("No run of this site shows it.") == len(names) > 50


def test_an_experiment_shows_its_cause_with_its_programs_where_no_run_does() -> None:
    unread, half_open = (
        Experiment(name, "print('client')", "print('server')", sysctls={"net.ipv4.x": "1 2"})
        for name in ("reset-unread", "reset-half-open")
    )
    made = [SiteExperiment(each, RESET) for each in (unread, half_open)]
    seen = seen_causes([], made)
    assert {name: one.experiment for name, (one,) in seen.items()} == {
        "reset-unread": unread,
        "reset-half-open": half_open,
    }
    assert all(one.run == "reset" for one in seen_causes([RUN], made)["reset-unread"])
    page = causes_page(SUBJECTS, seen)
    entry = page[page.index("### reset-unread\n") :]
    entry = entry[: entry.index("\n### ")]
    assert "](runs/causes/reset-unread/report.html#unread/" in entry
    assert "    print('server')\n" in entry and "    print('client')\n" in entry
    assert "Run with `--sysctl 'net.ipv4.x=1 2'`." in entry
    assert "lessons/" not in entry


def test_a_scenario_without_a_run_shows_none() -> None:
    assert seen_causes([SiteRun("reset", RUN.file, RUN.scenario, None)]) == {}
