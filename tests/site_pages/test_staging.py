"""What mkdocs reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from house import ROOT
from scenes import recorded_result

from lab.errors import UsageError
from site_pages.runs import SiteRun
from site_pages.staging import (
    Stage,
    configuration,
    docs_pages,
    pages_of_reference,
    pages_of_scenarios,
    sources_of,
    title_of,
)

TCP = SiteRun(
    "tcp",
    ROOT / "scenarios/tcp.py",
    recorded_result("traced-tcp4").judged_by,
    recorded_result("traced-tcp4"),
)


def test_pages_beside_docs_and_sources_have_places_of_their_own(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    text = "[a](../ARCHITECTURE.md) [r](../README.md) [b](../tests/blind) [g](grading.md)"
    stage.add("docs/x.md", "x.md", text)
    stage.write_sources()
    moved = (tmp_path / "x.md").read_text()
    assert moved == (
        "[a](develop/ARCHITECTURE.md) [r](index.md) [b](source/tests/blind.md) [g](grading.md)"
    )
    assert "](blind/__main__.py.md)" in (tmp_path / "source/tests/blind.md").read_text()
    assert (tmp_path / "source/tests/blind/__main__.py.md").is_file()
    assert stage.pages == ["x.md"]


def test_a_script_beside_the_pages_gets_a_page_and_a_picture_does_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.add("docs/x.md", "x.md", "[s](gradescope/setup.sh) ![p](html.png)")
    stage.write_sources()
    written = (tmp_path / "x.md").read_text()
    assert written == "[s](source/docs/gradescope/setup.sh.md) ![p](html.png)"
    assert "apt-get" in (tmp_path / "source/docs/gradescope/setup.sh.md").read_text()


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"links to nowhere\.py, which is not there"):
        Stage(tmp_path).add("docs/x.md", "x.md", "[a](../nowhere.py)")


def test_a_scenarios_page_has_its_run_and_what_is_written_by_hand(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    groups = pages_of_scenarios(stage, [TCP])
    assert groups == {"sockets": ["lessons/tcp.md"]}
    assert stage.pages == ["lessons/tcp.md"]
    page = (tmp_path / "lessons/tcp.md").read_text()
    assert page.startswith("# tcp\n") and "# tcp: exercises" not in page
    assert "## Exercises" in page and "## On other kernels" in page
    assert b"<svg" in (tmp_path / "runs/tcp/ladder.svg").read_bytes()
    assert (tmp_path / "runs/tcp/report.html").is_file()


def test_its_programs_are_among_its_sources() -> None:
    assert sources_of(TCP) == [
        "scenarios/tcp.py",
        "scenarios/demos/inet_stream_server.py",
        "scenarios/demos/inet_stream_client.py",
    ]


def test_reference_is_staged(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    pages_of_reference(stage)
    assert "reference/api.md" in stage.pages
    assert (tmp_path / "reference/claims.md").is_file()


def test_mkdocs_is_told_where_everything_is() -> None:
    told = json.loads(configuration([{"A": "a.md"}], Path("/b/docs"), Path("/b/site")))
    assert Path(told["INHERIT"]).is_file()
    assert (told["docs_dir"], told["site_dir"]) == ("/b/docs", "/b/site")
    assert told["nav"] == [{"A": "a.md"}]


def test_every_scenario_has_its_exercises_with_solutions_and_other_kernels() -> None:
    from lab.scenario_files import builtin_scenarios

    written = {page.stem: page.read_text("utf-8") for page in (ROOT / "docs/lessons").glob("*.md")}
    assert set(written) == set(builtin_scenarios())
    for name, text in written.items():
        assert text.startswith(f"# {name}: exercises\n")
        questions, solutions = text.count("\n**"), text.count("<summary>Solution</summary>")
        assert questions == solutions >= 3, name
        assert "\n## On other kernels\n" in text, name


def test_the_pages_of_docs_are_read_from_everywhere_in_it() -> None:
    pages = {page for page, _ in docs_pages()}
    assert {"docs/tutorial.md", "docs/decisions/wire.md", "ARCHITECTURE.md"} <= pages


def test_a_pages_title_is_its_heading_up_to_a_colon() -> None:
    assert title_of("docs/expect.md") == "What you expect"
    assert title_of("docs/wire.md") == "The wire"
