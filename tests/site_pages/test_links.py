"""Links of a page that moves."""

from __future__ import annotations

import pytest

from site_pages.links import relocated


def place_of(path: str) -> str:
    return {"ARCHITECTURE.md": "develop/ARCHITECTURE.md"}.get(path, path.removeprefix("docs/"))


def title_of(path: str) -> str:
    return f"Title of {path}"


@pytest.mark.parametrize(
    ("page", "place", "text", "moved"),
    [
        ("docs/a.md", "a.md", "[b](b.md#x)", "[b](b.md#x)"),
        ("docs/a.md", "a.md", "[b](../ARCHITECTURE.md)", "[b](develop/ARCHITECTURE.md)"),
        ("ARCHITECTURE.md", "develop/ARCHITECTURE.md", "[b](docs/b.md)", "[b](../b.md)"),
        ("docs/x/a.md", "x/a.md", "![p](../html.png)", "![p](../html.png)"),
        ("docs/a.md", "a.md", "[`code`](../ARCHITECTURE.md)", "[`code`](develop/ARCHITECTURE.md)"),
        ("docs/a.md", "a.md", "[a\nb](../ARCHITECTURE.md)", "[a\nb](develop/ARCHITECTURE.md)"),
        ("docs/a.md", "a.md", "[b.md](b.md#x)", "[Title of docs/b.md](b.md#x)"),
        ("docs/a.md", "a.md", "[a.py](a.py)", "[a.py](a.py)"),
    ],
)  # fmt: skip
def test_a_link_leads_to_where_the_site_has_its_target(
    page: str, place: str, text: str, moved: str
) -> None:
    assert relocated(text, page, place, place_of, title_of) == moved


@pytest.mark.parametrize(
    "text",
    [
        "[there](https://example.org/x)",
        "[here](#place)",
        "`[code](../ARCHITECTURE.md)`",
        "    [code](../ARCHITECTURE.md)",
        "```\n[code](../ARCHITECTURE.md)\n```",
    ],
)
def test_what_is_no_link_to_a_file_stays(text: str) -> None:
    assert relocated(text, "docs/a.md", "a.md", place_of, title_of) == text
