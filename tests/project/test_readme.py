"""README is short, and what it names is there."""

from __future__ import annotations

import re

from house import ROOT

README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
TARGET = re.compile(r"^ {4}(?:sudo )?make ([a-z-]+)", re.MULTILINE)
COMMAND = re.compile(r"^ {4}\./wirelab ([a-z]+)", re.MULTILINE)


def test_readme_has_at_most_a_thousand_words() -> None:
    assert len(README.split()) <= 1000


def test_every_link_to_a_file_leads_to_one() -> None:
    links = [(page, link) for page in PAGES for link in LINK.findall(page.read_text("utf-8"))]
    assert len(links) > len(PAGES)
    assert [(str(page), to) for page, to in links if not (page.parent / to).exists()] == []


def test_every_target_that_readme_names_is_made() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+)(?:-%)?:", makefile, re.MULTILINE))
    scenarios = {f"scenario-{path.stem}" for path in (ROOT / "scenarios").rglob("*.py")}
    assert set(TARGET.findall(README)) <= targets | scenarios


def test_every_command_that_readme_names_is_there() -> None:
    named = set(COMMAND.findall(README))
    assert {"run", "replay"} <= named
    assert named <= {path.stem for path in (ROOT / "lab" / "cli").glob("*.py")}


def test_the_picture_shows_a_whole_ladder() -> None:
    picture = (ROOT / "docs" / "tcp.svg").read_text("utf-8")
    assert "font-face" not in picture
    for words in ("Opening", "Data", "Closing", "SYN", "FIN"):
        assert words in picture, f"{words}: draw it again with make picture"
