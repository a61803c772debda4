"""Files of the repository as pages."""

from __future__ import annotations

from site_pages.source_page import folder_page, place_of_source, source_page


def test_a_file_is_shown_as_it_is() -> None:
    text = "```\nfences of its own\n```\n# no heading"
    page = source_page("lab/x.py", text)
    assert f"~~~ python\n{text}\n~~~" in page
    assert "# lab/x.py\n" in page


def test_pages_of_source_are_not_searched() -> None:
    assert source_page("a.py", "").startswith("---\nsearch:\n  exclude: true\n---\n")


def test_a_folder_leads_to_the_pages_of_its_files() -> None:
    assert place_of_source("tests/blind") == "source/tests/blind.md"
    assert "- [x.py](blind/x.py.md)\n" in folder_page("tests/blind", ["x.py"])
